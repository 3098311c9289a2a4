"""A real Chromium, driven over its DevTools protocol by pipe: standard library only.

https://chromedevtools.github.io/devtools-protocol/: with ``--remote-debugging-pipe`` the browser
reads commands from descriptor 3 and writes answers and events to descriptor 4, as JSON texts that
each end with a zero byte.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
_PATIENCE = 600
"""Seconds that any answer may take: the first one waits for the browser to start."""


def found():
    """Return the path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page. Use it as a context manager."""

    def __init__(self, path, profile):
        self._path, self._profile = path, profile
        self._buffer, self._last = b"", 0
        self.session = None
        self.events = []

    def __enter__(self):
        ours_in, theirs_out = _pipe()
        theirs_in, ours_out = _pipe()
        quiet = os.open(os.devnull, os.O_RDWR)
        actions = [
            (os.POSIX_SPAWN_DUP2, quiet, 0),
            (os.POSIX_SPAWN_DUP2, quiet, 1),
            (os.POSIX_SPAWN_DUP2, quiet, 2),
            (os.POSIX_SPAWN_DUP2, theirs_in, 3),
            (os.POSIX_SPAWN_DUP2, theirs_out, 4),
        ]
        self._process = os.posix_spawn(
            self._path,
            [self._path, *_FLAGS, f"--user-data-dir={self._profile}"],
            {**os.environ, "HOME": str(self._profile)},
            file_actions=actions,
            setpgroup=0,
        )
        for descriptor in (theirs_in, theirs_out, quiet):
            os.close(descriptor)
        self._in, self._out = ours_in, ours_out
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Accessibility", "DOM"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        os.close(self._out)
        os.close(self._in)
        os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)

    def send(self, method, **params):
        """Send a command and return its result; events that come before it are kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width=1200, height=900, **media):
        """Load the file ``path`` in a window of that size, and forget what happened before."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [
            {"name": key.replace("_", "-"), "value": value}
            for key, value in {"prefers_color_scheme": "light", **media}.items()
        ]
        self.send("Emulation.setEmulatedMedia", media="", features=features)
        self.events.clear()
        self.send("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def evaluate(self, expression):
        """Return the value of a JavaScript expression: the page's own policy does not bind us."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press_tab(self):
        """Press the Tab key."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key="Tab",
                code="Tab",
                windowsVirtualKeyCode=9,
            )

    def hover(self, x, y):
        """Move the mouse to a point of the window."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def screenshot(self, whole=True):
        """Return a PNG of the page: all of it, or what the window shows."""
        return base64.b64decode(
            self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        )

    def pdf(self):
        """Return the page as it is printed, backgrounds only where the page insists on them."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=False)["data"])

    def happened(self, *methods):
        """Return the events of these methods since the page was opened."""
        self.evaluate("1")
        return [event for event in self.events if event.get("method") in methods]

    def _receive(self):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], _PATIENCE)
            assert ready, "Chromium does not answer"
            data = os.read(self._in, 1 << 20)
            assert data, "Chromium has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _pipe():
    """Return both ends of a pipe, out of the way of the descriptors that the browser uses."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends]
    for end in ends:
        os.close(end)
    return moved
