"""Which artifacts does a test mean? Found by the rules below, never guessed at.

In this order: the name in ``model=``; the glob in ``path=``; what the test handed to the
``model_size`` fixture; and else all that the test has or made: its fixtures and parameters, its
instance's attributes, the locals of its body, the globals that the body uses, what it saved, what
lies in its ``tmp_path``, and models that were made and are held by no name. Of these the parts of
others are left out, and the budget is for each that remains: whichever was meant, it holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from pytest_modelsize.checks.artifact_search import artifacts_below, path_inside
from pytest_modelsize.checks.description import described, listed
from pytest_modelsize.checks.holdings import held_in
from pytest_modelsize.checks.model_expression import LARGEST, made_by_class, value_of
from pytest_modelsize.checks.path_spelling import meant_path, near_path
from pytest_modelsize.checks.roots import roots
from pytest_modelsize.checks.saved_artifacts import saved_subjects, without_copies
from pytest_modelsize.checks.subject import (
    NoModelError,
    Subject,
    Target,
    TargetError,
    as_path,
    as_subject,
)
from pytest_modelsize.checks.surroundings import Body, Surroundings
from pytest_modelsize.formats import ArtifactError, recognise
from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.advice import advice
from pytest_modelsize.saving.composition import has_numbers, has_weights, is_half_made
from pytest_modelsize.saving.training_state import holds_arrays

__all__ = [
    "find_subjects",
    "means_largest",
]

_SAVED_AS: Mapping[str, tuple[str, ...]] = {"h5": ("hdf5",), "weights": ("hdf5", "weights")}
"""As which formats the files of a marker's ``format=`` are recognised, where the names differ."""


def find_subjects(target: Target, around: Surroundings) -> tuple[Subject, ...]:
    """Return the artifacts that ``target`` means in these surroundings: the budget is for each.

    For ``model="largest"`` that is all of them, of which the caller measures the largest.

    Raises:
        NoModelError: where the test has no model at all.
        TargetError: where what the marker names is not there, or there is more than the bound, or
            where a reader of another package fails at its look.
    """
    try:
        if target.model is not None and not means_largest(target.model, around):
            return (_by_name(target.model, around),)
        if target.path is not None:
            return (_by_path(target.path, around),)
        return _by_rules(around, target.format)
    except ArtifactError as error:
        raise TargetError(str(error)) from error


def means_largest(name: str | None, around: Surroundings) -> bool:
    """Return whether ``model="largest"`` is not a name of the test's own."""
    return name == LARGEST and name not in around.fixtures and name not in around.body.locals


def _by_name(expression: str, around: Surroundings) -> Subject:
    value = value_of(expression, around)
    argument = f"model={expression!r}"
    path = as_path(value)
    if path is not None and path == around.tmp_path:
        return Subject(path_inside(path, path), path=path, argument=argument)
    subject = as_subject(value, expression.rpartition(":")[2])
    if subject is not None:
        return subject
    if path is not None and path.exists():
        return Subject(path.name, path=path, argument=argument)
    if path is not None:
        raise TargetError(f"{argument} is the path {path}, and nothing is there")
    inside = [found.name for found in held_in(value, expression)]
    if inside:
        raise TargetError(f"{argument} is {described(value)}: write model={inside[0]!r}")
    call = advice(value)
    raise TargetError(
        f"{argument} is {described(value)}, which is neither a model that can be "
        f"saved nor a path to an artifact{f': {call}' if call else ''}"
    )


def _by_path(pattern: str, around: Surroundings) -> Subject:
    tried = []
    for base in (around.tmp_path, around.rootdir):
        if base is None:
            continue
        tried.append(str(base))
        found = sorted(_matches(base, pattern))
        if len(found) > 1:
            listing = listed([path_inside(path, base) for path in found])
            raise TargetError(
                f"path={pattern!r} matches {len(found)} artifacts in {base}: {listing}; "
                "name one of them, and stack one marker for each"
            )
        if found:
            return Subject(path_inside(found[0], base), path=found[0], argument=f"path={pattern!r}")
    bases = [base for base in (around.tmp_path, around.rootdir) if base is not None]
    meant = meant_path(pattern, lambda path: any(any(_matches(base, path)) for base in bases))
    meant = meant or next(filter(None, (near_path(pattern, base) for base in bases)), "")
    instead = f'; did you mean path="{meant}"?' if meant else _instead(around)
    raise TargetError(f"path={pattern!r} matches nothing in {' nor in '.join(tried)}{instead}")


def _instead(around: Surroundings) -> str:
    """Return the ``path=`` that would be right, where something lies in the test's folder."""
    if around.tmp_path is None:
        return ""
    there = [subject.argument for subject in artifacts_below(around.tmp_path)]
    return f"; there is {listed(there)}" if there else ""


def _matches(base: Path, pattern: str) -> Iterator[Path]:
    if Path(pattern).is_absolute():
        if Path(pattern).exists() or Path(pattern).is_symlink():
            yield Path(pattern)
        return
    if (base / pattern).exists() or recognise(base / pattern) is not None:
        yield base / pattern
        return
    try:
        yield from base.glob(pattern)
    except (ValueError, NotImplementedError) as error:
        raise TargetError(f"path={pattern!r} is not a glob pattern: {error}") from error


