"""docs/ci.md and the files beside it: every workflow is YAML that is understood, and its commands
are run in a real clone.
"""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from pytest_modelsize.cli import main
from tests.acceptance.transcript import blocks
from tests.needs import lacks, needs

needs("yaml")

import yaml  # noqa: E402

from tests.acceptance.actions import ROOT  # noqa: E402
from tests.acceptance.project import Project, codes  # noqa: E402
from tests.cli.rest import GOOD, Server  # noqa: E402

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
OURS = "OWNER/pytest-modelsize"


def block(beginning):
    return next(lines for _, lines in blocks(PAGE) if lines and lines[0].startswith(beginning))


def workflow(name):
    """A workflow of the page; PyYAML reads the key ``on`` as true, as YAML 1.1 has it."""
    document = yaml.safe_load("\n".join(block(f"# .github/workflows/{name}.yml")))
    return {("on" if key is True else key): value for key, value in document.items()}


@pytest.fixture
def project(tmp_path):
    if shutil.which("git") is None or shutil.which("bash") is None or os.name != "posix":
        pytest.skip(lacks("git, or no bash"))
    server = Server()
    made = Project(tmp_path, server)
    (made.upstream / "requirements.txt").write_text("", encoding="utf-8")
    made.git("git add -A && git commit -qm requirements")
    yield made
    server.close()


def run_job(project, job):
    """Run the steps of a job in a clone: commands, and this project's own action."""
    done = {}
    for step in job["steps"]:
        if step.get("uses", "").startswith(OURS):
            inputs = {name: str(value) for name, value in step.get("with", {}).items()}
            done.update(project.runner.action(ROOT / "action.yml", GOOD, **inputs))
        elif "run" in step:
            done[step["run"]] = project.runner.shell(step["run"])
    return done


def test_the_workflow_of_the_page_comments(project):
    document = workflow("model-size")
    assert document["on"] == "pull_request"
    assert document["permissions"] == {"contents": "read", "pull-requests": "write"}
    project.save(108_000)
    project.check_out()
    steps = run_job(project, document["jobs"]["model-size"])
    assert codes(steps) == [0, 0, 0, 0]
    assert "grew: +8 kB" in project.comments[0]
    assert "pip install -r requirements.txt" in project.runner.log()


def test_five_lines_of_it_are_new_in_a_workflow_that_one_has():
    lines = block("# .github/workflows/model-size.yml")
    at = next(number for number, line in enumerate(lines) if OURS in line)
    ours = [*lines[at:], *(line for line in lines if "permissions" in line or "write" in line)]
    assert len(ours) <= 5


def test_the_second_workflow_runs_after_the_first_and_has_what_it_needs():
    document = workflow("model-size-comment")
    assert document["on"]["workflow_run"]["workflows"] == [workflow("model-size")["name"]]
    (step,) = document["jobs"]["comment"]["steps"]  # so nothing of a fork is checked out
    path = step["uses"].removeprefix(f"{OURS}/").partition("@")[0]
    action = yaml.safe_load((ROOT / path / "action.yml").read_text("utf-8"))
    assert document["permissions"] == {
        "actions": "read", "contents": "read", "pull-requests": "write"
    }  # fmt: skip
    assert [step["uses"] for step in action["runs"]["steps"] if "uses" in step] == [
        "actions/download-artifact@v4"
    ]


def test_every_version_of_ours_is_that_of_the_package():
    version = re.search(
        r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )[1]
    assert set(re.findall(rf"{OURS}\S*@v(\S+)", PAGE)) == {version}
    assert f"ref: v{version}" in PAGE


def test_the_reports_of_the_page_s_shards_are_joined(project):
    jobs = workflow("model-size-shards")["jobs"]
    (command,) = [step["run"] for step in jobs["tests"]["steps"] if "--num-shards" in step.get("run", "")]  # fmt: skip
    name = command.partition("--modelsize-report=")[2]
    upload = jobs["tests"]["steps"][-1]["with"]["path"]
    assert name == upload
    project.save(108_000)
    project.check_out()
    for shard in ("0", "1"):
        one = project.clone / "shards" / f"shard-{shard}"
        one.mkdir(parents=True)
        report = one / name.replace("${{ matrix.shard }}", shard)
        wanted = "" if shard == "0" else " --deselect test_net.py::test_net"
        project.runner.shell(f"pytest --modelsize-report='{report}'{wanted}")
    steps = run_job(project, jobs["model-size"])
    assert codes(steps) == [0, 0, 0]
    assert "grew: +8 kB" in project.comments[0]


