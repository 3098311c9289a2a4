"""Networks, and what people keep beside them, that are called like optimizers' state and are none."""

import copy
from collections import OrderedDict


def networks(torch):
    """Modules by what is misleading in them."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self, **parts):
            super().__init__()
            for name, part in parts.items():
                if isinstance(part, (nn.Module, nn.Parameter)):
                    setattr(self, name, part)
                else:
                    self.register_buffer(name, part)

    Net.__qualname__ = "Net"
    globals()["Net"] = Net  # so that it can be pickled

    def linear():
        return nn.Linear(8, 8)

    def mlp():
        return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))

    def buffers(**more):
        return Net(**more)

    vector, matrix, number = torch.ones(8), torch.ones(8, 8), torch.tensor(3.0)
    layers = {
        f"a layer called {name}": Net(body=linear(), **{name: linear()})
        for name in (
            *("optimizer", "optim", "adam", "sgd", "momentum", "exp_avg", "exp_avg_sq", "state"),
            *("momentum_buffer", "square_avg", "m", "v", "mu", "nu", "velocity", "param_groups"),
            *("moments", "variance", "sum", "step", "opt", "lion", "state1", "hessian"),
        )
    }
    named = {
        f"a buffer called {name}": Net(
            fc=Net(weight=nn.Parameter(matrix), **{name: matrix.clone()})
        )
        for name in ("exp_avg", "momentum_buffer", "square_avg", "m", "v", "sum", "prev", "moments")
    }
    return {
        **layers,
        **named,
        "two layers called like Adam's slots": Net(
            body=linear(), exp_avg=linear(), exp_avg_sq=linear()
        ),
        "two networks called m and v": Net(m=mlp(), v=mlp()),
        "mean and variance of an encoder": Net(body=mlp(), mu=linear(), variance=linear()),
        "a momentum encoder": Net(encoder=mlp(), momentum=mlp(), queue=torch.ones(8, 16)),
        "a module of a buffer called exp_avg": Net(fc=linear(), stats=buffers(exp_avg=vector)),
        "a module that counts steps": Net(
            fc=linear(), gumbel=buffers(step=number, temperature=number, exp_avg=vector)
        ),
        "a module of Adam's buffers": Net(
            fc=linear(), norm=buffers(exp_avg=vector, exp_avg_sq=vector.clone(), step=number)
        ),
        "modules with numbers and buffers": Net(
            fc=linear(),
            watched=nn.ModuleList([buffers(exp_avg=vector.clone()) for _ in range(2)]),
        ),
        "a codebook": Net(
            fc=linear(),
            quantize=Net(
                embed=matrix.clone(), embed_avg=matrix.clone(), cluster_size=vector.clone()
            ),
        ),
        "batch norm": nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8, momentum=0.3)),
        "weight norm": nn.utils.parametrizations.weight_norm(linear()),
        "spectral norm": nn.utils.parametrizations.spectral_norm(linear()),
        "a learned optimizer": Net(optimizer=nn.LSTM(8, 8), body=mlp()),
        "a learned rate": Net(fc=linear(), lr=nn.Parameter(number), momentum=nn.Parameter(number)),
        "an averaged model": torch.optim.swa_utils.AveragedModel(mlp()),
        "parameters with numbers": nn.ParameterList([nn.Parameter(matrix), nn.Parameter(vector)]),
        "a recurrent cell's m and v": Net(cell=Net(m=matrix, v=matrix.clone(), z=vector)),
    }


def checkpoints(torch):
    """What is saved beside a network, by what is misleading in it."""
    nn = torch.nn

    def net():
        return nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 4))

    model = net()
    weights, other = model.state_dict(), net().state_dict()
    plain = {name: value.clone() for name, value in weights.items()}
    listed = [value.clone() for value in model.parameters()]
    swag = {
        name: {"mean": p.data, "sq_mean": p.data.clone()} for name, p in model.named_parameters()
    }
    return {
        "an average of the weights": {"model": weights, "ema": other},
        "an average, as plain tensors": {"model": weights, "ema": plain},
        "an average called exp_avg, with its buffers": {"model": weights, "exp_avg": plain},
        "an average called exp_avg, as it is": {"model": weights, "exp_avg": other},
        "an average in a list": {"model": weights, "ema": {"decay": 0.9, "shadow_params": listed}},
        "a momentum encoder": {"encoder": weights, "momentum": other},
        "a network called optimizer": {"model": weights, "optimizer": nn.LSTM(8, 8).state_dict()},
        "a network called optimizer, as plain tensors": {
            "model": weights, "optimizer": dict(nn.LSTM(8, 8).state_dict()),
        },
        "a whole network called optimizer": {"model": model, "optimizer": nn.LSTM(8, 8)},
        "a network called adam": {"eve": weights, "adam": other},
        "networks called optimizer and scheduler": {
            "optimizer": weights, "scheduler": other, "state": net().state_dict(),
        },
        "networks in a list": {"models": [weights, other, net().state_dict()]},
        "networks by number": {0: weights, 1: other, 2: net().state_dict()},
        "heads by number": {"body": weights, "heads": {0: nn.Linear(8, 8).state_dict()}},
        "an optimizer that keeps nothing": {
            "model": weights, "optimizer": torch.optim.SGD(model.parameters(), 0.1).state_dict(),
        },
        "a gradient scaler and a schedule": {
            "model": weights,
            "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 0},
            "lr_scheduler": {"base_lrs": [0.1], "last_epoch": 1, "_last_lr": [0.1]},
            "optimization_step": 3,
        },
        "gradients": {"model": weights, "grads": dict(zip("abcd", listed, strict=False))},
        "masks": {"model": weights, "mask": {n: torch.ones_like(p) for n, p in plain.items()}},
        "averages by parameter": {"model": weights, "swag": swag},
        "the best so far": {"model": weights, "best": other, "target": plain, "previous": plain},
        "a teacher": {"student": weights, "teacher": plain},
        "statistics by class": {
            "model": weights, "stats": {i: {"mean": listed[0], "std": listed[0]} for i in range(3)},
        },
        "a network among hyper-parameters": {"state_dict": weights, "hyper_parameters": {"b": net()}},
        "a loss history": {"model": weights, "history": [torch.rand(64, 10) for _ in range(5)]},
    }  # fmt: skip


def files(torch):
    """What is saved: networks alone in three forms, and checkpoints."""
    for name, module in networks(torch).items():
        weights = module.state_dict()
        yield f"{name}, state_dict", weights
        yield f"{name}, in a checkpoint", {"state_dict": weights, "epoch": 1}
        yield f"{name}, renamed", {f"module.{key}": value for key, value in weights.items()}
        yield f"{name}, copied", OrderedDict(copy.deepcopy(dict(weights)))
        yield f"{name}, whole", module
    yield from checkpoints(torch).items()
