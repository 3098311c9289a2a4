"""Composite actions and workflows, run step by step as GitHub's runner does.

Only what this project's YAML uses is understood; what is not is an error. Steps that use other
actions are returned, and not run.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent


class Runner:
    """A machine that runs jobs, with the commands of this project on its path.

    Attributes:
        folder: what the machine has beside the clone.
        clone: where the steps run.
        environment: of all steps.
    """

    def __init__(self, folder: Path, clone: Path, **environment: str) -> None:
        self.folder, self.clone = folder, clone
        self.temp = folder / "temp"
        self.temp.mkdir(exist_ok=True)
        tools = folder / "bin"
        tools.mkdir(exist_ok=True)
        real = sys.executable
        commands = {
            # Nothing is downloaded: what would be installed is here.
            "pip": f'echo "pip $@" >> "{folder}/log"',
            "pytest": f'echo "pytest $@" >> "{folder}/log"; exec "{real}" -m pytest -p modelsize "$@"',
            "modelsize": f'echo "modelsize $@" >> "{folder}/log"; exec "{real}" -m pytest_modelsize "$@"',
            "python": 'if [ "$2" = pip ]; then shift 2; exec pip "$@"; fi; exit 9',
            "python3": 'mkdir -p "$3/bin"; cp "$(command -v pip)" "$(command -v modelsize)" "$3/bin"',
        }
        for name, body in commands.items():
            tool = tools / name
            tool.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
        kept = {"PATH", "HOME", "LANG", "SYSTEMROOT", "COVERAGE_PROCESS_START", "COVERAGE_FILE"}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in kept},
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(self.temp),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **environment,
        }

    def log(self) -> list[str]:
        """The commands of this project that were called."""
        log = self.folder / "log"
        return log.read_text("utf-8").splitlines() if log.exists() else []

    def shell(self, command: str, folder: Path | None = None, **more: str):
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
            cwd=folder or self.clone,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
        )

    def action(self, file: Path, token: str, context=None, **inputs: str):
        """Run a composite action; return each step's name and what it gave, None if not run here."""
        document = yaml.safe_load(file.read_text("utf-8"))
        given = {n: str(v.get("default", "")) for n, v in document["inputs"].items()}
        assert not set(inputs) - set(given), "no such input"
        known = {"github.token": token, "runner.temp": str(self.temp), **(context or {})}
        given.update(inputs)
        known.update({f"inputs.{name}": _filled(value, known) for name, value in given.items()})
        return self.steps(document["runs"]["steps"], known, GITHUB_ACTION_PATH=str(file.parent))

    def steps(self, steps, known, **environment: str):
        done, failed = [], False
        for step in steps:
            name = step.get("name") or step.get("uses") or step["run"]
            wanted = _holds(step.get("if"), known)
            if not wanted or (failed and "cancelled()" not in str(step.get("if"))):
                continue
            if "run" not in step:
                filled = {n: _filled(str(v), known) for n, v in step.get("with", {}).items()}
                done.append((name, filled))
                continue
            more = {n: _filled(str(v), known) for n, v in step.get("env", {}).items()}
            folder = self.clone / _filled(step.get("working-directory", "."), known)
            assert "${{" not in step["run"], "what others wrote would be read as code"
            result = self.shell(step["run"], folder, **environment, **more)
            failed = failed or result.returncode != 0
            done.append((name, result))
        return dict(done)


def _filled(text: str, known) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(_value(match[1], known)), text)


def _holds(condition, known) -> bool:
    if condition is None:
        return True
    text = re.sub(r"^\$\{\{ (.*) \}\}$", r"\1", str(condition))
    return all(bool(_value(part, known)) for part in text.split(" && "))


def _value(expression: str, known):
    if expression == "!cancelled()":
        return True
    if match := re.fullmatch(r"([\w.-]+) != ''", expression):
        return known[match[1]] != ""
    if match := re.fullmatch(r"([\w.-]+) == ''", expression):
        return known[match[1]] == ""
    if match := re.fullmatch(r"([\w.-]+) && format\('(.*)\{0\}', \1\)", expression):
        return match[2] + known[match[1]] if known[match[1]] else ""
    return known[expression]
