"""Pull requests in all their situations: real clones of real repositories, and an API that answers
as GitHub's does. The steps are those of action.yml and .github/actions/comment/action.yml.
"""

import json
import os
import shutil

import pytest

from tests.needs import lacks, needs

needs("yaml")

from tests.acceptance.actions import ROOT, Runner  # noqa: E402
from tests.acceptance.project import TEST, Project, codes  # noqa: E402
from tests.cli.rest import GOOD, READ_ONLY  # noqa: E402

MARK = "<!-- pytest-modelsize -->"


@pytest.fixture
def project(tmp_path, server):
    if shutil.which("git") is None or shutil.which("bash") is None or os.name != "posix":
        pytest.skip(lacks("git, or no bash"))
    return Project(tmp_path, server)


# A change that its limits allow, and one that they do not.


def test_a_change_is_told_in_one_comment_that_is_kept_true(project):
    project.save(108_000)
    assert codes(project.run()) == [0, 0, 0]
    (first,) = project.comments
    assert first.startswith(
        f"{MARK}\n### ✅ Model sizes: <code>model.bin</code> grew: +8 kB (+8.0 %)\n"
    )
    assert (
        "| ✅ | <code>model.bin</code> | 100 kB | 108 kB | +8 kB (+8.0 %) | 54 % of 200 kB |"
        in first
    )
    project.save(150_000)
    assert codes(project.run()) == [0, 1, 0]
    (second,) = project.comments
    assert "### ❌ Model sizes: model.bin grew 50 kB (+50.0 %) " in second
    assert "| ❌ | <code>model.bin</code> | 100 kB | 150 kB | +50 kB (+50.0 %) |" in second
    assert second.count("### ") == 1
    assert "[The job's page](https://github.example/me/net/actions/runs/99)" in second


def test_the_job_s_page_names_every_artifact_once(project):
    project.save(108_000)
    project.run()
    page = project.page.read_text("utf-8")
    assert page.count("### ") == 1
    assert page.count("| ✅ | <code>model.bin</code> |") == 1


def test_growth_that_the_request_accepts_itself_is_shown_and_passes(project):
    project.save(150_000, accept=True)
    assert codes(project.run()) == [0, 0, 0]
    (comment,) = project.comments
    assert "✅ Model sizes: <code>model.bin</code> grew: +50 kB (+50.0 %), accepted" in comment
    assert "| 100 kB | 150 kB | +50 kB (+50.0 %), accepted |" in comment


# The first request: its base has no baseline.

SIZE_ALONE = "\n".join(line for line in TEST.splitlines() if "growth" not in line)


def test_the_first_request_is_green_and_says_how_to_begin(tmp_path, server):
    project = Project(tmp_path, server, SIZE_ALONE, baseline=False)
    project.save(108_000)
    assert codes(project.run()) == [0, 0, 0]
    (comment,) = project.comments
    assert "✅ Model sizes: no baseline yet" in comment
    assert "There is no <code>modelsize-baseline.json</code> on <code>main</code> yet" in comment
    assert "```sh\npytest --modelsize-update\ngit add modelsize-baseline.json\n```" in comment
    assert "Compared with" not in comment


def test_a_request_that_adds_the_first_baseline_is_green(tmp_path, server):
    project = Project(tmp_path, server, SIZE_ALONE, baseline=False)
    (project.upstream / "test_net.py").write_text(TEST, encoding="utf-8")
    project.save(108_000, accept=True)
    assert codes(project.run()) == [0, 0, 0]
    assert "this request adds the first one" in project.comments[0]


# A request from a fork: its token may write nothing.


def reported(project, owner="eve", branch="request"):
    """Let the run of a fork be over: the workflow on workflow_run knows whence it came."""
    head = project.git("git rev-parse request")
    event = {
        "workflow_run": {
            "id": 99,
            "head_sha": head,
            "head_branch": branch,
            "head_repository": {"owner": {"login": owner}},
            "pull_requests": [],
        },
        "pull_request": {"number": 66},
    }
    project.event.write_text(json.dumps(event), encoding="utf-8")
    base = project.git("git rev-parse main")
    project.server.pulls = [
        {
            "number": 17,
            "head": {"sha": head, "ref": branch, "repo": {"owner": {"login": owner}}},
            "base": {"ref": "main", "sha": base},
        }
    ]
    content = project.git("git show main:modelsize-baseline.json").encode()
    project.server.files["modelsize-baseline.json", base] = content


