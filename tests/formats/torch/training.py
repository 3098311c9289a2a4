"""Networks trained for a step by every optimizer of ``torch.optim``, and the forms that people keep
their state in.
"""

import inspect
from types import SimpleNamespace

SETTINGS = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adam": {"amsgrad": True},
    "LBFGS": {"lr": 0.1},
}
"""Of the optimizers that keep nothing, or less, by default."""


def optimizers_of(torch):
    """Names of all classes of optimizers."""
    return sorted(
        name
        for name, cls in vars(torch.optim).items()
        if inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer) and name != "Optimizer"
    )


def train(torch, kind, *, scheduled):
    """Return a network with its optimizer and schedule, after a step or two."""
    torch.manual_seed(0)
    nn = torch.nn
    sparse = kind == "SparseAdam"
    first = nn.EmbeddingBag(9, 12, sparse=True) if sparse else nn.Linear(7, 12)
    rest = [] if sparse else [nn.BatchNorm1d(12), nn.Linear(12, 5)]
    model = nn.Sequential(first, *rest)
    parameters = [p for p in model.parameters() if kind != "Muon" or p.dim() == 2]
    optimizer = getattr(torch.optim, kind)(parameters, **SETTINGS.get(kind, {}))
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1) if scheduled else None
    data = torch.randint(0, 9, (4, 3)) if sparse else torch.randn(4, 7)

    def loss():
        optimizer.zero_grad()
        value = model(data).square().sum()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(loss)
        if schedule is not None:
            schedule.step()
    return SimpleNamespace(model=model, optimizer=optimizer, schedule=schedule)


def names_of(trained):
    """Name of each parameter that the optimizer serves."""
    served = {id(p) for group in trained.optimizer.param_groups for p in group["params"]}
    return {name: p for name, p in trained.model.named_parameters() if id(p) in served}


def by_name(trained):
    """``{"fc.weight": {"exp_avg": ...}}``."""
    state = trained.optimizer.state
    return {name: dict(state[p]) for name, p in names_of(trained).items() if p in state}


def by_slot(trained):
    """``{"exp_avg": {"fc.weight": ...}}``."""
    found = {}
    for name, slots in by_name(trained).items():
        for slot, value in slots.items():
            found.setdefault(slot, {})[name] = value
    return found


def by_slot_in_lists(trained):
    """``{"exp_avg": [...]}``."""
    return {slot: list(values.values()) for slot, values in by_slot(trained).items()}


def dotted(parts, prefix=""):
    """One flat dictionary."""
    found = {}
    for key, value in parts.items():
        if isinstance(value, dict):
            found.update(dotted(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found


CHECKPOINTS = {
    "state_dict alone": lambda t: (t.optimizer.state_dict(), {}),
    "tutorial": lambda t: (
        {
            "model_state_dict": t.model.state_dict(),
            "optimizer_state_dict": t.optimizer.state_dict(),
        },
        {"model_state_dict": t.model.state_dict()},
    ),
    "names of one's own": lambda t: (
        {"n": t.model.state_dict(), "stuff": {"q": t.optimizer.state_dict()}},
        {"n": t.model.state_dict()},
    ),
    "list": lambda t: ([t.model.state_dict(), t.optimizer.state_dict()], [t.model.state_dict()]),
    "tuple": lambda t: ((t.model.state_dict(), t.optimizer.state_dict()), (t.model.state_dict(),)),
    "list of optimizers": lambda t: (
        {"net": t.model.state_dict(), "opts": [t.optimizer.state_dict()]},
        {"net": t.model.state_dict()},
    ),
    "objects": lambda t: ({"net": t.model, "how": t.optimizer}, {"net": t.model}),
    "a schedule that holds its optimizer": lambda t: (
        {"net": t.model, "lr_scheduler": t.schedule or t.optimizer},
        {"net": t.model},
    ),
    "Lightning": lambda t: (
        {
            "epoch": 0,
            "pytorch-lightning_version": "2.6.6",
            "state_dict": t.model.state_dict(),
            "callbacks": {"ModelCheckpoint": {"best_model_path": ""}},
            "optimizer_states": [t.optimizer.state_dict()],
        },
        {"state_dict": t.model.state_dict()},
    ),
    "GAN": lambda t: (
        {
            "G": {"net": t.model.state_dict(), "o": t.optimizer.state_dict()},
            "D": {"net": t.model.state_dict()},
        },
        {"G": {"net": t.model.state_dict()}},
    ),
    "state alone": lambda t: (
        {"model": t.model.state_dict(), "adam": t.optimizer.state_dict()["state"]},
        {"model": t.model.state_dict()},
    ),
    "state by parameter": lambda t: (
        {"model": t.model, "x": dict(t.optimizer.state)},
        {"model": t.model},
    ),
    "by name": lambda t: (
        {"model": t.model.state_dict(), "kept": by_name(t)},
        {"model": t.model.state_dict()},
    ),
    "by name, beside": lambda t: (
        {**t.model.state_dict(), **dotted(by_name(t))},
        t.model.state_dict(),
    ),
    "FSDP": lambda t: (
        {"model": t.model.state_dict(), "optim": {"state": by_name(t), "param_groups": [{}]}},
        {"model": t.model.state_dict()},
    ),
    "FSDP, flat": lambda t: (
        {"model": t.model.state_dict(), "optim": dotted({"state": by_name(t)})},
        {"model": t.model.state_dict()},
    ),
    "by slot": lambda t: (
        {"model": t.model.state_dict(), "optim_state": by_slot(t)},
        {"model": t.model.state_dict()},
    ),
    "by slot, in lists": lambda t: (
        {"model": t.model.state_dict(), "optim_state": by_slot_in_lists(t)},
        {"model": t.model.state_dict()},
    ),
    "by slot, in tuples": lambda t: (
        {"model": t.model.state_dict(), "adam": tuple(by_slot_in_lists(t).values())},
        {"model": t.model.state_dict()},
    ),
    "DeepSpeed": lambda t: (
        {
            "optimizer_state_dict": {
                "zero_stage": 1,
                "base_optimizer_state": t.optimizer.state_dict()["state"],
                "single_partition_of_fp32_groups": [torch_flat(t)],
            }
        },
        {},
    ),
}
"""What is saved of a trained network, and the same without the optimizer's state."""


def torch_flat(trained):
    """All parameters in one vector of their own."""
    import torch

    return torch.cat([p.detach().reshape(-1) for p in trained.model.parameters()])


SAFETENSORS = {
    "by name, beside": lambda t: {**t.model.state_dict(), **dotted(by_name(t))},
    "by name": lambda t: dotted({"model": t.model.state_dict(), "optimizer": by_name(t)}),
    "by number": lambda t: dotted(
        {**t.model.state_dict(), "optimizer": {"state": t.optimizer.state_dict()["state"]}}
    ),
    "by slot": lambda t: dotted({"model": t.model.state_dict(), "optim_state": by_slot(t)}),
    "by slot, beside": lambda t: {**t.model.state_dict(), **dotted(by_slot(t))},
}
"""The same as one flat dictionary."""
