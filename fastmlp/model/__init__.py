"""Floor 2: the network and its buffers, what its outputs mean, and the model that is saved."""
