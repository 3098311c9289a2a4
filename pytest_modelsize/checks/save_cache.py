"""One save serves all that ask for the same model, saved in the same way.

That holds while nothing of the user's runs in between: the budgets of a test are checked one after
another when its body is done, and so are the saves that explain them. Where the user's code has
run, as between two calls of the ``model_size`` fixture, it holds for a model that is provably
unchanged.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_modelsize.checks.take import Settings, Taken, take
from pytest_modelsize.checks.targets import Subject
from pytest_modelsize.saving.keras.fingerprint import fingerprint

__all__ = ["SaveCache", "same_artifact"]


class SaveCache:
    """What has been saved and measured already.

    Attributes:
        folder: where saved copies go.
        guarded: what tells a changed model is remembered of each, at some cost, so that
            `after_user_code` need not forget them all.
    """

    def __init__(self, folder: Path, *, guarded: bool = False) -> None:
        self.folder, self.guarded = folder, guarded
        self._taken: dict[object, Taken] = {}
        self._artifacts: dict[object, Taken] = {}
        self._fingerprints: dict[object, str | None] = {}

    def after_user_code(self) -> None:
        """Forget what is not provably as it was: the user's code has run since it was saved."""
        for key, taken in list(self._taken.items()):
            before = self._fingerprints.get(key)
            if before is None or before != _fingerprint(taken):
                del self._taken[key]
                self._artifacts.pop(key, None)

    def take(self, subject: Subject, settings: Settings) -> Taken:
        """Measure ``subject``, saving it only where that has not been done.

        The first to ask has the copy, and those that come later have the measurement alone.

        Raises:
            SaveError: where the framework cannot save the model.
            ArtifactError: where the artifact is broken.
        """
        key = same_artifact(subject, settings)
        known = self._taken.get(key)
        if known is None:
            self._taken[key] = taken = take(subject, settings, self.folder)
            if self.guarded:
                self._fingerprints[key] = _fingerprint(taken)
            return taken
        return replace(_called(known, subject), settings=settings, copy=None)

    def artifact(self, taken: Taken) -> Taken:
        """Return ``taken`` with its artifact whole, for the user to look at: it is to be kept.

        A copy that lacks its tensors' bytes, or is another's, is saved and measured once more.

        Raises:
            SaveError: where the framework cannot save the model.
            ArtifactError: where the artifact is broken.
        """
        if taken.subject.path is not None:
            return taken
        key = same_artifact(taken.subject, taken.settings)
        known = self._artifacts.get(key)
        if known is None:
            whole = taken.copy is not None and not taken.sparse
            if not whole:
                taken.discard()
                settings = taken.settings
                taken = take(taken.subject, replace(settings, sparse=False), self.folder)
                taken = replace(taken, settings=settings)
            self._artifacts[key] = known = taken
        return _called(known, taken.subject)


def _fingerprint(taken: Taken) -> str | None:
    if taken.settings.options or taken.settings.compression:
        return None  # compressed sizes depend on values
    return fingerprint(taken.subject.model, taken.settings.format)


def same_artifact(subject: Subject, settings: Settings) -> object:
    """Return what two requests have in common when one save serves both."""
    # The model is kept alive by what was taken of it, so its identity is its own.
    options = repr(sorted(settings.options.items()))
    return (
        subject.identity,
        settings.format,
        settings.include_optimizer,
        options,
        settings.compression,
    )


def _called(taken: Taken, subject: Subject) -> Taken:
    """Return ``taken`` under the name that ``subject`` has for the same model."""
    name = taken.measurement.name
    if taken.subject.path is None:
        name = f"{subject.name}{name.removeprefix(taken.subject.name)}"
    return replace(taken, subject=subject, measurement=taken.measurement.named(name))
