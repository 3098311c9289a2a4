"""ExecuTorch's files: a FlatBuffer that says what lies in segments behind it.

`program` reads ``.pte``, `tensors` reads ``.ptd``; `segments` has what both share.
"""
