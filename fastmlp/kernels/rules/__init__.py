"""One kernel per activation, loss, optimizer; dropout and constraints."""