def _by_rules(around: Surroundings, format: str | None) -> tuple[Subject, ...]:
    handed = _distinct(around.handed)
    if handed:
        return tuple(handed)
    body = around.body
    if body.unseen:
        raise TargetError(_unseen(body.unseen))
    candidates, saved = [s for s in _distinct(_candidates(around)) if _could_ship(s)], body.saved
    candidates = without_copies(candidates, saved)
    if format is not None and any(subject.path is None for subject in candidates):
        # It is how a live model is saved: what the test has saved in other ways is not meant.
        recognised = _SAVED_AS.get(format, (format,))
        candidates = [s for s in candidates if s.path is None or recognise(s.path) in recognised]
        saved = ()
    found = roots(candidates, saved)
    if body.lost or len(found) > body.bound:
        raise TargetError(_too_many(found, body))
    if not found:
        unbuilt = [m for m in body.made if framework_of(m) in ("keras", "tf_keras")]
        if unbuilt:
            raise TargetError(
                f"the test made a {type(unbuilt[0]).__name__} that is not built and has no weights "
                "yet: call it on data, or build() it, before the test ends"
            )
        raise NoModelError(_none(around))
    return tuple(found)


def _candidates(around: Surroundings) -> Iterator[Subject]:
    """Yield all that the test has or made, the best known first."""
    body, known, looked_at = around.body, set(), set()
    for names in (around.fixtures, around.attributes(), body.locals, body.globals):
        for name, value in names.items():
            if name.startswith("@") or value is around.instance or around.is_tool(name, value):
                continue
            hidden = "local:" if names is body.locals and name in known else ""
            known.add(name)
            if id(value) in looked_at:
                continue  # an argument of the body is a fixture, too
            looked_at.add(id(value))
            for subject in held_in(value, name):
                yield _under(subject, hidden) if hidden else subject
    for name, value in body.earlier:
        yield from (Subject(s.name, s.model, s.path) for s in held_in(value, name))
    yield from saved_subjects(body.saved, around.tmp_path)
    if around.tmp_path is not None:
        yield from artifacts_below(around.tmp_path)
    yield from _made(body)


def _could_ship(subject: Subject) -> bool:
    """Return whether it is more than a tf.Module that has nothing to learn, as tokenizers are."""
    return subject.path is not None or has_numbers(subject.model)


def _under(subject: Subject, scope: str) -> Subject:
    argument = subject.argument.replace('"', f'"{scope}', 1)
    return Subject(name=subject.name, model=subject.model, path=subject.path, argument=argument)


def _made(body: Body) -> Iterator[Subject]:
    for name, models in made_by_class(body.made).items():
        for index, model in enumerate(models):  # type: ignore[arg-type, var-annotated]
            # Without weights it may be one that was never finished; nothing of it would ship.
            if not has_weights(model) or is_half_made(model):
                continue
            shown = f"{name}[{index}]" if index else name
            yield Subject(shown, model=model, argument=f'model="made:{shown}"')


def _distinct(subjects: Iterable[Subject]) -> list[Subject]:
    unique: dict[object, Subject] = {}
    for subject in subjects:
        unique.setdefault(subject.identity, subject)
    return list(unique.values())


def _too_many(found: Sequence[Subject], body: Body) -> str:
    pick = next((subject.argument for subject in reversed(found) if subject.argument), "")
    count = f"more than {body.bound}" if body.lost else str(len(found))
    named = f"name one, as in {pick}, or raise the bound" if pick else "raise the bound"
    return (
        f"{count} models could be meant, and at most {body.bound} are looked at "
        f"(ini option modelsize_max_models): {named}"
    )


def _unseen(kinds: Sequence[str]) -> str:
    return (
        f"the test saved a model to {listed(sorted(set(kinds)))}, and what was written there "
        "cannot be read again: save it to a file or to an io.BytesIO, or name what is meant with "
        "model= or path="
    )


def _none(around: Surroundings) -> str:
    theirs = {name: value for name, value in around.fixtures.items() if name not in around.own}
    where = "its fixtures"
    if theirs:
        were = listed([f"{name}: {described(value)}" for name, value in theirs.items()])
        where += f" ({were})"
    if around.instance is not None:
        where += ", its instance's attributes"
    arrays = [
        f"{name}: {described(value)}"
        for name, value in around.body.locals.items()
        if name.isidentifier() and name not in around.fixtures and holds_arrays(value)
    ]
    data = (
        f"; arrays alone ({listed(arrays)}) are data: write them to a file, if they ship"
        if arrays
        else ""
    )
    files = list(islice(_unrecognised(around.tmp_path), 8))
    lying = f"; in its tmp_path, of no format known here, lie {', '.join(files)}" if files else ""
    return (
        f"no model and no artifact found in {where}, the locals of its body, what it made, or "
        f"what it saved{data}{lying}; write "
        'model="fixture.attribute" or path="exports/*.keras", or hand the '
        "model to the model_size fixture"
    )


def _unrecognised(folder: Path | None) -> Iterator[str]:
    """Yield how the files are named on a marker that lie in the test's folder."""
    for here, _, names in os.walk(folder) if folder is not None else ():
        for name in sorted(names):
            yield f'path="{path_inside(Path(here, name), folder or Path())}"'
