"""Renderers: measurements, comparisons and verdicts in, text out. Pure: no file, no terminal."""
