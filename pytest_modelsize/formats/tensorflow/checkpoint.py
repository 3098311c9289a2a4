"""What a checkpoint's variables serve: the model, its optimizer, or the checkpoint itself."""

from __future__ import annotations

from collections import Counter

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.tensorflow.bundle import Bundle
from pytest_modelsize.formats.tensorflow.homes import Homes, shown_key
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape

__all__ = ["add_bundle"]


def add_bundle(bundle: Bundle, ledger: Ledger, under: SectionPath) -> None:
    """Give every byte of a bundle to ``ledger``, below ``under`` in each section.

    Raises:
        ArtifactError: where its object graph is broken.
    """
    homes = Homes(bundle)
    notes: dict[SectionPath, str] = {}
    slices: Counter[SectionPath] = Counter()
    for variable in bundle.variables:
        section, *names = homes.of(variable)
        home = (section, *under, *names)
        note = type_and_shape(variable.dtype, variable.shape)
        if variable.slice_of:
            slices[home] += 1
        elif home in notes and note:
            # Two keys of one name: Keras 3's export stores each variable twice, and Adafactor
            # calls rows and columns after what they are of.
            again = notes[home] == note and section == "weights"
            home = (*home[:-1], f"{home[-1]} ({shown_key(variable.key)})")
            note += ", stored again" if again else ""
        if not variable.slice_of:
            notes[home] = note
        ledger.add(home, Kind.DATA, variable.size)
        if variable.size and extents.asked_for():
            extents.note_run(bundle.shards[variable.shard], variable.offset, variable.size, home)
        ledger.add(home, Kind.STRUCTURE, variable.entry)
    for home, number in slices.items():
        notes[home] = ", ".join(filter(None, (notes.get(home), f"{number:,d} slices")))
    for home, note in notes.items():
        ledger.note(home, note)
    ledger.add(("overhead", *under, "index"), Kind.STRUCTURE, bundle.structure)
    if bundle.gaps:
        ledger.add(("overhead", *under, "gap"), Kind.SLACK, bundle.gaps)
