"""Training steps and evaluation: layers, backpropagation, updates."""
