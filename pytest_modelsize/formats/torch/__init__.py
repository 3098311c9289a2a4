"""PyTorch's files, read without PyTorch, and never unpickled.

Pickles are followed by `containers.pickle`; `tensors` and `contents` find what
it holds, `naming`, `parameters` and `owners` whose it is. `archive` reads what ``torch.save`` and
``torch.jit.save`` write, `exported` what ``torch.export.save`` does, `legacy` what PyTorch before
1.6 wrote.
"""
