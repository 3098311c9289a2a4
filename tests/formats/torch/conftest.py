"""Files as PyTorch writes them, once for all tests."""

import pytest


@pytest.fixture(scope="session")
def saved(torch, tmp_path_factory):
    """A folder of files, and the model and the optimizer that are in them."""
    folder = tmp_path_factory.mktemp("torch")
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.ModuleDict(
        {
            "first": nn.Linear(5, 6),
            "norm": nn.BatchNorm1d(6),
            "words": nn.Embedding(7, 6),
            "last": nn.Linear(6, 7, bias=False),
        }
    )
    model["last"].weight = model["words"].weight
    optimizer = torch.optim.Adam(model.parameters())
    model["last"](model["norm"](model["first"](torch.randn(4, 5)))).sum().backward()
    optimizer.step()
    weights, state = model.state_dict(), optimizer.state_dict()
    tutorial = {"model_state_dict": weights, "optimizer_state_dict": state, "epoch": 3}
    torch.save(weights, folder / "weights.pt")
    torch.save(weights, folder / "protocol_4.pt", pickle_protocol=4)
    torch.save(weights, folder / "protocol_5.pt", pickle_protocol=5)
    torch.save(state, folder / "optimizer.pt")
    torch.save(tutorial, folder / "tutorial.pt")
    torch.save(model, folder / "module.pt")
    torch.save({"model": model, "optimizer": optimizer}, folder / "objects.pt")
    old = {"_use_new_zipfile_serialization": False}
    torch.save(weights, folder / "weights_legacy.pth", **old)
    torch.save(tutorial, folder / "tutorial_legacy.pth", **old)
    torch.save(model, folder / "module_legacy.pth", **old)
    lightning = {
        "epoch": 0,
        "global_step": 1,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": weights,
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
        "optimizer_states": [state],
        "lr_schedulers": [{"last_epoch": 1}],
        "hyper_parameters": {"lr": 1e-3},
    }
    torch.save(lightning, folder / "lightning.ckpt")
    return folder, model, optimizer
