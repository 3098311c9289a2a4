"""One save serves all the checks that ask for the same model, saved in the same way.

A cache lives for one round of checks, during which no code of the test's runs: the budgets of a
test are held one after another when its body is done, together with the saves that explain them.
Once the test's own code has run, the model may be another one, and a new cache is made.
"""

from __future__ import annotations

from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings, Taken, take
from pytest_modelsize.sizes.records import replace

__all__ = ["SaveCache", "same_artifact"]


class SaveCache:
    """What this round of checks has saved and measured already.

    Args:
        folders: where saved copies go.

    Attributes:
        folder: in which these are.
    """

    def __init__(self, folders: CopyFolders) -> None:
        self.folder = folders.base
        self._folders = folders
        self._taken: dict[object, Taken] = {}
        self._whole: dict[object, Taken] = {}

    def get(self, subject: Subject, settings: Settings) -> Taken:
        """Return the measurement of ``subject``, saving the model only if that is not done yet.

        The first caller gets the copy; later ones get the measurement alone.

        Raises:
            SaveError: if the framework cannot save the model.
            ArtifactError: if the artifact is broken.
        """
        key = same_artifact(subject, settings)
        known = self._taken.get(key)
        if known is None:
            self._taken[key] = taken = take(subject, settings, self._folders)
            return taken
        return replace(_renamed(known, subject), settings=settings, copy=None)

    def whole(self, taken: Taken) -> Taken:
        """Return ``taken`` with a whole artifact that a user can look at.

        An artifact that existed is returned as it is. A copy without its tensors' bytes, or one
        that an earlier caller got, is saved and measured once more.

        Raises:
            SaveError: if the framework cannot save the model.
            ArtifactError: if the artifact is broken.
        """
        if taken.subject.path is not None:
            return taken
        key = same_artifact(taken.subject, taken.settings)
        known = self._whole.get(key)
        if known is None:
            if taken.copy is None or taken.sparse:
                taken.discard()
                settings = taken.settings
                taken = take(taken.subject, replace(settings, sparse=False), self._folders)
                taken = replace(taken, settings=settings)
            self._whole[key] = known = taken
        return _renamed(known, taken.subject)


def same_artifact(subject: Subject, settings: Settings) -> object:
    """Return a key that is equal for two requests if one save serves both."""
    # The model is kept alive by what was taken of it, so its identity is its own.
    return (
        subject.identity,
        settings.format,
        settings.include_optimizer,
        repr(sorted(settings.options.items())),
        settings.compression,
    )


def _renamed(taken: Taken, subject: Subject) -> Taken:
    """Return ``taken`` under the name that ``subject`` has for the same model."""
    name = taken.measurement.name
    if taken.subject.path is None:
        name = f"{subject.name}{name.removeprefix(taken.subject.name)}"
    return replace(taken, subject=subject, measurement=taken.measurement.named(name))
