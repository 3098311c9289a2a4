"""A REST API: the one place that sends anything over a network.

The token goes to the API's own address and nowhere else: no redirect is followed, and no link to
another host. It is in no message.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import urlsplit

from pytest_modelsize.sizes.escaping import printable

__all__ = ["Api", "HostError"]

_TIMEOUT = 30
_LARGEST = 2**24
_MOST_PAGES = 100
_TRIES = 4
_LONGEST_WAIT = 60
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')


class HostError(Exception):
    """The API does not do what it is asked; the message is one line, and holds no token.

    Attributes:
        status: of HTTP; 0 where no answer came.
        may_pass: the same may work in a while.
    """

    def __init__(self, message: str, status: int = 0, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.may_pass = may_pass


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the token to wherever an answer points."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


@dataclass(frozen=True)
class Api:
    """A REST API that speaks JSON.

    Attributes:
        root: its address, such as ``https://api.github.com``.
        headers: sent with every request; the token is in one of them.
        token: what no message may hold.
        sleep: waits for some seconds.
        now: the time, in seconds since 1970.
    """

    root: str
    headers: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False, default="")
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time

    def call(self, method: str, path: str, body: object = None, accept: str = "") -> object:
        """Send a request; return what the answer holds, None where that is nothing.

        Where the API is busy it is asked again, if it says when, within a minute. What creates
        something is sent once: whether it was done is not known.

        Raises:
            HostError: where it fails.
        """
        text, _ = self._send(method, f"{self.root}{path}", body, accept)
        return text if accept else _parsed(text)

    def pages(self, path: str) -> Iterator[object]:
        """Yield the items of a list, page by page, as the ``Link`` headers lead.

        Raises:
            HostError: where it fails.
        """
        url: str | None = f"{self.root}{path}"
        for _ in range(_MOST_PAGES):
            if url is None:
                return
            text, headers = self._send("GET", url, None, "")
            items = _parsed(text)
            if not isinstance(items, list):
                raise HostError("the API sent something else than a list")
            yield from items
            found = _NEXT.search(headers.get("Link") or "")
            url = found[1] if found else None
            if url is not None and _origin(url) != _origin(self.root):
                raise HostError("the API's list goes on at another host")

    def _send(self, method: str, url: str, body: object, accept: str) -> tuple[bytes, Message]:
        for tried in range(1, _TRIES + 1):
            try:
                return self._once(method, url, body, accept)
            except urllib.error.HTTPError as error:
                with error:
                    text = error.read(_LARGEST)
                problem = self._refused(error.code, text)
                limited = _is_limited(error.code, error.headers, text)
                wait = self._wait(error.headers, tried) if limited else float(2**tried)
                again = limited or (error.code >= 500 and method != "POST")
                if again and tried < _TRIES and wait <= _LONGEST_WAIT:
                    self.sleep(wait)
                    continue
                may_pass = limited or error.code >= 500
                raise HostError(problem, error.code, may_pass=may_pass) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                if method != "POST" and tried < _TRIES and not isinstance(error, ValueError):
                    self.sleep(float(2**tried))
                    continue
                shown = self._told(f"{type(error).__name__}: {error}")
                raise HostError(f"no answer from the API: {shown}", may_pass=True) from None
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: str, body: object, accept: str) -> tuple[bytes, Message]:
        # The address is the API's own, which the host gave to the job.
        request = urllib.request.Request(url, method=method, headers=dict(self.headers))  # noqa: S310
        if accept:
            request.add_header("Accept", accept)
        if body is not None:
            request.data = json.dumps(body).encode("ascii")
            request.add_header("Content-Type", "application/json")
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            text = answer.read(_LARGEST + 1)
            if len(text) > _LARGEST:
                raise HostError(f"the API sent more than {_LARGEST:,d} bytes")
            return text, answer.headers

    def _refused(self, status: int, text: bytes) -> str:
        try:
            value = json.loads(text)
            said = value.get("message") if isinstance(value, dict) else None
        except (ValueError, RecursionError):
            said = None
        return f"{status} {self._told(said)}" if isinstance(said, str) else f"status {status}"

    def _told(self, text: str) -> str:
        return printable(text.replace(self.token, "***") if self.token else text)

    def _wait(self, headers: Message, tried: int) -> float:
        """Return the seconds until the API answers again, as it says itself."""
        after = headers.get("Retry-After") or ""
        if after.isascii() and after.isdigit():
            return float(after[:9])
        reset = headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset") or ""
        if reset.isascii() and reset.isdigit():
            return max(1.0, float(reset[:12]) - self.now() + 1)
        return float(2**tried)


def _is_limited(status: int, headers: Message, text: bytes) -> bool:
    """Tell "too many requests" from "not allowed", which GitHub both answers with 403."""
    if status == 429:
        return True
    told = headers.get("Retry-After") or headers.get("X-RateLimit-Remaining") == "0"
    return status == 403 and bool(told or b"rate limit" in text.lower())


def _parsed(text: bytes) -> object:
    if not text.strip():
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        raise HostError("the API sent something else than JSON") from None
    return value


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None