def answer(project, report, **inputs):
    """Run the second workflow on a machine that has nothing of the fork but its report."""
    folder = project.folder / "second"
    (folder / "temp" / "modelsize" / "modelsize-report").mkdir(parents=True, exist_ok=True)
    (folder / "empty").mkdir(exist_ok=True)
    given = {n: v for n, v in project.runner.environment.items() if n.startswith("GITHUB_")}
    given["GITHUB_EVENT_NAME"] = "workflow_run"
    runner = Runner(folder, folder / "empty", **given)
    (runner.temp / "modelsize" / "modelsize-report" / "report.json").write_bytes(report)
    context = {"github.event.workflow_run.id": "99"}
    steps = runner.action(
        ROOT / ".github" / "actions" / "comment" / "action.yml", GOOD, context, **inputs
    )
    assert all(not line.startswith("pytest") for line in runner.log())
    assert list((folder / "empty").iterdir()) == []
    return steps


def test_a_fork_has_its_job_s_page_and_a_second_workflow_comments(project):
    project.save(150_000)
    steps = project.run(READ_ONLY)
    assert codes(steps) == [0, 1, 0]  # its budget fails it, and nothing else
    told = steps["compare with the base branch"].stdout
    assert told.startswith("::notice title=modelsize::modelsize: no comment: this job's token may")
    assert project.comments == []
    assert "+50 kB (+50.0 %)" in project.page.read_text("utf-8")
    kept = steps["keep the report for the workflow that comments on requests from forks"]
    assert kept["name"] == "modelsize-report"
    with open(kept["path"], "rb") as file:
        report = file.read()
    reported(project)
    steps = answer(project, report)
    assert codes(steps) == [0, 0]
    (comment,) = project.comments
    assert "| ❌ | <code>model.bin</code> | 100 kB | 150 kB | +50 kB (+50.0 %) |" in comment
    assert steps["get the report"]["run-id"] == "99"


def test_a_fork_that_was_pushed_to_meanwhile_has_no_comment_of_an_old_run(project):
    project.save(150_000)
    project.run(READ_ONLY)
    report = (project.runner.temp / "modelsize" / "report.json").read_bytes()
    reported(project)
    project.server.pulls[0]["head"]["sha"] = "f" * 40
    steps = answer(project, report)
    assert "is no longer the head of a pull request" in steps["comment"].stdout
    assert project.comments == []


@pytest.mark.parametrize(
    "report",
    [b"", b"{}", b"[" * 10_000, b'{"schema": 1, "artifacts": [{}]}', b"\xff\xfe", b'{"a":' * 9000],
)
def test_a_fork_s_report_that_is_none_is_refused(project, report):
    reported(project)
    steps = answer(project, report)
    assert codes(steps) == [0, 2]
    assert steps["comment"].stderr.count("\n") == 1
    assert project.comments == []


def test_a_fork_s_report_of_any_length_is_read_up_to_a_bound(project):
    reported(project)
    steps = answer(project, b'{"schema": 1, "artifacts": [' + b" " * 2**25 + b"]}")
    assert codes(steps) == [0, 2]
    assert "is larger than 33,554,432 bytes" in steps["comment"].stderr


def test_a_fork_s_report_says_neither_where_to_comment_nor_how_it_looks(project):
    project.save(150_000)
    project.run(READ_ONLY)
    report = json.loads((project.runner.temp / "modelsize" / "report.json").read_bytes())
    evil = f"@maintainers </details><img src=x> [x](http://evil.example) #1 `\n{MARK}\n/close"
    report.update(number=66, pull_request={"number": 66}, repository="evil/net")
    for result in report["artifacts"]:
        result.update(test=evil, headline=evil, artifact=evil, detail=f"```\n{evil}", file=evil)
    reported(project)
    steps = answer(project, json.dumps(report).encode())
    assert codes(steps) == [0, 0]
    assert list(project.server.comments) == [17]
    (comment,) = project.comments
    assert comment.count("<details>") == comment.count("</details>") - comment.count(
        "maintainers </details>"
    )
    assert "<img" not in comment.split("```")[0]


