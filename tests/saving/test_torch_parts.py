"""What PyTorch's other modules hold: scripted, traced and quantized ones."""

import pytest

from pytest_modelsize.checks.roots import roots
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.formats import measure
from pytest_modelsize.saving import save
from pytest_modelsize.saving.composition import has_weights, weights_of

WAYS = {
    "script": lambda t, net: t.jit.script(net),
    "trace": lambda t, net: t.jit.trace(net, t.ones(1, 9)),
}


@pytest.fixture
def net(torch):
    return torch.nn.Sequential(torch.nn.Linear(9, 50), torch.nn.BatchNorm1d(50))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", WAYS)
def test_a_compiled_module_has_the_tensors_of_what_it_was_made_from(torch, net, way):
    net.eval()
    compiled = WAYS[way](torch, net)
    assert weights_of(compiled).keys() == weights_of(net).keys()
    assert len(weights_of(net)) == len(net.state_dict())
    subjects = [Subject("compiled", model=compiled), Subject("net", model=net)]
    assert [subject.name for subject in roots(subjects, [])] == ["compiled"]


@pytest.mark.filterwarnings("ignore")
def test_packed_weights_of_a_quantized_module_are_weights(torch, net, tmp_path):
    quantized = torch.ao.quantization.quantize_dynamic(net[:1], {torch.nn.Linear})
    assert has_weights(quantized)
    assert not has_weights(torch.nn.Sequential(torch.nn.ReLU()))
    subjects = [Subject("quantized", model=quantized), Subject("net", model=net)]
    assert roots(subjects, []) == subjects
    saved = save(quantized, tmp_path, format="torch", include_optimizer=True)
    own = tmp_path / "own" / saved.path.name
    own.parent.mkdir()
    torch.save(quantized.state_dict(), own)
    assert measure(saved.path).total == own.stat().st_size
