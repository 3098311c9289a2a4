"""Where real tests have their PyTorch module: with a marker alone, each is found and measured."""

import re

import pytest

CONFTEST = """
import pytest, torch
from torch import nn

def build():
    return nn.Linear(32, 32)

class Wrapper:
    def __init__(self):
        self.net = build()

@pytest.fixture
def pair():
    return build(), torch.zeros(1, 32)

@pytest.fixture
def trainer():
    return Wrapper()

@pytest.fixture
def factory():
    return build

@pytest.fixture
def net():
    return build()
"""
HEAD = """
import copy, functools, threading, unittest
import pytest, torch
from torch import nn
from conftest import Wrapper, build
G = build()

@functools.lru_cache
def cached():
    return build()

cached()

def helper(case=None):
    net = build()
    assert net(torch.zeros(1, 32)).shape == (1, 32)

def deco(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner

LIMIT = pytest.mark.max_model_size("10 B")
"""
SHAPES = {
    "local": ("def test_it():\n    model = build()", "model.pt"),
    "cached": ("def test_it():\n    model = cached()", "model.pt"),
    "decorated": ("@deco\ndef test_it():\n    model = build()", "model.pt"),
    "patched": ("@unittest.mock.patch('os.sep', '/')\ndef test_it():\n    model = build()", "model.pt"),
    "helper": ("def test_it():\n    helper()", "Linear.pt"),
    "thread": ("def test_it():\n    t = threading.Thread(target=helper)\n    t.start(); t.join()", "Linear.pt"),
    "copied": ("def test_it():\n    copy.deepcopy(cached()).more = nn.Linear(64, 64)", "Linear.pt"),
    "factory": ("def test_it(factory):\n    made = factory()", "made.pt"),
    "tuple": ("def test_it(pair):\n    pass", "pair[0].pt"),
    "wrapper": ("def test_it(trainer):\n    pass", "trainer.net.pt"),
    "global": ("def test_it():\n    G(torch.zeros(1, 32))", "G.pt"),
    "class": ("@pytest.mark.parametrize('cls', [nn.Linear])\ndef test_it(cls):\n    model = cls(3, 3)", "model.pt"),
    "saved": ("def test_it(tmp_path):\n    model = build()\n    torch.save(model.state_dict(), tmp_path / 'a.pt')", "a.pt"),
    "elsewhere": (
        ("def test_it(tmp_path_factory):\n    model = build()\n"
        "    torch.save({'m': model.state_dict()}, tmp_path_factory.mktemp('x') / 'b.pt')"), "b.pt",
    ),
    "deleted": (
        ("def test_it():\n    import tempfile\n    model = build()\n"
        "    with tempfile.TemporaryDirectory() as d:\n        torch.save(model.state_dict(), d + '/c.pt')"), "c.pt",
    ),
    "beside": (
        ("def test_it(net, tmp_path):\n    o = torch.optim.Adam(net.parameters())\n"
        "    net(torch.ones(1, 32)).sum().backward(); o.step()\n"
        "    torch.save([net.state_dict(), o.state_dict()], tmp_path / 'd.pt')"), "d.pt",
    ),
    "states": (
        ("def test_it(net):\n    o = torch.optim.Adam(net.parameters())\n"
        "    kept = {'net': net.state_dict(), 'how': o.state_dict()}"), "kept.pt",
    ),
    "states alone": (
        ("def test_it():\n    def make():\n        net = build(); o = torch.optim.Adam(net.parameters())\n"
        "        return {'net': net.state_dict(), 'how': o.state_dict()}\n    kept = make()"), "kept.pt",
    ),
    "loaded": (
        ("def test_it(net, tmp_path):\n    o = torch.optim.Adam(net.parameters())\n"
        "    torch.save({'net': net.state_dict(), 'how': o.state_dict()}, tmp_path / 'e.pt')\n"
        "    back = torch.load(tmp_path / 'e.pt')"), "e.pt",
    ),
    "copied weights": (
        ("def test_it(net):\n    o = torch.optim.Adam(net.parameters())\n"
        "    kept = {'net': {k: v.clone() for k, v in net.state_dict().items()}, 'how': o}"), "kept.pt net.pt",
    ),
    "saved without": (
        ("def test_it(net, tmp_path):\n    o = torch.optim.Adam(net.parameters())\n"
        "    o.state[net.weight]['exp_avg'] = torch.ones(32, 32)\n"
        "    torch.save(net.state_dict(), tmp_path / 'f.pt')\n"
        "    kept = copy.deepcopy({'net': net.state_dict(), 'how': o.state_dict()})"), "kept.pt f.pt",
    ),
    "before and after": (
        ("def test_it(net):\n    kept = {'before': copy.deepcopy(net.state_dict()), 'after': net.state_dict()}"), "net.pt",
    ),
    "whole": ("def test_it(net):\n    model = nn.Sequential(net, nn.ReLU())", "model.pt"),
    "two": ("def test_it():\n    small = nn.Linear(2, 2)\n    model = build()", "model.pt"),
}  # fmt: skip


