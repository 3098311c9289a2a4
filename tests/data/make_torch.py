"""How the artifacts in ``torch/`` were made (PyTorch 2.13, Python 3.11).

    python tests/data/make_torch.py

One linear layer, three inputs and two outputs, is trained for one step with Adam, and saved in every
form. They are carried so that reading is tested where PyTorch is not installed.
"""

from pathlib import Path

import torch

HERE = Path(__file__).parent / "torch"


def main():
    """Write all artifacts beside this script."""
    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("head", torch.nn.Linear(3, 2))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    weights, state = model.state_dict(), optimizer.state_dict()
    tutorial = {"epoch": 1, "model_state_dict": weights, "optimizer_state_dict": state}
    torch.save(weights, HERE / "weights.pth")
    torch.save(tutorial, HERE / "tutorial.pt")
    torch.save(tutorial, HERE / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(
        {
            "epoch": 0,
            "global_step": 1,
            "pytorch-lightning_version": "2.6.6",
            "state_dict": weights,
            "loops": {},
            "callbacks": {"ModelCheckpoint": {"best_model_score": None}},
            "optimizer_states": [state],
            "lr_schedulers": [],
            "hyper_parameters": {"lr": 1e-3},
        },
        HERE / "lightning.ckpt",
    )
    torch.jit.script(model.eval()).save(str(HERE / "scripted.pt"))
    torch.export.save(torch.export.export(model, (torch.ones(1, 3),)), HERE / "exported.pt2")


if __name__ == "__main__":
    main()
