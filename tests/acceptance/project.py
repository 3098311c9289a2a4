"""A project with pull requests, on a host made by hand."""

import json
import shutil

from tests.acceptance.actions import ROOT, Runner
from tests.cli.rest import GOOD

TEST = """
import pytest

@pytest.mark.max_model_size("200 kB", path="model.bin")
@pytest.mark.max_model_growth("10%", path="model.bin")
def test_net(): pass
"""

ACCEPT = "pytest --modelsize-update && git add -A && git commit -qm accept"


class Project:
    """A repository with a branch main, a request's branch, and what GitHub makes of them."""

    def __init__(self, folder, server, test=TEST, baseline=True):
        self.folder, self.server = folder, server
        self.upstream, self.clone = folder / "upstream", folder / "clone"
        self.upstream.mkdir()
        self.event, self.page = folder / "event.json", folder / "page.md"
        self.runner = Runner(
            folder,
            self.clone,
            GITHUB_ACTIONS="true",
            GITHUB_API_URL=server.url,
            GITHUB_SERVER_URL="https://github.example",
            GITHUB_REPOSITORY="me/net",
            GITHUB_RUN_ID="99",
            GITHUB_EVENT_NAME="pull_request",
            GITHUB_EVENT_PATH=str(self.event),
            GITHUB_STEP_SUMMARY=str(self.page),
            GIT_AUTHOR_NAME="a",
            GIT_AUTHOR_EMAIL="a@example.org",
            GIT_COMMITTER_NAME="a",
            GIT_COMMITTER_EMAIL="a@example.org",
        )
        (self.upstream / "test_net.py").write_text(test, encoding="utf-8")
        (self.upstream / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (self.upstream / ".gitignore").write_text("__pycache__\n.pytest_cache\n", encoding="utf-8")
        (self.upstream / "model.bin").write_bytes(bytes(100_000))
        # GitHub and GitLab let a commit be fetched by its name.
        self.git("git init -q -b main && git config uploadpack.allowAnySHA1InWant true")
        self.git(f"{ACCEPT} --allow-empty" if baseline else "git add -A && git commit -qm base")
        self.git("git switch -qc request")

    def git(self, command):
        done = self.runner.shell(command, self.upstream)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def save(self, size, name="model.bin", accept=False):
        """Commit a model of another size to the request."""
        (self.upstream / name).write_bytes(bytes(size))
        self.git(ACCEPT if accept else "git add -A && git commit -qm change")

    def check_out(self, depth=1):
        """Do as actions/checkout: the merge of the request into main, without a history."""
        self.git("git switch -q --detach main && git merge -q --no-ff -m merge request")
        self.git("git update-ref refs/pull/17/merge HEAD && git switch -q request")
        shutil.rmtree(self.clone, ignore_errors=True)
        self.clone.mkdir()
        shallow = f"--depth={depth}" if depth else ""
        done = self.runner.shell(
            f"git init -q && git remote add origin 'file://{self.upstream}' && "
            f"git fetch -q {shallow} origin refs/pull/17/merge && git checkout -q FETCH_HEAD"
        )
        assert done.returncode == 0, done.stderr
        base = {"ref": "main", "sha": self.git("git rev-parse main")}
        request = {"number": 17, "base": base, "head": {"sha": self.git("git rev-parse request")}}
        self.event.write_text(json.dumps({"pull_request": request}), encoding="utf-8")

    def run(self, token=GOOD, depth=1, **inputs):
        """Run the action on the request as it is now; return its steps."""
        self.check_out(depth)
        self.page.write_text("", encoding="utf-8")
        steps = self.runner.action(ROOT / "action.yml", token, **inputs)
        for result in steps.values():
            assert token not in str(result)
        return steps

    @property
    def comments(self):
        return self.server.bodies(17)


def codes(steps):
    return [result.returncode for result in steps.values() if not isinstance(result, dict)]
