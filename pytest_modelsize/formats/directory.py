"""Any folder, file by file; and what lies beside a model in the folder of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from pathlib import Path, PurePath

from pytest_modelsize.formats import registry
from pytest_modelsize.formats.folder import Folder, Item
from pytest_modelsize.formats.registry import Format, leads
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

__all__ = ["Place", "format", "place", "read", "read_rest", "recognises"]

format = "directory"
_MOST_HELD = 64
"""Files that are held open until all those are known which may share what they name."""


class Place(NamedTuple):
    """Where the bytes of a section of a file are entered in the whole: ``section/name``."""

    section: str
    name: str
    note: str = ""


def recognises(folder: Folder) -> bool:
    """Return True: it is asked last."""
    return True


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of every file below ``folder`` to ``ledger``.

    A directory's own entry is not counted, because its size says nothing about what ships.
    A link counts what it leads to, or nothing where that counts anyway (`links`). A model inside a
    folder that is not one is read as the model that it is.

    Raises:
        ArtifactError: where a file cannot be read, is not a regular file, or breaks its format.
    """
    read_rest(folder, ledger, frozenset())


def place(section: str, relative: PurePath) -> Place:
    """Enter a file under its path, with a remark on what nobody sees."""
    hidden = any(part.startswith(".") for part in relative.parts)
    note = "hidden, and easily forgotten" if hidden else ""
    return Place(section, relative.as_posix(), note)


def read_rest(
    folder: Folder,
    ledger: Ledger,
    taken: Collection[Path],
    place: Callable[[str, PurePath], Place] = place,
) -> None:
    """Give every byte of what lies below ``folder``, but for what is ``taken``, to ``ledger``.

    Files that may name others are read before these.

    Args:
        folder: the folder.
        ledger: takes the bytes.
        taken: files whose bytes it has already.
        place: says where the bytes of a file's section are entered.

    Raises:
        ArtifactError: as `read` does.
    """
    rest = _Rest(folder, frozenset(taken))
    items = []
    holders = {parent for path in taken for parent in path.parents}
    # A folder with files of the model is part of it, and no model by itself.
    for item in folder.walk(lambda f: f.path in holders or registry.find_artifact(f) is None):
        if item.path in rest.taken:
            continue
        if item.is_link:
            home = ("assets", item.path.relative_to(folder.path).as_posix())
            ledger.add(home, Kind.DATA, 0)
            ledger.note(home, item.note)
        else:
            items.append(item)
    rest.read(item for item in items if item.is_file and leads(item.path.name))
    rest.read(item for item in items if item.path not in rest.parts)
    notes = {item.path: item.note for item in items if item.note}
    for path, part in rest.parts.items():
        relative = PurePath(path.relative_to(folder.path))
        _graft(path, relative, part, ledger, place, notes.get(path, ""))


class _Rest:
    """The parts of a folder, each in a ledger of its own until it is known who names whom."""

    def __init__(self, folder: Folder, taken: frozenset[Path]) -> None:
        self.taken = taken
        self.parts: dict[Path, Ledger] = {}
        self._folder = folder
        self._named: set[Path] = set()

    def read(self, items: Iterable[Item]) -> None:
        """Read ``items``; those of a format whose files may share others are read together."""
        held: dict[Source, Ledger] = {}
        shares: Format | None = None
        with ExitStack() as holding:
            for item in items:
                if item.path in self._named or item.path in self._folder.tree.by_link:
                    continue
                part = self.parts[item.path] = Ledger()
                if item.is_folder:
                    registry.read(self._folder.inner(item.path), part)
                    continue
                with ExitStack() as opening:
                    source = opening.enter_context(self._folder.tree.open(item.path))
                    line = registry.find_format(source)
                    if line.shares and len(held) < _MOST_HELD:
                        shares = line
                        held[source] = part
                        holding.push(opening.pop_all())
                        continue
                    registry.read(source, part, line)
                    self._enter(source)
            if shares is not None:
                shares.together.read_together(held)
            for source in held:
                self._enter(source)

    def _enter(self, source: Source) -> None:
        """Note which files ``source`` has named: they count with it, and not by themselves."""
        for other in source.beside:
            if other in self.taken or other in self._named:
                raise source.error(None, f"names {other.name!r:.80}, which another one names, too")
            self._named.add(other)
            self.parts.pop(other, None)


def _graft(
    path: Path,
    relative: PurePath,
    part: Ledger,
    ledger: Ledger,
    place: Callable[[str, PurePath], Place],
    note: str,
) -> None:
    """Enter what was found in the file or folder at ``path`` in the whole."""
    for section in part.sections():
        alone = section.name == "assets" and [c.name for c in section.children] == [path.name]
        where = place(section.name, relative)
        home = (where.section, where.name)
        ledger.graft(home, section.children[0] if alone else section)
        if said := ", ".join(filter(None, (where.note, note))):
            ledger.note(home, said)
