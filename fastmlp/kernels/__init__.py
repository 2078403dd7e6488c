"""Floor 0: all compiled code and nothing else. Imports numpy, numba, math and siblings only.

Reading order: ``codes`` (the integers that name things), ``buffers`` (the arrays a kernel is
given), ``dense``, ``activations``, ``losses``, ``optimizers`` (one file per operation),
``forward``, ``general_step`` and ``sample_step`` (an update), ``evaluate``. Below them ``tile``
(vector instructions), ``view`` (stretches of flat arrays), ``team`` (threads that meet at
barriers), ``launch`` (how a team is started) and ``jit`` (how everything is compiled).
"""
