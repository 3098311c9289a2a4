from pathlib import PurePosixPath

import pytest

from pytest_modelsize.plugin import marker, markers
from pytest_modelsize.plugin.marker import MarkerError, parse_marker
from pytest_modelsize.sizes.measurement import SECTIONS

FORMATS = ("keras", "h5", "weights")


def parse(*args, **kwargs):
    return parse_marker(args, kwargs, FORMATS)


def test_a_limit_may_stand_first_or_by_its_keyword():
    for request in (parse("2MB"), parse(limit="2MB")):
        (limit,) = request.budget.limits
        assert (limit.section, limit.size, limit.written) == (None, 2_000_000, "2MB")
        assert request.budget.include_optimizer is True
        assert request.format is None


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_takes_a_limit_of_its_own(section):
    (limit,) = parse(**{section: "1 KiB"}).budget.limits
    assert (limit.section, limit.size, limit.family) == (section, 1024, "binary")


def test_all_other_arguments_are_kept():
    request = parse("1MB", model="net", format="h5", include_optimizer=False, reason="phones")
    assert (request.target.model, request.target.path, request.format) == ("net", None, "h5")
    assert (request.budget.include_optimizer, request.budget.reason) == (False, "phones")


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "has no limit"),
        ((), {"include_optimizer": False}, "has no limit"),
        ((None,), {"weights": None}, "has no limit"),
        ((True,), {}, "limit: True is not a size"),
        ((), {"max": "2MB"}, "has no keyword 'max': write the limit first"),
        ((), {"total": "2MB"}, "has no keyword 'total': write the limit first"),
        ((), {"max": "3 MB"}, 'write the limit first, as in @pytest.mark.max_model_size("3 MB")'),
        (("1MB",), {"optimizer": False}, "; include_optimizer=False forbids its state"),
        (("1MB",), {"path": PurePosixPath("a/b.h5")}, 'write path="a/b.h5"'),
        (("1MB",), {"path": ["*.h5"]}, "stack one marker for each artifact"),
        (("1MB",), {"dtypes": {"fp32": 0}}, "did you mean 'float32'"),
        (("2MBs",), {}, 'did you mean "2MB"'),
        (("exports/*.tflite",), {}, 'an artifact is named by path="exports/*.tflite"'),
        (("model.keras",), {}, 'an artifact is named by path="model.keras"'),
        (("-1 MB",), {}, "'-1 MB' is not a size"),
        (("1e3",), {}, "'1e3' is not a size"),
        (("1MB", "2MB"), {}, "takes one limit, not 2"),
        (("1MB",), {"limit": "2MB"}, "gives its limit twice"),
        (("1MB",), {"optimiser": 0}, "no keyword 'optimiser': did you mean 'optimizer'"),
        (("1MB",), {"include_optimiser": False}, "did you mean 'include_optimizer'"),
        (("1MB",), {"wieghts": "1MB"}, "did you mean 'weights'"),
        (("1MB",), {"zzz": 1}, "there are limit, model"),
        (("1MB",), {"weights": "x"}, "weights: 'x' is not a size"),
        (("1MB",), {"format": "karas"}, "did you mean 'keras'"),
        (("1MB",), {"format": 3}, "format= takes a non-empty text"),
        (("1MB",), {"model": object()}, "the name of a fixture"),
        (("1MB",), {"model": " "}, "model= takes a non-empty text"),
        (("1MB",), {"include_optimizer": 0}, "include_optimizer= takes True or False"),
        (("1MB",), {"reason": 5}, "reason= takes a non-empty text"),
        (("1MB",), {"model": "m", "path": "*.h5"}, "both model= and path="),
        (("1MB",), {"path": "*.h5", "format": "h5"}, "format= beside path="),
    ],
)
def test_a_mistake_has_a_sentence_of_its_own(args, kwargs, message):
    with pytest.raises(MarkerError) as caught:
        parse(*args, **kwargs)
    assert message in str(caught.value)


@pytest.mark.parametrize("line", markers._HELP)
def test_what_pytest_shows_of_a_marker_names_the_keywords_that_it_takes(line):
    name, _, rest = line.partition("(")
    shown = [part.split("=")[0].strip() for part in rest.partition("): ")[0].split(", ")]
    growth = name == "max_model_growth"
    taken = [word for word in marker._KEYWORDS if not (growth and word == "dtypes")]
    assert sorted(word for word in shown if word != "*") == sorted(taken)
