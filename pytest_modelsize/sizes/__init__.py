"""Arithmetic on sizes; opens nothing."""
