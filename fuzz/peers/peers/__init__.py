"""Random cases, what PyTorch, JAX and NumPy say to them, and what this library says: see README.md."""
