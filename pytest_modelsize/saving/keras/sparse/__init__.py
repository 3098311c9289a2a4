"""Saves that leave the bytes of the tensors out, and are as large as whole ones."""
