"""What the site needs beside the documents: the README as its front page, and links out of them."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent


def on_files(files, config):
    """Make the front page of the README, whose links begin at the repository's root."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Lead links to what is not a document to the repository, or nowhere where none is known."""

    def outside(link):
        text, target = link.groups()
        if not (ROOT / target).exists():
            return link[0]  # which is then reported
        return f"[{text}]({config.repo_url}/blob/main/{target})" if config.repo_url else text

    return re.sub(r"\[([^\]]+)\]\(\.\./([^)#]+)\)", outside, markdown)
