"""PyTorch modules become files."""
