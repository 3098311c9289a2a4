"""A folder as `save_pretrained` writes it: configuration, weights, tokenizer, and what else.

The names are those of transformers/utils/__init__.py (``CONFIG_NAME``, ``SAFE_WEIGHTS_NAME``, ...),
of diffusers and of peft, and of the optimizer's state in transformers/trainer.py.
"""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats import safetensors_index
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.safetensors import read_safetensors
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["DOCUMENTS", "OPTIMIZER_FILES", "TOKENIZER", "is_model_folder", "read_model_files"]

CONFIGS = ("config.json", "adapter_config.json")
"""One of these makes a folder with weights a model."""
_WEIGHTS = (
    "*.safetensors",
    f"*{safetensors_index.SUFFIX}",
    "pytorch_model*.bin",
    "adapter_model.bin",
)
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


def is_model_folder(folder: Path) -> bool:
    """Return whether ``folder`` holds a configuration and weights under their usual names."""
    if not any((folder / name).is_file() for name in CONFIGS):
        return False
    try:
        return any(next(folder.glob(pattern), None) is not None for pattern in _WEIGHTS)
    except OSError:
        return False


def read_model_files(folder: Path, ledger: Ledger) -> dict[Path, int]:
    """Give every byte of the model's configuration and weights to ``ledger``.

    The weights are entered layer by layer where one index, or one file alone, is all of them; the
    other files are left to the caller.

    Returns:
        Each file that was read, with its bytes.

    Raises:
        ArtifactError: where one of them is broken, missing, or a symbolic link: the folders of the
            hub's cache consist of links, and what is behind them is not in the folder.
    """
    read: dict[Path, int] = {}
    for path in sorted(folder.glob("*config.json")):
        if path.name in _NOT_CONFIGURATION or path.is_dir():
            continue
        _refuse_link(path)
        with open_source(path, follow=False) as source:
            _configuration(source, path.name, ledger)
            read[path] = source.size
    for pattern in _WEIGHTS:
        for path in folder.glob(pattern):
            _refuse_link(path)
    indexes = sorted(folder.glob(f"*{safetensors_index.SUFFIX}"))
    single = sorted(p for p in folder.glob("*.safetensors") if p.name not in OPTIMIZER_FILES)
    if len(indexes) == 1:
        _, more = safetensors_index.read_index(indexes[0], ledger, follow=False)
        read.update(more)
    elif not indexes and len(single) == 1:
        with open_source(single[0], follow=False) as source:
            read_safetensors(source, ledger)
            read[single[0]] = source.size
    return read


def _configuration(source: Source, name: str, ledger: Ledger) -> None:
    home = ("config",) if name == _CONFIGURATION else ("config", name)
    if source.size > _LARGEST_TEXT:
        ledger.add((*home, name), Kind.DATA, source.size)
        return
    for path, size, note in open_configuration(source.read(0, source.size)):
        ledger.add((*home, *path), Kind.DATA, size)
        if note:
            ledger.note((*home, *path), note)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise ArtifactError(
            str(path),
            None,
            "a symbolic link, so the model is not in this folder: copy it, or download it with "
            "local_dir=, and measure that",
        )
