"""Compiling a kernel with all kernels inside it as a whole, once.

Numba optimises every function and makes machine code of it, and every caller copies the result and
optimises it again: a cold start spent 13.8 s in LLVM. Here a kernel that is part of others is only
lowered to LLVM IR. A kernel that is called from Python or by address is linked with its parts,
which become private, and optimised once: 6.5 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llvmlite import ir
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes

from .stored import Stored
from .view import View

_INSIDE = ".inside"  # suffix of the names of private functions


class _Library(JITCodeLibrary):
    """IR as it is lowered: no function is optimised before the whole is."""

    _shared_module: Any

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout


class _PartLibrary(_Library):
    """The IR of a kernel that is part of others."""

    def finalize(self) -> None:
        """Prepare the IR for being linked into several others."""
        for function in self.get_defined_functions():
            function.linkage = "linkonce_odr"
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """Return the module with its parts, for callers that Numba compiles in its own way."""
        self._ensure_finalized()
        if self._shared_module is None:
            self._shared_module = self._final_module.clone()
            _link(self._shared_module, self._linking_libraries)
        return self._shared_module


class _WholeLibrary(_Library):
    """The code of a kernel with all its parts."""

    def finalize(self) -> None:
        """Link, optimise and load the code."""
        module = self._final_module
        entries = {function.name for function in self.get_defined_functions()}
        for library in _link(module, self._linking_libraries):
            self._reload_init.update(library._reload_init)  # starts threads
        for function in self.get_defined_functions():
            if function.name not in entries:
                function.linkage = "internal"
                # Code is loaded by names, private ones included, and their arguments may differ.
                function.name += _INSIDE
        self._optimize_final_module()
        module.verify()
        self._finalize_final_module()

    def _optimize_final_module(self) -> None:
        """Optimise once: Numba does it twice, for the sake of counted references."""
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


def _link(module: Any, libraries: Iterable[Any]) -> set[Any]:
    """Copy libraries and all that they call into a module, each once; return them."""
    linked: set[Any] = set()
    waiting = list(libraries)
    while waiting:
        library = waiting.pop()
        if library in linked:
            continue
        linked.add(library)
        if isinstance(library, _PartLibrary):
            waiting.extend(library._linking_libraries)
            module.link_in(library._final_module, preserve=True)
        else:
            module.link_in(library._get_module_for_linking(), preserve=True)
    return linked


class _Entry:
    """Identifies a part to its callers, as the compiled function does elsewhere."""


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerPart(NativeLowering):
    _name = "fastmlp_lower_part"

    def run_pass(self, state: Any) -> bool:
        """Lower to IR, without machine code."""
        context = state.targetctx
        state.library = _PartLibrary(context.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered, entry = state["cr"], _Entry()
        context.insert_user_function(entry, lowered.fndesc, [state.library])
        state["cr"] = _LowerResult(lowered.fndesc, lowered.call_helper, entry, lowered.env)
        return True


class _Lower(Lower):
    """Gives a kernel the entry that it needs: from Python or by address."""

    def create_cpython_wrapper(self, release_gil: bool = False) -> None:
        """Make the entry from Python, unless no Python object has the type of an argument."""
        if not self._is_by_address:
            super().create_cpython_wrapper(release_gil)

    def create_cfunc_wrapper(self) -> None:
        """Make the entry by address; Numba's reports exceptions, of which kernels have none."""
        if not self._is_by_address:
            super().create_cfunc_wrapper()
            return
        context, described = self.context, self.fndesc
        types = described.restype, described.argtypes
        module = context.create_module("entry")
        kernel = ir.Function(
            module, self.call_conv.get_function_type(*types), described.llvm_func_name
        )
        returned, *given = (context.get_value_type(kind) for kind in (types[0], *types[1]))
        entry = ir.Function(
            module, ir.FunctionType(returned, given), described.llvm_cfunc_wrapper_name
        )
        builder = ir.IRBuilder(entry.append_basic_block())
        # Inlined, a kernel would be optimised a second time: a third of the compiling.
        _, result = self.call_conv.call_function(
            builder, kernel, *types, entry.args, attrs=("noinline",)
        )
        builder.ret(result)
        self.library.add_ir_module(module)

    @property
    def _is_by_address(self) -> bool:
        return any(isinstance(kind, View | Stored) for kind in self.fndesc.argtypes)


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerWhole(NativeLowering):
    _name = "fastmlp_lower_whole"

    @property
    def lowering_class(self) -> type:
        """Return what lowers the kernel and makes its entries."""
        return _Lower

    def run_pass(self, state: Any) -> bool:
        """Lower, link and compile."""
        state.library = _WholeLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


# Kernels have neither closures nor expressions of whole arrays.
_UNUSED = (InlineClosureLikes, NopythonRewrites)


class _Compiler(CompilerBase):
    """Numba's compiler with another way of lowering."""

    lowering: type

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (self.lowering if one is NativeLowering else one, what)
            for one, what in passes.passes
            if one not in _UNUSED
        ]
        passes._finalized = False
        passes.finalize()
        return [passes]


class PartCompiler(_Compiler):
    """Compiles kernels that are part of others."""

    lowering = _LowerPart


class WholeCompiler(_Compiler):
    """Compiles kernels that are called from Python or by address."""

    lowering = _LowerWhole
