"""Level 4: trained models as ONNX, NumPy, C and PyTorch."""
