"""How far a long piece of work is, on stderr: one line that grows, or a few lines in a log."""

import sys
import time

_MB = 1e6


class Progress:
    """show = Progress("aclImdb_v1.tar.gz"); show(done_bytes, all_bytes or None); show.end()"""

    def __init__(self, label):
        self._label = label
        self._terminal = sys.stderr.isatty()
        self._wait_s = 0.2 if self._terminal else 10.0
        self._shown_at = None if self._terminal else time.monotonic()
        self._open_line = False

    def __call__(self, done, total):
        now = time.monotonic()
        if self._shown_at is not None and now - self._shown_at < self._wait_s:
            return
        self._shown_at = now
        text = f"{self._label}: {done / _MB:.0f} MB"
        if total:
            text += f" of {total / _MB:.0f} MB, {100 * done / total:.0f} %"
        sys.stderr.write(f"\r{text}\033[K" if self._terminal else f"{text}\n")
        sys.stderr.flush()
        self._open_line = self._terminal

    def end(self):
        """Ends the line, so that other output begins on one of its own."""
        if self._open_line:
            sys.stderr.write("\n")
            sys.stderr.flush()
            self._open_line = False
