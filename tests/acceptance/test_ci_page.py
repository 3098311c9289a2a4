"""The workflows of docs/ci.md: every command in them is run, and does what the page says."""

import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.acceptance.transcript import blocks
from tests.needs import lacks

PAGE = (Path(__file__).parent.parent.parent / "docs" / "ci.md").read_text(encoding="utf-8")
TEST = """
import pytest

@pytest.mark.max_model_size("2 kB", path="model.bin")
@pytest.mark.max_model_growth("10%", path="model.bin")
def test_net(): pass
"""


def block(beginning):
    return next(lines for _, lines in blocks(PAGE) if lines and lines[0].startswith(beginning))


def steps(lines):
    """The commands of a workflow, in order: of ``run:`` in GitHub's, of ``script:`` in GitLab's."""
    text = "\n".join(lines)
    if "\n  script:\n" in text:
        script = text.partition("\n  script:\n")[2].partition("\n  artifacts:")[0]
        return [line.strip()[2:] for line in script.splitlines()]
    found = []
    for match in re.finditer(
        r"^( +)(?:- )?run: (.*)\n((?:\1 {2,}.*\n?)*)", text + "\n", re.MULTILINE
    ):
        found.append(textwrap.dedent(match[3]).strip() if match[2] == "|" else match[2])
    return found


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A clone whose base branch has a baseline, with the project's commands on its path."""
    if shutil.which("git") is None or os.name != "posix":
        pytest.skip(lacks("git, or no POSIX shell"))
    upstream, clone, tools = tmp_path / "upstream", tmp_path / "clone", tmp_path / "bin"
    upstream.mkdir()
    tools.mkdir()
    for name, body in {
        # Nothing is downloaded: what would be installed is here.
        "pip": 'echo "$@" >> "$LOG/pip"',
        "gh": 'echo "$@" >> "$LOG/gh"; cp "$5" "$LOG/comment.md"',
        "pytest": f'exec "{sys.executable}" -m pytest -p modelsize "$@"',
        "modelsize": f'exec "{sys.executable}" -m pytest_modelsize "$@"',
    }.items():
        tool = tools / name
        tool.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(Path(__file__).parent.parent.parent),
        "LOG": str(tmp_path),
        "GITHUB_BASE_REF": "main",
        "PULL_REQUEST": "17",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }

    def shell(command, folder=clone):
        return subprocess.run(
            ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True
        )

    (upstream / "test_net.py").write_text(TEST, encoding="utf-8")
    (upstream / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (upstream / "requirements.txt").write_text("", encoding="utf-8")
    (upstream / "model.bin").write_bytes(bytes(1000))
    for command in (
        "git init -q -b main",
        "pytest --modelsize-update",
        "git add -A && git commit -qm base",
        f"git clone -q . {clone} && cd {clone} && git switch -qc wider",
    ):
        done = shell(command, upstream)
        assert done.returncode == 0, done.stdout + done.stderr
    shell.clone, shell.log = clone, tmp_path
    return shell


def test_github_s_workflow_fails_on_growth_and_comments_with_the_diff(repository):
    commands = steps(block("# .github/workflows"))
    assert [command.split()[0] for command in commands] == ["pip", "pytest", "git", "gh"]
    (repository.clone / "model.bin").write_bytes(bytes(1500))
    codes = [repository(command).returncode for command in commands]
    assert codes == [0, 1, 0, 0]
    comment = (repository.log / "comment.md").read_text("utf-8")
    assert comment.startswith("<!-- pytest-modelsize -->\n### Model sizes: 1 changed")
    assert "1 kB -&#62; 1.5 kB, +500 B (+50.0 %)" in comment
    assert "1 of 1 over budget" in comment
    assert (repository.log / "gh").read_text("utf-8").split()[:3] == ["pr", "comment", "17"]
    installed = (repository.log / "pip").read_text("utf-8").split()[-1]
    assert installed.startswith("./wheels/pytest_modelsize-")
    assert "1 of 1 over budget" in (repository.log / "summary.md").read_text("utf-8")


def test_a_new_size_is_accepted_as_the_page_says(repository):
    (repository.clone / "model.bin").write_bytes(bytes(1500))
    for command in block("pytest --modelsize-update"):
        if command:
            done = repository(command)
            assert done.returncode == 0, command + done.stdout + done.stderr
    commands = steps(block("# .github/workflows"))
    assert [repository(command).returncode for command in commands] == [0, 0, 0, 0]
    comment = (repository.log / "comment.md").read_text("utf-8")
    assert "+500 B (+50.0 %)" in comment  # still shown against the base branch
    assert "all within budget" in comment


def test_gitlab_s_job_runs(repository):
    for command in steps(block("# .gitlab-ci.yml")):
        done = repository(command)
        assert done.returncode == 0, command + done.stdout + done.stderr
    assert "0 changed, of 1" in done.stdout
    assert "modelsize:model.bin:total" in (repository.clone / "junit.xml").read_text("utf-8")


def test_unused_entries_are_pruned_as_the_page_says(repository):
    (repository.clone / "test_net.py").write_text("def test_other(): pass\n", encoding="utf-8")
    (command,) = block("pytest --modelsize-update=prune")
    assert "1 removed" in repository(command).stdout


def test_the_command_without_pytest_is_understood(repository, tmp_path):
    (command,) = block("modelsize check")
    (repository.clone / "model.keras").write_bytes(b"no archive")
    assert repository(command).returncode == 2
    shutil.copy(
        next((Path(__file__).parent.parent / "data").glob("*.keras")),
        repository.clone / "model.keras",
    )
    assert repository(command).returncode in (0, 1)
