"""What a module's own code does to the whole process is put back, as what it does to itself is."""

import pytest

from pytest_modelsize.saving.torch.untouched import for_inference


def modes(torch):
    """Settings of the process, by their own getters."""
    return {
        "gradients": torch.is_grad_enabled(),
        "type": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "threads": torch.get_num_threads(),
        "anomalies": torch.is_anomaly_enabled(),
        "benchmark": torch.backends.cudnn.benchmark,
        "random": torch.get_rng_state().tolist(),
    }


def disturb(torch):
    torch.set_grad_enabled(not torch.is_grad_enabled())
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_float32_matmul_precision("medium")
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.autograd.set_detect_anomaly(True)
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(7)


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("where", ["eval", "forward"])
def test_settings_of_the_process_are_put_back(torch, where, copied):
    class Reckless(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Linear(2, 2)
            self.body.eval()  # a frozen part, in a module that trains
            self.lock = None if copied else (i for i in ())

        def eval(self):
            if where == "eval":
                disturb(torch)
            return super().eval()

    module = Reckless()
    before = modes(torch)
    with for_inference(torch, module) as subject:
        assert (subject is module) is not copied
        if where == "forward":
            disturb(torch)
        changed = modes(torch)
        assert all(changed[name] != before[name] for name in before)
    assert modes(torch) == before
    assert [module.training, module.body.training] == [True, False]


def test_they_are_put_back_where_an_export_breaks_off_too(torch):
    module, before = torch.nn.Linear(2, 2), modes(torch)

    def export():
        with for_inference(torch, module):
            disturb(torch)
            raise KeyError("no operator")

    with pytest.raises(KeyError):
        export()
    assert modes(torch) == before
