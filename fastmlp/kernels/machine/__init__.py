"""The machine: compiling and caching kernels, views, calls by address, threads, the CPU."""
