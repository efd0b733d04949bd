"""Headless Chromium, driven by its DevTools protocol.

    with chromium.start() as browser:
        browser.open("file:///tmp/page.html")
        browser.evaluate("document.title")
        browser.events                  # what the page did since it was opened

Messages go through two pipes: no port, no driver program, no package beside Debian's chromium. It
reaches no network: every host name is unknown to it.
"""

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

NAME = "chromium"
_ANSWER_SECONDS = 120  # on a busy machine
_FLAGS = ("--headless", "--remote-debugging-pipe", "--host-resolver-rules=MAP * ~NOTFOUND",
          # The pages are ours, and its own sandbox does not start in that of a test, or as root.
          "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
          "--disable-extensions", "--disable-background-networking", "--disable-component-update",
          "--disable-sync")
_HEIGHT = 800  # of the window
_EVENTS = ("Page", "Runtime", "Log", "Network")


class BrowserError(Exception):
    pass


class Browser:
    """One tab. Made by start()."""

    def __init__(self, process, log):
        self._process, self._log = process, log
        self._received, self._number, self._session = b"", 0, {}
        self.events = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": session["sessionId"]}
        for domain in _EVENTS:
            self._call(f"{domain}.enable")

    def close(self):
        self._session = {}
        self._call("Browser.close")
        self._process.wait(timeout=_ANSWER_SECONDS)

    def _message(self):
        """The next one that it sends."""
        end = time.monotonic() + _ANSWER_SECONDS
        pipe = self._process.stdout.fileno()
        while b"\0" not in self._received:
            ready, _, _ = select.select([pipe], [], [], max(0, end - time.monotonic()))
            some = os.read(pipe, 1 << 20) if ready else b""
            if not some:
                raise BrowserError(("ended" if ready else f"silent for {_ANSWER_SECONDS} s")
                                   + ":\n" + self._log.read_text()[-4000:])
            self._received += some
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)

    def _call(self, method, **parameters):
        self._number += 1
        request = {"id": self._number, "method": method, "params": parameters, **self._session}
        self._process.stdin.write(json.dumps(request).encode() + b"\0")
        self._process.stdin.flush()
        while True:
            message = self._message()
            if "method" in message:
                self.events.append(message)
            elif message["id"] == self._number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']['message']}")
                return message["result"]

    def show_as(self, width, scheme, media, phone):
        """How pages are shown from now on; the width in CSS pixels."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=_HEIGHT,
                   deviceScaleFactor=1, mobile=phone)
        self._call("Emulation.setEmulatedMedia", media=media,
                   features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        """Opens a page and waits until all of it is there."""
        self.events.clear()
        error = self._call("Page.navigate", url=url).get("errorText")
        if error:
            raise BrowserError(f"{url}: {error}")
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def evaluate(self, script):
        """The value of an expression; of a promise, what it comes to."""
        told = self._call("Runtime.evaluate", expression=script, returnByValue=True,
                          awaitPromise=True)
        if "exceptionDetails" in told:
            raise BrowserError(told["exceptionDetails"]["exception"]["description"])
        return told["result"].get("value")

    def picture(self, highest=12000):
        """The whole page, down to `highest`, as a PNG file."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], highest),
                "scale": 1}
        return base64.b64decode(self._call("Page.captureScreenshot", captureBeyondViewport=True,
                                           clip=clip)["data"])

    def printed(self):
        """The page as a PDF file, on paper of its own size."""
        return base64.b64decode(self._call("Page.printToPDF", preferCSSPageSize=True,
                                           printBackground=True)["data"])


@contextlib.contextmanager
def start():
    """A Browser until the context is left. BrowserError if there is no Chromium."""
    program = shutil.which(NAME)
    if not program:
        raise BrowserError(f"there is no {NAME}: apt-get install {NAME}")
    with contextlib.ExitStack() as stack:
        # Its sockets lie there: a path under a test's own folder is too long for one.
        folder = stack.enter_context(tempfile.TemporaryDirectory(
            prefix="spion-", dir="/tmp", ignore_cleanup_errors=True))
        log = pathlib.Path(folder, "log")
        # It reads from file descriptor 3 and writes to 4.
        process = stack.enter_context(subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 4>&1 0</dev/null 1>&2', "sh", program, *_FLAGS,
             f"--user-data-dir={folder}/profile", "about:blank"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=stack.enter_context(log.open("wb")),
            env={**os.environ, "HOME": folder, "TMPDIR": folder}))
        stack.callback(process.kill)
        browser = Browser(process, log)
        yield browser
        browser.close()
