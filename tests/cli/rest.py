"""A server on the loopback that answers as GitHub's and GitLab's REST APIs do."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

GOOD, READ_ONLY = "ghs_goodgoodgoodgood", "ghs_readonlyreadonly"
BOT = 41898282
"""github-actions[bot]"""


class Server:
    """What the API holds, and what it was asked.

    Attributes:
        comments: by the number of a pull request: id, body and author of each.
        pulls: as the API lists them.
        files: content by path and commit.
        asked: method and path of every request.
        next: statuses, headers and bodies of the answers to come, before any that is earned;
            each for a method.
        most: items on a page, whatever the client asks for.
    """

    def __init__(self):
        self.comments, self.pulls, self.files = {}, [], {}
        self.asked, self.headers, self.next, self.most = [], [], [], 100
        self.ids = iter(range(1000, 10**6))
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                server.answer(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def say(self, number, body, author=BOT):
        """Have somebody comment on a pull request."""
        note = {"id": next(self.ids), "body": body, "user": {"id": author, "login": f"u{author}"}}
        self.comments.setdefault(number, []).append({**note, "author": {"id": author}})
        return note["id"]

    def bodies(self, number):
        return [note["body"] for note in self.comments.get(number, [])]

    def answer(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = json.loads(handler.rfile.read(length)) if length else None
        self.asked.append(f"{handler.command} {handler.path}")
        self.headers.append(dict(handler.headers))
        for number, (method, status, headers, value) in enumerate(self.next):
            if method == handler.command:
                del self.next[number]
                if callable(value):
                    value = value(body)
                return self.send(handler, status, value, headers)
        token = handler.headers.get("Authorization") or handler.headers.get("PRIVATE-TOKEN") or ""
        token = token.removeprefix("Bearer ")
        if token not in (GOOD, READ_ONLY):
            return self.send(handler, 401, {"message": "Bad credentials"})
        if handler.command != "GET" and token == READ_ONLY:
            return self.send(handler, 403, {"message": "Resource not accessible by integration"})
        return self.send(handler, *self.earned(handler.command, handler.path, body, handler))

    def earned(self, method, path, body, handler):
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if match := re.fullmatch(r"/repos/me/net/issues/(\d+)/comments", parts.path):
            return self.listed(method, int(match[1]), body, query, parts.path)
        if match := re.fullmatch(r"/projects/7/merge_requests/(\d+)/notes", parts.path):
            return self.listed(method, int(match[1]), body, query, parts.path)
        if match := re.fullmatch(
            r"/repos/me/net/issues/comments/(\d+)|/projects/7/merge_requests/\d+/notes/(\d+)",
            parts.path,
        ):
            return self.one(method, int(match[1] or match[2]), body)
        if parts.path == "/repos/me/net/pulls":
            owner, _, branch = query["head"].partition(":")
            found = [
                pull
                for pull in self.pulls
                if (pull["head"]["repo"]["owner"]["login"], pull["head"]["ref"]) == (owner, branch)
            ]
            return self.page(found, query, parts.path)
        if match := re.fullmatch(r"/repos/me/net/contents/(.+)", parts.path):
            content = self.files.get((unquote(match[1]), query["ref"]))
            if content is None:
                return 404, {"message": "Not Found"}
            assert handler.headers["Accept"] == "application/vnd.github.raw+json"
            return 200, content
        return 404, {"message": "Not Found"}

    def listed(self, method, number, body, query, path):
        if method == "GET":
            return self.page(self.comments.get(number, []), query, path)
        if len(body["body"]) > 65_536:
            return 422, {"message": "Validation Failed: body is too long (maximum is 65536)"}
        self.say(number, body["body"])
        return 201, self.comments[number][-1]

    def one(self, method, number, body):
        for notes in self.comments.values():
            for note in notes:
                if note["id"] == number:
                    if method == "DELETE":
                        notes.remove(note)
                        return 204, None
                    note["body"] = body["body"]
                    return 200, note
        return 404, {"message": "Not Found"}

    def page(self, items, query, path):
        size = min(self.most, int(query.get("per_page", 30)))
        number = int(query.get("page", 1))
        links = []
        if number > 1:
            links.append((number - 1, "prev"))
        if number * size < len(items):
            links.append((number + 1, "next"))
        rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
        told = ", ".join(f'<{self.url}{path}?{rest}&page={n}>; rel="{rel}"' for n, rel in links)
        return 200, items[(number - 1) * size : number * size], {"Link": told} if told else {}

    def send(self, handler, status, value, headers=None):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        text = b"" if value is None else text
        handler.send_response(status)
        for name, told in (headers or {}).items():
            handler.send_header(name, told)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