def test_a_run_that_left_no_report_is_no_failure_of_the_second_workflow(project):
    reported(project)
    folder = project.folder / "second" / "temp" / "modelsize" / "modelsize-report"
    answer(project, b"")
    (folder / "report.json").unlink()
    given = {n: v for n, v in project.runner.environment.items() if n.startswith("GITHUB_")}
    given["GITHUB_EVENT_NAME"] = "workflow_run"
    runner = Runner(project.folder / "second", project.folder / "second" / "empty", **given)
    context = {"github.event.workflow_run.id": "99"}
    steps = runner.action(ROOT / ".github" / "actions" / "comment" / "action.yml", GOOD, context)
    assert codes(steps) == [0, 0]
    assert "has left no report" in steps["comment"].stdout


# Comments of others.


def test_another_bot_s_comment_stays_though_it_is_the_last_one(project):
    project.save(108_000)
    project.run()
    project.server.say(17, "<!-- coverage -->\n### Coverage: 93 %")
    project.save(109_000)
    project.run()
    ours, other = project.comments
    assert "+9 kB (+9.0 %)" in ours
    assert other == "<!-- coverage -->\n### Coverage: 93 %"


# Nothing changed.


def test_where_nothing_changed_there_is_no_comment_and_an_old_one_says_so(project):
    project.save(100_000, name="README")
    assert codes(project.run()) == [0, 0, 0]
    assert project.comments == []
    project.save(108_000)
    project.run()
    project.save(100_000)
    project.run()
    (comment,) = project.comments
    assert "### ✅ Model sizes: unchanged\n" in comment
    assert "<details>" not in comment


def test_a_change_below_the_threshold_is_none(project):
    project.save(101_500)
    project.run(**{"min-change": "2 kB"})
    assert project.comments == []
    project.run(**{"min-change": "1 kB"})
    assert "+1.5 kB (+1.5 %)" in project.comments[0]


# A model that shrank.


def test_what_shrank_is_shown_with_the_command_that_accepts_it(project):
    project.save(60_000)
    steps = project.run()
    assert codes(steps) == [0, 0, 0]
    assert "smaller than what is accepted" in steps["hold the budgets"].stdout
    (comment,) = project.comments
    assert comment.index("smaller size") < comment.index("<details>")
    assert "✅ Model sizes: <code>model.bin</code> shrank: -40 kB (-40.0 %)\n" in comment
    assert "This accepts the smaller size:\n\n```sh\npytest --modelsize-update\n```" in comment


def test_with_the_ratchet_it_fails_until_the_request_accepts_it(project):
    (project.upstream / "pytest.ini").write_text(
        "[pytest]\nmodelsize_ratchet = true\n", encoding="utf-8"
    )
    project.save(60_000)
    assert codes(project.run()) == [0, 1, 0]
    assert "smaller than its baseline of 100 kB: accept the smaller size\n" in project.comments[0]
    project.save(60_000, accept=True)
    assert codes(project.run()) == [0, 0, 0]
    assert "shrank: -40 kB (-40.0 %), accepted\n" in project.comments[0]
    project.save(64_000)  # less than the base branch has, and more than is accepted here
    assert codes(project.run()) == [0, 0, 0]
    project.save(67_000)
    assert codes(project.run()) == [0, 1, 0]


# Suites in shards, and in several processes.

MANY = """
import pytest

@pytest.mark.max_model_growth("10%", path="model.bin")
@pytest.mark.parametrize("n", range(4))
def test_net(n): pass
"""


def test_the_reports_of_shards_are_one_comment_and_no_entry_is_called_gone(tmp_path, server):
    project = Project(tmp_path, server, MANY)
    project.save(120_000)
    project.check_out()
    shards = [
        f"pytest 'test_net.py::test_net[{a}]' 'test_net.py::test_net[{b}]' --modelsize-report=shards/{a}/report.json"
        for a, b in ((0, 1), (2, 3))
    ]
    for shard in shards:
        assert project.runner.shell(f"{shard} -o modelsize_step_summary=false").returncode == 1
    reports = project.folder / "shards"
    shutil.move(project.clone / "shards", reports)
    steps = project.run(command="", report=f"{reports}/**/*.json")
    assert codes(steps) == [0, 0, 0]
    (comment,) = project.comments
    assert "❌ Model sizes: 4 over budget\n" in comment
    assert comment.count("| ❌ |") == 4
    assert "removed" not in comment
    merged = project.runner.shell(
        f"modelsize merge {reports}/0/report.json {reports}/2/report.json"
    )
    assert [result["test"][-3:] for result in json.loads(merged.stdout)["artifacts"]] == [
        "[0]", "[1]", "[2]", "[3]"
    ]  # fmt: skip


