"""What the folder of a model on the Hugging Face hub holds."""

import json

CONFIG = {"architectures": ["BertModel"], "hidden_size": 32, "label2id": {"a": 0, "b": 1}}

FILES = {
    "config.json": json.dumps(CONFIG, indent=2),
    "generation_config.json": json.dumps({"max_length": 20}),
    "tokenizer_config.json": json.dumps({"model_max_length": 512}),
    "tokenizer.json": json.dumps({"model": {"vocab": {"a": 0}}}),
    "vocab.txt": "[PAD]\n[UNK]\n",
    "special_tokens_map.json": "{}",
    "README.md": "# A model\n",
    ".gitattributes": "*.safetensors filter=lfs\n",
}
