"""Level 0: all compiled code, and nothing else.

Imports the standard library, NumPy, Numba, llvmlite and siblings only.

Each entry imports from those above it in this list, which is also the reading order:

- ``machine``: how kernels are compiled (``jit``), where compiled ones come from (``lookup``: on
  ``disk``, or ``shipped`` for the ``levels`` of CPUs, or from another process by ``claims``), how
  they are called by address (``calls``) and run on threads (``launch``, ``team``); views of arrays
  (``view``) and named tuples, in memory (``stored``) and declared (``records``); the CPU (``host``,
  ``denormals``, ``phases``); index assertions (``assertions``).
- ``buffers``: the arrays that kernels receive; ``call_types``: every kind of call by address.
- ``emit``: vector code as LLVM IR.
- ``rules``: activations, losses, optimizers, dropout, constraints; sums in a fixed order.
- ``inputs``: rows of the data: dense, as lists of non-zeros, as bytes.
- ``layers``: where outputs are stored (``layout``), and the kernels of each kind of layer.
- ``steps``: the inputs and the loss of a block of rows (``forward``), the general step
  (``general_step``, ``update``), the per-sample step (``sample_step`` and its parts), evaluation.
"""
