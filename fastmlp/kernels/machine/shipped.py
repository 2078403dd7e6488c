"""Files of compiled kernels that come with the package, one for each level.

A file is a line with the format, the size of the header, the header in JSON, and pieces: for each
kernel an index by the types of its arguments, and for each of these the code. Indexes and code are
pickles. The header is compared before any piece is read, and each piece with its SHA-256 before it
is unpickled, so a file of other versions or a damaged one is never loaded.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import sysconfig
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import numba
from llvmlite import binding as llvm
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

FOLDER = Path(__file__).parents[1] / "shipped"
SUFFIX = ".kernels"
_FORMAT = b"fastmlp kernels 1\n"
_SIZE_BYTES = 8
# What must be equal, as messages name it.
_FACTS = {
    "sources": "the package's kernel sources (SHA-256)",
    "numba": "Numba",
    "llvmlite": "llvmlite",
    "llvm": "LLVM",
    "python": "Python's binary interface",
}


class Unfit(Exception):
    """A file that must not be used; the message says why."""


class Compiled(NamedTuple):
    """A kernel compiled for some types, ready to be written."""

    name: str
    signature: tuple[Any, ...]
    code: bytes


def facts(sources: str) -> dict[str, str]:
    """Return what compiled code depends on beside the level: sources and versions."""
    return {
        "sources": sources,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "llvm": ".".join(map(str, llvm.llvm_version_info)),
        "python": str(sysconfig.get_config_var("EXT_SUFFIX")),
    }


def write(path: Path, level: str, sources: str, kernels: Iterable[Compiled]) -> None:
    """Write a file of compiled kernels."""
    body = bytearray()

    def add(piece: bytes) -> tuple[int, int, str]:
        packed = zlib.compress(piece, 9)
        start = len(body)
        body.extend(packed)
        return start, len(packed), hashlib.sha256(packed).hexdigest()

    indexes: dict[str, dict[Any, tuple[int, int, str]]] = {}
    for kernel in kernels:
        indexes.setdefault(kernel.name, {})[kernel.signature] = add(kernel.code)
    header = {
        "level": level,
        **facts(sources),
        "kernels": {name: add(dumps(index)) for name, index in sorted(indexes.items())},
    }
    text = json.dumps(header, indent=1).encode()
    path.write_bytes(_FORMAT + len(text).to_bytes(_SIZE_BYTES, "little") + text + body)


class ShippedKernels:
    """The kernels of one file.

    Parameters
    ----------
    path : Path
    level, sources : str
        What the file must have been compiled for, and from.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    Unfit
        If it was compiled for another level, from other sources or with other versions, or is
        damaged.
    """

    def __init__(self, path: Path, level: str, sources: str):
        self.path, self.level = path, level
        with path.open("rb") as file:
            header, self._body = self._header(file)
        wanted = {"level": level, **facts(sources)}
        for name, expected in wanted.items():
            if header.get(name) != expected:
                what = _FACTS.get(name, name)
                raise Unfit(f"{what} was {header.get(name)!r:.80} when they were compiled, and is "
                            f"now {expected!r:.80}")  # fmt: skip
        self._kernels: dict[str, Any] = header["kernels"]
        self._indexes: dict[str, dict[Any, tuple[int, int, str]]] = {}

    def _header(self, file: Any) -> tuple[dict[str, Any], int]:
        """Return the header and the offset of the first piece."""
        start = file.read(len(_FORMAT) + _SIZE_BYTES)
        size = int.from_bytes(start[len(_FORMAT) :], "little")
        if start[: len(_FORMAT)] != _FORMAT or size > self.path.stat().st_size:
            raise Unfit("the file is damaged, or of another format")
        try:
            header = json.loads(file.read(size))
        except ValueError:
            raise Unfit("the file is damaged") from None
        if not isinstance(header, dict) or not isinstance(header.get("kernels"), dict):
            raise Unfit("the file is damaged")
        return header, len(start) + size

    def signatures(self, name: str) -> list[tuple[Any, ...]]:
        """Return the types for which a kernel is in the file."""
        return list(self._index(name))

    def load(self, name: str, signature: tuple[Any, ...], context: Any) -> CompileResult | None:
        """Return a kernel for these types, loaded; None if it is not in the file.

        Parameters
        ----------
        name : str
            Module and name of the kernel.
        signature : tuple of types
        context : target context of Numba

        Raises
        ------
        Unfit
            If the code is damaged.
        """
        entry = self._index(name).get(signature)
        return None if entry is None else rebuilt(context, self._piece(entry))

    def _index(self, name: str) -> dict[Any, tuple[int, int, str]]:
        if name not in self._indexes:
            entry = self._kernels.get(name)
            self._indexes[name] = {} if entry is None else pickle.loads(self._piece(entry))
        return self._indexes[name]

    def _piece(self, entry: Any) -> bytes:
        try:
            start, size, digest = entry
            with self.path.open("rb") as file:
                file.seek(self._body + start)
                packed = file.read(size)
        except (OSError, TypeError, ValueError) as error:
            raise Unfit(f"the file cannot be read: {error}") from None
        if hashlib.sha256(packed).hexdigest() != digest:
            raise Unfit("the file is damaged")
        return zlib.decompress(packed)


def reduced(compiled: CompileResult) -> bytes:
    """Return a kernel, just compiled or from disk, as bytes from which :func:`rebuilt` makes it."""
    function, environments = compiled.fndesc, compiled.referenced_envs
    function.typemap = function.calltypes = None  # as Numba does: they may not be picklable
    if environments is None:
        environments = tuple(compiled._find_referenced_environments())
    library = (compiled.library.name, *_self_contained(compiled))
    return bytes(
        dumps((
            library, function, compiled.environment, compiled.signature, compiled.objectmode,
            compiled.lifted, compiled.reload_init, environments,
        ))
    )  # fmt: skip


def _self_contained(compiled: CompileResult) -> tuple[bytes, list[str]]:
    """Return object code that shares no helper with other code, and the names that it defines.

    Otherwise, a helper that is called by several kernels would be taken from the one that is loaded
    first, which may be compiled for other instructions, with register tiles of another height.
    """
    function, codegen = compiled.fndesc, compiled.library.codegen
    module = compiled.library._get_module_for_linking().clone()
    entries = {
        function.llvm_func_name,
        function.llvm_cfunc_wrapper_name,
        function.llvm_cpython_wrapper_name,
    }
    for defined in module.functions:
        if not defined.is_declaration:
            defined.linkage = "external" if defined.name in entries else "internal"
    passes, builder = llvm.create_new_module_pass_manager(), codegen._pass_builder()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)
    symbols = [
        symbol.name
        for group in (module.functions, module.global_variables)
        for symbol in group
        if not symbol.is_declaration and symbol.linkage != llvm.Linkage.internal
    ]
    return codegen._tm.emit_object(module), symbols


def rebuilt(context: Any, content: bytes) -> CompileResult:
    """Return a kernel from its bytes, loaded into this process."""
    library, function, environment, signature, is_object, lifted, reload, environments = (
        pickle.loads(content)
    )
    name, code, symbols = library
    codegen = context.codegen()
    # Numba reads the names from IR, which is four fifths of what it stores.
    codegen._engine._defined_symbols.update(symbols)
    no_ir = llvm.parse_assembly("").as_bitcode()
    return CompileResult._rebuild(
        context, (name, "object", (code, no_ir)), function, environment, signature, is_object,
        lifted, "", reload, environments,
    )  # fmt: skip
