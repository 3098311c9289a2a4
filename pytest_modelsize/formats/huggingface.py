"""A folder as `save_pretrained` writes it: configuration, weights, tokenizer and the rest.

The names are those of transformers/utils/__init__.py (``CONFIG_NAME``, ``SAFE_WEIGHTS_NAME``, ...),
of diffusers, of peft and of optimum (``OV_XML_FILE_NAME``), and of the optimizer's state in
transformers/trainer.py.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from pytest_modelsize.formats import safetensors, safetensors_index
from pytest_modelsize.formats.directory import Place, place, read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "huggingface"
CONFIGS = ("config.json", "adapter_config.json")
"""One of these makes a folder with weights a model."""
_WEIGHTS = (
    ("", ".safetensors"),
    ("", safetensors_index.SUFFIX),
    ("pytorch_model", ".bin"),
    ("flax_model", ".msgpack"),
    ("openvino_model", ".xml"),
)
"""How the names of files with weights begin and end."""
_ADAPTER = "adapter_model.bin"
_CONFIGURATION = "config.json"
_NOT_CONFIGURATION = {"tokenizer_config.json"}
"""It belongs to the tokenizer, and with it to the assets."""
OPTIMIZER_FILES = frozenset({"optimizer.pt", "optimizer.bin", "optimizer.safetensors"})
"""Files that hold the optimizer's state and nothing else: OPTIMIZER_NAME of trainer.py, and what
accelerate calls the same (utils/constants.py)."""
DOCUMENTS = frozenset({"README.md", ".gitattributes", "LICENSE", "LICENSE.txt", "NOTICE"})
"""Files of the repository that no code loads."""
TOKENIZER = frozenset({
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.txt", "vocab.json", "merges.txt", "spiece.model", "tokenizer.model",
    "sentencepiece.bpe.model", "chat_template.jinja",
})  # fmt: skip
"""Files of tokenizers: transformers/tokenization_utils_base.py, and ``vocab_files_names``."""
_LARGEST_TEXT = 4 * 2**20
"""Bytes of the largest configuration that is opened up; a larger one is one entry."""


def recognises(folder: Folder) -> bool:
    """Return whether ``folder`` holds a configuration and weights under their usual names."""
    if not any(folder.has(name) for name in CONFIGS):
        return False
    return any(_is_weights(name) for name in folder.items)


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of the model, and of what lies beside it, to ``ledger``.

    The weights are entered layer by layer where one index, or one file alone, is all of them.

    Raises:
        ArtifactError: where one of them is broken or missing. The folders of the hub's cache
            consist of links, which are followed.
    """
    taken: set[Path] = set()
    for name in folder.items:
        if folder.has(name) and name.endswith("config.json") and name not in _NOT_CONFIGURATION:
            with folder.open(name) as source:
                _configuration(source, name, ledger)
            taken.add(folder.path / name)
    indexes = [name for name in folder.items if name.endswith(safetensors_index.SUFFIX)]
    single = [
        name
        for name in folder.items
        if name.endswith(".safetensors") and name not in OPTIMIZER_FILES
    ]
    if len(indexes) == 1:
        with folder.open(indexes[0]) as source:
            safetensors_index.read(source, ledger)
            taken |= {folder.path / indexes[0], *source.beside}
    elif not indexes and len(single) == 1:
        with folder.open(single[0]) as source:
            safetensors.read(source, ledger)
        taken.add(folder.path / single[0])
    read_rest(folder, ledger, taken, _place)


def _is_weights(name: str) -> bool:
    if name == _ADAPTER:
        return True
    return any(name.startswith(before) and name.endswith(after) for before, after in _WEIGHTS)


def _place(section: str, relative: PurePath) -> Place:
    where = place(section, relative)
    if relative.name in OPTIMIZER_FILES:
        where = where._replace(section="optimizer")
    if relative.name in DOCUMENTS:
        return where._replace(note="documentation, which no code loads")
    return where._replace(note="of the tokenizer") if relative.name in TOKENIZER else where


def _configuration(source: Source, name: str, ledger: Ledger) -> None:
    home = ("config",) if name == _CONFIGURATION else ("config", name)
    if source.size > _LARGEST_TEXT:
        ledger.add((*home, name), Kind.DATA, source.size)
        return
    for path, size, note in open_configuration(source.read(0, source.size)):
        ledger.add((*home, *path), Kind.DATA, size)
        if note:
            ledger.note((*home, *path), note)
