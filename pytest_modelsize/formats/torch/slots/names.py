"""What the slots of optimizers are called, and what they are kept under.

A name proves nothing by itself: a layer, a buffer or a submodule may be called so, too.
"""

from __future__ import annotations

import re

from pytest_modelsize.sizes.patterns import late

__all__ = [
    "AVERAGED",
    "BESIDE",
    "BUFFERS",
    "BY_STORAGE",
    "MASTERS",
    "NETWORK",
    "OPTIMIZERS",
    "OTHER",
    "SLOTS",
    "STEPS",
    "STRONG",
    "WEAK",
    "like_a_model",
    "like_an_optimizer",
    "like_an_optimizer_class",
]

STRONG = frozenset({
    "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_inf", "momentum_buffer", "square_avg",
    "grad_avg", "acc_delta", "exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_res", "row_var",
    "col_var", "old_dirs", "old_stps", "prev_flat_grad", "H_diag", "state1", "state2", "absmax1",
    "absmax2", "qmap1", "qmap2", "exp_avg_var", "exp_avg_diff", "neg_grad_or_diff", "exp_grad_norm",
    "momentum_buffer_list", "exp_avgs", "exp_avg_sqs", "exp_avg_slow", "inv_precond",
    "preconditioner", "preconditioners", "inv_preconditioners", "exp_hessian", "hessian",
    "fp32_param", "master_param", "moment1", "moment2",
})  # fmt: skip
"""Keys that torch/optim/*.py keeps for each parameter, and its kin: transformers/optimization.py
(Adafactor), bitsandbytes/optim/optimizer.py, pytorch_optimizer. Hardly anything else is
called so."""
WEAK = frozenset({
    "m", "v", "mu", "nu", "m_t", "v_t", "mt", "vt", "momentum", "momentums", "momenta", "velocity",
    "velocities", "moment", "moments", "first_moment", "second_moment", "first_moments",
    "second_moments", "moment_1", "moment_2", "accumulator", "accumulators", "sum", "sum_sq",
    "prev", "ax", "variance", "step_size", "z", "u", "s", "r", "buf", "slow_buffer", "GG", "Q",
    "precond", "v_hat", "vhat", "m_hat", "avg_sq", "sq_avg", "second_momentum", "first_momentum",
    "momentum_1", "momentum_2", "exp", "d", "al", "ro", "prev_grad", "grad_sq",
})  # fmt: skip
"""Keys of the same that a module may well use for a parameter of its own, and usual ones of
people's own optimizers."""
SLOTS = STRONG | WEAK
STEPS = frozenset({"step", "steps", "t", "iteration", "count", "num_steps", "iter"})
BESIDE = STEPS | WEAK | frozenset({
    "eta", "mu_product", "RMS", "t", "func_evals", "n_iter", "prev_loss", "factored", "betas",
})  # fmt: skip
MASTERS = frozenset({
    "fp32_flat_groups", "fp32_groups_flat", "single_partition_of_fp32_groups", "fp32_from_fp16",
    "fp32_from_fp16_params", "fp32_from_float16_groups", "shard_fp32_from_float16_groups",
    "fp32_partitioned_groups_flat",
})  # fmt: skip
"""Copies of the weights in full precision that an optimizer trains, beside its state: DeepSpeed's
runtime/zero/stage_1_and_2.py and stage3.py, Apex's fp16_utils, Megatron-LM's core/optimizer."""
BUFFERS = frozenset({"running_mean", "running_var", "num_batches_tracked"})
"""torch/nn/modules/batchnorm.py. What is trained has slots, and a buffer has none."""
BY_STORAGE = "storage "
"""How the name begins that stands for a parameter which is a key."""
OTHER = frozenset({
    "ema", "shadow", "mask", "grad", "mean", "var", "std", "sq_mean", "fisher", "min", "max",
    "scale", "zero_point", "weight", "bias", "data", "value", "original", "original0", "original1",
    "teacher", "target", "running_mean", "running_var",
})  # fmt: skip
"""What is kept for each parameter and is not a slot: averages, masks, what quantization needs."""
NETWORK = late(r"(^|_)(weights?|bias|kernel|embeddings?|running_(mean|var))(_|$)")
"""What the parameters of layers are called."""
AVERAGED = late(
    r"(^|[_.])(ema|swa|shadow|averaged?|teacher|target)([_.]|$)",
    re.IGNORECASE,
    holds=("ema", "swa", "shadow", "average", "teacher", "target"),
)
_LONGEST = 80
_KINDS = (
    r"optim(izers?)?|n?adamw?|r?adamw?|adamax|sgd|nesterov|rms_?prop|rprop|adagrad|adadelta|adafactor"
    r"|adabelief|adabound|lion|lamb|lars|muon|shampoo|soap|sophia|lbfgs|asgd|prodigy|novograd|came"
    r"|galore|yogi|madgrad"
)
_OPTIMIZER = late(
    rf"(?i:(^|[_.\-])({_KINDS})([_.\-0-9]|$))"
    r"|(^|[_.\-])([oO]pt|[oO]ptim|[oO]ptimizer)s?([_.\-0-9A-Z]|$)",
    holds=(
        "opt",
        "ada",
        "sgd",
        "nesterov",
        "prop",
        "lion",
        "lamb",
        "lars",
        "muon",
        "shampoo",
        "soap",
        "sophia",
        "lbfgs",
        "prodigy",
        "novograd",
        "came",
        "galore",
        "yogi",
        "madgrad",
    ),
)
OPTIMIZERS = late(r"(^|[_.])(optim|optimizers?)([_.0-9]|$)", re.IGNORECASE, holds=("optim",))
"""Keys under which people and frameworks put an optimizer's state_dict."""
_OPTIMIZER_CLASS = late(
    r"(Optim(izer)?s?|[Aa]dam|SGD|RMS[Pp]rop|Rprop|Ada(grad|delta|factor|max|belief|bound)|Lion|LAMB"
    r"|Lamb|LARS|Lars|Muon|Shampoo|SOAP|Sophia|LBFGS|Prodigy|NovoGrad|GaLore|Yogi|MADGRAD)(?![a-z])"
)
_MODEL = late(
    r"model|module|net|network|weights?|params?|parameters|state_dict|_orig_mod"
    r"|\w*(model|network|_net|state_dict|params|weights)",
    re.IGNORECASE,
)


def like_an_optimizer(name: str) -> bool:
    """Return whether an optimizer may be called so."""
    return _OPTIMIZER.search(name[:_LONGEST]) is not None


def like_an_optimizer_class(name: str) -> bool:
    """Return whether a class of optimizers may be called so."""
    return _OPTIMIZER_CLASS.search(name[:_LONGEST]) is not None


def like_a_model(name: str) -> bool:
    """Return whether a model as a whole may be called so."""
    return len(name) <= _LONGEST and _MODEL.fullmatch(name) is not None
