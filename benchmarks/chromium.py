"""A headless Chromium that opens pages: driven through its debugging pipe, which needs no package."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from printedmlp.errors import ToolError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"),
)
PATIENCE_S = 60
"""Seconds without an answer after which a browser is ended."""


class Page:
    """One page, driven by messages of the DevTools protocol over two pipes."""

    def __init__(self, to_browser: IO[bytes], from_browser: IO[bytes]) -> None:
        self.out, self.into = to_browser, from_browser
        self.sent, self.loads = 0, 0
        self.session: str | None = None
        self.errors: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; what goes wrong on the page meanwhile is noted."""
        signal.alarm(PATIENCE_S)
        self.sent += 1
        message: dict[str, Any] = {"id": self.sent, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        return dict(self._until(lambda told: told.get("id") == self.sent)["result"])

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            told = self._message()
            self.loads += told.get("method") == "Page.loadEventFired"
            if told.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.errors.append(told["params"])
            if told.get("method") == "Network.requestWillBeSent":
                url = told["params"]["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    self.errors.append({"requested": url})
            if wanted(told):
                assert "error" not in told, told
                return told

    def _message(self) -> dict[str, Any]:
        data = bytearray()
        while not data.endswith(b"\0"):
            byte = self.into.read(1)
            assert byte, "the browser ended"
            data += byte
        return dict(json.loads(data[:-1]))

    def open(self, address: str, width: int, height: int = 900, scripts: bool = True) -> None:
        """Load a page at a width; with the script or as without one."""
        self._resize(width, height)
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        # By way of an empty page, since another part of the same one would not be loaded anew.
        for url in ("about:blank", address):
            before = self.loads
            self.ask("Page.navigate", url=url)
            if self.loads == before:
                self._until(lambda told: told.get("method") == "Page.loadEventFired")
        if scripts:
            assert self.run("document.readyState") == "complete"

    def run(self, script: str) -> Any:
        """Value of a script's last expression."""
        told = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def click(self, selector: str) -> None:
        """Click with the mouse on the middle of the first such element; a page reacts as to a person."""
        place = self._middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def point(self, selector: str) -> None:
        """Move the mouse over the first such element."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", **self._middle(selector))

    def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def picture(self, *, whole: bool) -> bytes:
        """The whole page as PNG, or what is seen of it from its top."""
        self.run("scrollTo(0, 0)")
        if whole:
            self._resize(*self.run("[innerWidth, document.documentElement.scrollHeight]"))
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def _resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)

    def _middle(self, selector: str) -> dict[str, float]:
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()"
        )
        return {"x": box["x"], "y": box["y"]}


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A page of a browser that is found on PATH; ToolError where there is none."""
    command = next(filter(None, map(shutil.which, BROWSERS)), None)
    if command is None:
        raise ToolError(f"no browser: none of {', '.join(BROWSERS)} is on PATH")
    with tempfile.TemporaryDirectory(prefix="printedmlp-", ignore_cleanup_errors=True) as profile:
        to_browser, from_browser, process = _started([command, *OPTIONS, f"--user-data-dir={profile}"])
        previous = signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        try:
            yield Page(to_browser, from_browser)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, previous)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            to_browser.close()
            from_browser.close()


def _started(command: Sequence[str]) -> tuple[IO[bytes], IO[bytes], subprocess.Popen[bytes]]:
    """A browser that reads commands from its file 3 and answers on its file 4."""
    (reads, writes), (hears, tells) = os.pipe(), os.pipe()
    # Out of the way of both numbers first: any of the four may be one of them.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (reads, tells)]
    process = subprocess.Popen(
        command,
        pass_fds=(3, 4),
        preexec_fn=lambda: [os.dup2(end, number) for end, number in zip(ends, (3, 4), strict=True)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for end in (reads, tells, *ends):
        os.close(end)
    return os.fdopen(writes, "wb"), os.fdopen(hears, "rb"), process
