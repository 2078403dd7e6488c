"""Vector code written as LLVM IR: products of matrices, lists and bytes; exp and tanh."""
