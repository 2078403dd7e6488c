"""Layer kinds: where outputs are (``layout``), and a file of kernels for each kind."""
