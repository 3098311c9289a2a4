"""What is called like optimizer state and is none."""

import warnings

import pytest

from pytest_modelsize import measure
from tests.formats.torch.false_friends import files, networks
from tests.needs import needs


def test_no_network_and_nothing_beside_it_is_taken_for_state(torch, tmp_path):
    path = tmp_path / "file.pt"
    found = {}
    for name, value in files(torch):
        if name in ("weight norm, whole", "spectral norm, whole"):
            continue  # which PyTorch does not pickle
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.save(value, path)
        found[name] = int(measure(path).optimizer)
    assert {name: size for name, size in found.items() if size} == {}
    assert len(found) > 200


@pytest.mark.parametrize("prefix", ["", "model."])
def test_no_network_in_safetensors_is_taken_for_state(torch, tmp_path, prefix):
    safetensors = needs("safetensors.torch", "pytorch")
    path = tmp_path / "file.safetensors"
    found = {}
    for name, module in networks(torch).items():
        weights = {f"{prefix}{key}": value.clone() for key, value in module.state_dict().items()}
        safetensors.save_file(weights, path)
        found[name] = int(measure(path).optimizer)
    assert {name: size for name, size in found.items() if size} == {}
    assert len(found) > 40
