"""Floor 0: all compiled code and nothing else. Imports numpy, numba, math and siblings only.

Reading order: ``buffers`` (the arrays a kernel is given), ``codes`` (the integers that name tasks),
``dense``, ``activations``, ``losses``, ``optimizers``, ``dropout``, ``constraint`` (one file per
operation), ``forward``, ``general_step`` with ``update``, and ``sample_step`` with ``ahead`` (an
update), ``evaluate``. Below them ``tile`` and ``transpose`` (vector instructions), ``host`` (what
the CPU can do), ``view`` (stretches of flat arrays), ``pointers`` (kernels called by their
addresses), ``team`` (threads that meet at barriers), ``launch`` (how a team is started),
``denormals``, ``phases`` (where the time goes) and ``jit`` (how everything is compiled).
"""
