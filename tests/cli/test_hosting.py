"""GitHub's and GitLab's APIs, answered by a server on the loopback."""

import dataclasses

import pytest

from pytest_modelsize.cli.hosting.api import HostError
from pytest_modelsize.cli.hosting.comments import Note, keep, ours
from pytest_modelsize.cli.hosting.github import GitHubComments, file_at, github_api, pull_of_head
from pytest_modelsize.cli.hosting.gitlab import GitLabNotes, gitlab_api
from pytest_modelsize.cli.hosting.hosts import situation
from tests.cli.rest import GOOD, READ_ONLY, Server

MARK = "<!-- pytest-modelsize -->"
BODY = f"{MARK}\n### Model sizes\n"


@pytest.fixture
def waits():
    return []


@pytest.fixture
def api(server, waits):
    return dataclasses.replace(
        github_api(server.url, GOOD), sleep=waits.append, now=lambda: 1_700_000_000.0
    )


@pytest.fixture
def comments(api):
    return GitHubComments(api, "me/net", 17)


def test_the_first_comment_is_created_and_then_updated(server, comments):
    assert keep(comments, BODY, worth_it=True) == "created"
    assert keep(comments, BODY, worth_it=True) == "as it was"
    assert keep(comments, BODY + "more", worth_it=True) == "updated"
    assert server.bodies(17) == [BODY + "more"]


def test_where_nothing_is_worth_a_word_none_is_written_but_an_old_one_is_kept_true(
    server, comments
):
    assert keep(comments, BODY, worth_it=False) == "not needed"
    assert server.bodies(17) == []
    server.say(17, f"{MARK}\nold")
    assert keep(comments, BODY, worth_it=False) == "updated"
    assert server.bodies(17) == [BODY]


def test_comments_of_others_stay_whatever_they_quote(server, comments):
    others = [
        "LGTM",
        f"> {MARK}",
        f"see\n{MARK}",
        f"`{MARK}`",
        "<!-- another bot -->\n### Coverage",
    ]
    for body in others:
        server.say(17, body, author=5)
    keep(comments, BODY, worth_it=True)
    keep(comments, BODY + "more", worth_it=True)
    assert server.bodies(17) == [*others, BODY + "more"]


def test_our_comment_is_found_on_any_page(server, comments):
    server.most = 10
    for number in range(34):
        server.say(17, f"comment {number}", author=5)
    server.say(17, f"{MARK}\r\nold")
    server.say(17, "after it", author=5)
    assert keep(comments, BODY, worth_it=True) == "updated"
    assert server.bodies(17).count(BODY) == 1
    assert len([asked for asked in server.asked if asked.startswith("GET")]) == 4


def test_what_two_jobs_at_a_time_left_becomes_one_and_nobody_else_s_is_removed(server, comments):
    for author in (41898282, 41898282, 5):
        server.say(17, f"{MARK}\nold", author)
    keep(comments, BODY, worth_it=True)
    assert server.bodies(17) == [BODY, f"{MARK}\nold"]


def test_one_that_this_token_may_not_change_is_left_and_one_is_written_once(server, comments):
    server.say(17, f"{MARK}\nanother token's", author=5)
    forbidden = ("PATCH", 403, {}, {"message": "Must have admin rights"})
    server.next = [forbidden]
    assert keep(comments, BODY, worth_it=True) == "created"
    server.next = [forbidden]
    assert keep(comments, BODY + "2", worth_it=True) == "updated"
    assert server.bodies(17) == [f"{MARK}\nanother token's", BODY + "2"]


def test_one_that_is_deleted_meanwhile_is_written_anew(server, comments):
    server.say(17, f"{MARK}\nold")
    server.next = [("PATCH", 404, {}, {"message": "Not Found"})]
    assert keep(comments, BODY, worth_it=True) == "created"


def test_a_fork_s_token_is_told_from_a_limited_rate(server, api, waits):
    forks = dataclasses.replace(
        github_api(server.url, READ_ONLY), sleep=waits.append, now=lambda: 0.0
    )
    with pytest.raises(HostError, match="403 Resource not accessible") as caught:
        keep(GitHubComments(forks, "me/net", 17), BODY, worth_it=True)
    assert (caught.value.status, caught.value.may_pass, waits) == (403, False, [])


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (429, {"Retry-After": "7"}, "slow down", 7),
        (403, {"Retry-After": "7"}, "You have exceeded a secondary rate limit", 7),
        (
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000020"},
            "API rate limit exceeded",
            21,
        ),
        (403, {}, "You have exceeded a secondary rate limit", 2),
        (502, {}, "Server Error", 2),
    ],
)
def test_a_busy_api_is_asked_again_when_it_says(server, comments, waits, status, headers, message, wait):  # fmt: skip
    server.next = [("GET", status, headers, {"message": message})]
    assert keep(comments, BODY, worth_it=True) == "created"
    assert waits == [wait]


def test_an_api_that_is_busy_for_long_is_given_up(server, comments, waits):
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700003600"}
    server.next = [("GET", 403, limit, {"message": "API rate limit exceeded"})]
    with pytest.raises(HostError, match="rate limit exceeded") as caught:
        keep(comments, BODY, worth_it=True)
    assert caught.value.may_pass
    assert waits == []
    server.next = [("GET", 503, {}, {"message": "Unavailable"})] * 9
    with pytest.raises(HostError, match="503 Unavailable"):
        keep(comments, BODY, worth_it=True)
    assert len(waits) == 3


