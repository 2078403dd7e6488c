"""Level 2: the network, its buffers, the meaning of its outputs, and saved models."""