def test_a_run_in_several_processes_is_one_report(tmp_path, server):
    needs("xdist")
    project = Project(tmp_path, server, MANY)
    project.save(120_000)
    assert codes(project.run(command="pytest -p xdist -n 2")) == [0, 1, 0]
    assert project.comments[0].count("| ❌ |") == 4


# Clones, and the base.


@pytest.mark.parametrize("depth", [1, 0])
def test_a_clone_with_or_without_a_history_finds_the_base(project, depth):
    project.save(108_000)
    project.run(depth=depth)
    assert "100 kB | 108 kB" in project.comments[0]


def test_a_whole_clone_stays_whole(project):
    project.save(108_000)
    project.git("git switch -q main && git commit -q --allow-empty -m other")
    other = project.git("git rev-parse main")
    project.git("git switch -q request")
    project.run(depth=0)
    assert project.runner.shell("git rev-parse --is-shallow-repository").stdout == "false\n"
    assert other[:9] in project.comments[0]


def test_what_the_base_accepted_meanwhile_is_not_this_request_s(project):
    project.git("git switch -q main")
    project.save(180_000, name="other.bin")
    project.git("git switch -q request")
    project.save(108_000)
    project.run()
    assert "Model sizes: <code>model.bin</code> grew: +8 kB (+8.0 %)\n" in project.comments[0]


def test_a_base_that_cannot_be_fetched_is_said_and_nothing_fails_for_it(project):
    project.save(108_000)
    project.check_out()
    event = json.loads(project.event.read_text("utf-8"))
    event["pull_request"]["base"].update(sha="e" * 40, ref="gone")
    project.event.write_text(json.dumps(event), encoding="utf-8")
    steps = project.runner.action(ROOT / "action.yml", GOOD)
    assert codes(steps) == [0, 0, 0]
    page = project.page.read_text("utf-8")
    assert "Not compared with the base branch" in page
    assert "check out with fetch-depth: 0" in page


def test_a_damaged_baseline_on_the_base_is_said_and_nothing_fails_for_it(project):
    project.git("git switch -q main")
    (project.upstream / "modelsize-baseline.json").write_text("{", encoding="utf-8")
    project.git("git commit -qam damage && git switch -q request")
    project.git("git merge -q -s ours -m mine main")
    project.save(108_000)
    steps = project.run()
    assert codes(steps) == [0, 0, 0]
    assert "its baseline cannot be used" in project.page.read_text("utf-8")


def test_an_artifact_that_the_request_removes_is_named(project):
    (project.upstream / "test_net.py").write_text("def test_other(): pass\n", encoding="utf-8")
    project.git("pytest --modelsize-update=prune && git add -A && git commit -qm drop")
    assert codes(project.run()) == [0, 0, 0]
    assert "| 🗑️ | <code>model.bin</code> | 100 kB | | removed | |" in project.comments[0]


def test_a_job_of_no_request_writes_its_page_and_no_comment(project):
    project.save(108_000)
    project.check_out()
    project.event.write_text(json.dumps({"ref": "refs/heads/main"}), encoding="utf-8")
    steps = project.runner.action(ROOT / "action.yml", GOOD)
    assert codes(steps) == [0, 0, 0]
    assert project.server.asked == []
    assert "model.bin" in project.page.read_text("utf-8")


def test_an_api_that_is_down_is_no_failure(project):
    project.save(108_000)
    project.server.next = [("GET", 500, {"Retry-After": "999"}, {"message": "down"})] * 4
    project.check_out()
    steps = project.runner.action(ROOT / "action.yml", "expired")
    assert codes(steps) == [0, 0, 0]