def test_a_comment_is_not_written_twice_where_the_answer_is_lost(server, comments):
    def created_all_the_same(body):
        server.say(17, body["body"])
        return {"message": "Server Error"}

    server.next = [("POST", 500, {}, created_all_the_same)]
    assert keep(comments, BODY, worth_it=True) == "as it was"
    assert server.bodies(17) == [BODY]


def test_the_token_goes_to_no_other_host(server, api):
    other = Server()
    try:
        server.next = [("GET", 302, {"Location": f"{other.url}/steal"}, None)]
        with pytest.raises(HostError, match="302"):
            list(api.pages("/repos/me/net/issues/17/comments"))
        link = {"Link": f'<{other.url}/steal>; rel="next"'}
        server.next = [("GET", 200, link, [])]
        with pytest.raises(HostError, match="another host"):
            list(api.pages("/repos/me/net/issues/17/comments"))
        assert other.asked == []
    finally:
        other.close()


def test_the_token_is_in_no_message(server, api):
    echoed = {"message": f"no such token: {GOOD}\n::error::"}
    server.next = [("GET", 400, {}, echoed)]
    with pytest.raises(HostError) as caught:
        api.call("GET", "/user")
    assert GOOD not in str(caught.value)
    assert GOOD not in repr(api)
    given = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "me/net",
        "GITHUB_TOKEN": GOOD,
    }
    assert situation(given, None).token == GOOD
    assert GOOD not in repr(situation(given, None))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [b"<html>", b'{"a": 1}', b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_list_is_an_error(server, comments, value):
    server.next = [("GET", 200, {}, value)]
    with pytest.raises(HostError):
        comments.all()


def test_odd_items_are_passed_over(server, comments):
    server.next = [("GET", 200, {}, [None, {}, {"id": "x", "body": MARK}, {"id": 1, "body": None}])]
    assert comments.all() == []


def test_no_answer_is_an_error_in_one_line(waits):
    api = dataclasses.replace(github_api("http://127.0.0.1:9", GOOD), sleep=waits.append)
    with pytest.raises(HostError, match="no answer from the API") as caught:
        api.call("GET", "/x")
    assert caught.value.may_pass
    assert len(waits) == 3


def test_the_request_of_a_run_is_the_one_whose_head_was_tested(server, api):
    def pull(number, owner, sha):
        return {
            "number": number,
            "head": {"sha": sha, "ref": "main", "repo": {"owner": {"login": owner}}},
            "base": {"ref": "main", "sha": "b" * 40},
        }

    server.pulls = [pull(1, "eve", "1" * 40), pull(2, "bob", "2" * 40), pull(3, "bob", "3" * 40)]
    found = pull_of_head(api, "me/net", "bob", "main", "3" * 40)
    assert found is not None
    assert (found.number, found.base, found.base_commit) == (3, "main", "b" * 40)
    assert pull_of_head(api, "me/net", "bob", "main", "1" * 40) is None
    assert pull_of_head(api, "me/net", "bob&head=eve:main", "main", "1" * 40) is None


def test_a_file_of_a_commit_is_there_or_not(server, api):
    server.files["a b/x.json", "c" * 40] = b"{}"
    assert file_at(api, "me/net", "a b/x.json", "c" * 40) == b"{}"
    assert file_at(api, "me/net", "y.json", "c" * 40) is None
    server.next = [("GET", 403, {}, {"message": "no"})]
    with pytest.raises(HostError):
        file_at(api, "me/net", "y.json", "c" * 40)


def test_gitlab_s_notes_are_kept_alike_and_its_own_are_no_comments(server):
    notes = GitLabNotes(gitlab_api(server.url, GOOD), 7, 3)
    server.say(3, MARK)
    server.comments[3][0]["system"] = True
    assert keep(notes, BODY, worth_it=True) == "created"
    assert keep(notes, BODY + "more", worth_it=True) == "updated"
    assert server.bodies(3) == [MARK, BODY + "more"]


def test_only_the_first_line_is_the_mark():
    notes = [Note(1, f"{MARK} ", 1), Note(2, f" {MARK}", 1), Note(3, f"{MARK}x", 1), Note(4, "", 1)]
    assert [note.id for note in ours(notes, MARK)] == [1]


@pytest.mark.parametrize(
    ("environment", "event", "number"),
    [
        ({}, {"pull_request": {"number": 5}}, 5),
        ({"GITHUB_EVENT_NAME": "workflow_run"}, {"pull_request": {"number": 5}}, 0),
        ({}, {"pull_request": {"number": "5/../6"}}, 0),
        ({}, {"pull_request": {"number": True}}, 0),
        ({}, {"pull_request": []}, 0),
        ({}, None, 0),
        ({"GITHUB_REPOSITORY": "../../x"}, {"pull_request": {"number": 5}}, 0),
    ],
)
def test_the_number_of_the_request_is_the_event_s_or_none(environment, event, number):
    known = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "me/net", **environment}
    assert situation(known, event).number == number


def test_a_job_elsewhere_has_no_request():
    assert situation({}, {"pull_request": {"number": 5}}).host == ""
