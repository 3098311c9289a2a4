"""An ONNX model with the files beside it that hold bytes of its tensors (docs/ExternalData.md)."""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import inside
from pytest_modelsize.formats.onnx.reader import Model
from pytest_modelsize.formats.onnx.settle import settle
from pytest_modelsize.formats.onnx.tensors import External, Tensor
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["read_onnx_file"]


def read_onnx_file(path: Path, ledger: Ledger, *, follow: bool = True) -> dict[Path, int]:
    """Give every byte of the model at ``path``, and of its external data, to ``ledger``.

    A model ships with the files that it names, so they are measured with it. These lie in its
    folder or below, and are no symbolic links: nothing is read outside.

    Args:
        path: the ``.onnx`` file.
        ledger: takes the bytes.
        follow: read what ``path`` itself points to; else a link is an error.

    Returns:
        Each file that was read, with its bytes.

    Raises:
        ArtifactError: where a file is broken, missing, or not inside the folder; or where tensors
            claim bytes that are not there, or overlap.
    """
    with open_source(path, follow=follow) as source:
        model = Model(source, ledger)
        model.read()
        settled = settle(source, model.found, ledger)
        read = {path: source.size}
        claims: dict[str, list[tuple[External, Tensor, SectionPath]]] = {}
        for tensor, home in settled:
            if tensor.external is not None:
                location = inside(source, path.parent, tensor.external.location)
                claims.setdefault(location, []).append((tensor.external, tensor, home))
    for location, claimed in sorted(claims.items()):
        file = path.parent / location
        if file == path:
            raise ArtifactError(str(path), None, "the model names itself as its external data")
        with open_source(file, follow=False) as data:
            _settle_file(data, location, claimed, ledger)
            read[file] = data.size
    if len(read) > 1:
        beside = sum(read.values()) - read[path]
        where = min(claims) if len(claims) == 1 else f"{len(claims):,d} files"
        ledger.note(("weights",), f"{beside:,d} B of the whole are beside the model, in {where}")
    return read


def _settle_file(
    data: Source,
    location: str,
    claimed: list[tuple[External, Tensor, SectionPath]],
    ledger: Ledger,
) -> None:
    """Give every byte of one external file to the tensors that claim it, or to the gaps between."""
    ordered = sorted(
        (external.offset, _end(data, external), index)
        for index, (external, _, _) in enumerate(claimed)
    )
    position, last = 0, (-1, -1)
    owner = ""
    for start, end, index in ordered:
        _, tensor, home = claimed[index]
        if not start <= end <= data.size:
            raise data.error(start, f"{tensor.name!r:.80} claims {end - start:,d} bytes from here")
        if (start, end) == last and end > start:
            ledger.note(home, f"{tensor.note}, in {location}, shared with {owner}")
            continue
        if start < position and end > start:
            raise data.error(start, f"{tensor.name!r:.80} overlaps another tensor here")
        if end == start:
            continue
        if start > position:
            ledger.add(("overhead", location, "padding"), Kind.RESERVED, start - position)
        ledger.add(home, Kind.DATA, end - start)
        extents.note(data, start, end - start, home[0])
        ledger.note(home, f"{tensor.note}, in {location}")
        position, last, owner = end, (start, end), ".".join(home[1:])
    if position < data.size:
        ledger.add(("overhead", location, "unused"), Kind.SLACK, data.size - position)


def _end(data: Source, external: External) -> int:
    return data.size if external.length is None else external.offset + external.length
