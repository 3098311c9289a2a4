"""Pickles of any library, joblib's too, opened without being loaded.

`arrays` finds NumPy's arrays among a pickle's symbols, `inline` joblib's, whose bytes lie between
the opcodes; `attributes` names what an object holds, `compressed` unpacks joblib's own
compressions, and `reader` gives each byte to what it serves.
"""
