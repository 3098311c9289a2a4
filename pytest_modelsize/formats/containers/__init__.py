"""Containers: bytes, and not models."""