def test_a_new_size_is_accepted_as_the_page_says(project):
    project.save(150_000)
    project.check_out()
    for command in block("pytest --modelsize-update"):
        done = project.runner.shell(command)
        assert done.returncode == 0, command + done.stdout + done.stderr
    assert project.runner.shell("pytest").returncode == 0


def test_unused_entries_are_pruned_as_the_page_says(project):
    project.check_out()
    (project.clone / "test_net.py").write_text("def test_other(): pass\n", encoding="utf-8")
    (command,) = block("pytest --modelsize-update=prune")
    assert "1 removed" in project.runner.shell(command).stdout


def test_gitlab_s_job_measures_exports_and_notes(project):
    include = yaml.safe_load("\n".join(block("# .gitlab-ci.yml")))["include"][0]
    job = yaml.safe_load((ROOT / include["file"]).read_text("utf-8"))["model-size"]
    project.save(150_000)
    project.check_out()
    given = {n: v for n, v in project.runner.environment.items() if not n.startswith("GITHUB_")}
    project.runner.environment = {
        **given,
        **job["variables"],
        "GITLAB_CI": "true",
        "CI_PROJECT_DIR": str(project.clone),
        "CI_API_V4_URL": project.server.url,
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": project.git("git rev-parse main"),
        "CI_JOB_URL": "https://gitlab.example/job/1",
        "MODELSIZE_GITLAB_TOKEN": GOOD,
    }
    # GitLab joins the commands of a part into one script.
    assert project.runner.shell("\n".join(job["script"])).returncode == 1
    after = project.runner.shell("\n".join(job["after_script"]))
    assert after.returncode == 0, after.stderr
    (note,) = project.server.bodies(3)
    assert "| 100 kB | 150 kB | +50 kB (+50.0 %) |" in note
    assert "https://gitlab.example/job/1" in note
    for name in (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()):
        assert (project.clone / name).stat().st_size
    metrics = (project.clone / job["artifacts"]["reports"]["metrics"]).read_text("utf-8")
    assert re.search(r'^modelsize_bytes\{.*artifact="model\.bin",section="total"\} 150000$', metrics, re.MULTILINE)  # fmt: skip
    assert GOOD not in after.stdout + after.stderr


def test_by_hand_the_comment_is_printed(project):
    project.save(108_000)
    project.check_out(depth=0)
    project.runner.shell("pytest --modelsize-report=sizes.json")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        project.runner.environment.pop(name)
    printed = project.runner.shell("modelsize comment sizes.json --base main").stdout
    assert "grew: +8 kB (+8.0 %)" in printed
    exported = json.loads(project.runner.shell("modelsize export sizes.json --as bencher").stdout)
    assert exported == {
        "test_net.py::test_net [model.bin]": {
            "file-size": {"value": 108_000},
            "assets-size": {"value": 108_000},
        }
    }
    rows = json.loads(project.runner.shell("modelsize export sizes.json --as benchmark").stdout)
    assert {(row["name"], row["unit"], row["value"]) for row in rows} == {
        ("test_net.py::test_net [model.bin] total", "B", 108_000),
        ("test_net.py::test_net [model.bin] assets", "B", 108_000),
    }


def test_the_command_without_pytest_is_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (command,) = block("modelsize check")
    (tmp_path / "model.keras").write_bytes(b"no archive")
    assert main(shlex.split(command)[1:]) == 2
    data = Path(__file__).parent.parent / "data"
    shutil.copy(next(data.glob("*.keras")), tmp_path / "model.keras")
    assert main(shlex.split(command)[1:]) in (0, 1)


@pytest.mark.parametrize("name", ["action.yml", ".github/actions/comment/action.yml"])
def test_an_action_is_yaml_and_only_calls_the_package(name):
    document = yaml.safe_load((ROOT / name).read_text("utf-8"))
    assert document["runs"]["using"] == "composite"
    for step in document["runs"]["steps"]:
        assert ("run" in step) != ("uses" in step)
        assert "${{" not in step.get("run", ""), "an input would be read as code"
        assert "run" not in step or step["shell"] == "bash"
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / name).read_text("utf-8")))
    assert used == set(document["inputs"])
