"""Values in, text out; writes no file, and to no terminal."""
