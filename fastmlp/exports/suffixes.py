"""The suffixes of files to which models are exported, without the libraries that write them."""

SUFFIXES = (".onnx", ".py", ".h", ".pt", ".pt2")