@pytest.fixture
def run(torch, pytester, monkeypatch):
    """Run a test file in a project with these fixtures."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest(CONFTEST)

    def run(code, *options):
        pytester.makepyfile(test_it=HEAD + code)
        return pytester.runpytest("-p", "pytest_modelsize.plugin", *options)

    return run


@pytest.mark.parametrize("shape", SHAPES)
def test_a_marker_alone_finds_the_model(run, shape):
    code, name = SHAPES[shape]
    result = run(f"@LIMIT\n{code}\n")
    result.assert_outcomes(failed=1)
    headlines = [line for line in result.outlines if re.match(r"\S+ \S+ k?M?B > 10 B", line)]
    worst, *others = name.split()
    assert [line.partition(" ")[0] for line in headlines] == [worst]
    for other in others:
        result.stdout.re_match_lines([rf"    {re.escape(other.removesuffix('.pt'))}.* over "])


def test_a_budget_holds_for_each_of_several_and_one_can_be_picked(run):
    code = """
def {name}():
    small, large = nn.Linear(2, 2), nn.Linear(200, 200)
"""
    mark = '@pytest.mark.max_model_size("9 kB"{})'
    result = run(
        mark.format("")
        + code.format(name="test_each")
        + mark.format(', model="local:small"')
        + code.format(name="test_small")
        + mark.format(', model="largest"')
        + code.format(name="test_largest")
        + '@pytest.mark.max_model_growth("5%")'
        + code.format(name="test_growth"),
        "-rA",
    )
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines(
        [
            "large.pt * > 9 kB*",
            "  the budget is for each model of the test; to pick one, write its argument:",
            '*small*within*model="small"',
            "large.pt * > 9 kB*",
            (
                "budget not checked: growth is held against one artifact's baseline*small, large; "
                'name one, as in model="small"*'
            ),
        ]
    )
    result.stdout.fnmatch_lines(["PASSED test_it.py::test_small"])


def test_more_models_than_the_bound_are_not_checked(run):
    code = '@pytest.mark.max_model_size("1 MB")\ndef test_it():\n    for _ in range(3):\n        build()'
    run(code).assert_outcomes(passed=1)
    result = run(code, "-o", "modelsize_max_models=2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["budget not checked: more than 2 models could be meant*"])


def test_every_reference_is_let_go(run):
    result = run(
        """
import gc, weakref
KEPT = []

@pytest.mark.parametrize("limit", ["1 MB", "10 B"])
def test_it(limit, request):
    request.node.add_marker(pytest.mark.max_model_size(limit))

@LIMIT
def test_over():
    net = build()
    KEPT.append(weakref.ref(net))

@pytest.mark.max_model_size("1 MB")
def test_within():
    net = build()
    KEPT.append(weakref.ref(net))
    helper()

def test_gone():
    gc.collect()
    assert [reference() for reference in KEPT] == [None, None]
""",
        "-k",
        "over or within or gone",
    )
    result.assert_outcomes(passed=2, failed=1)


def test_frameworks_are_as_they_were_afterwards(run):
    result = run(
        """
BEFORE = [nn.Module.__init__, nn.Module.__setstate__, torch.save, torch.jit.save]

@pytest.mark.max_model_size("1 MB")
def test_within():
    assert nn.Module.__init__ is not BEFORE[0]
    build()

def test_afterwards():
    assert [nn.Module.__init__, nn.Module.__setstate__, torch.save, torch.jit.save] == BEFORE
"""
    )
    result.assert_outcomes(passed=2)
