"""What a program tells its user.

Nobody may take it: the reader of a pipe has gone, as after `| head`, or a disk is full. A training
is worth more than that: from then on the rest goes nowhere, and the program goes on.
"""

import os
import sys


def _write(text, stream):
    try:
        print(text, file=stream, flush=True)
    except OSError:
        # What is still in the stream's buffer goes there too, at the program's end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def say(text):
    _write(text, sys.stdout)


def say_error(text):
    _write(f"error: {text}", sys.stderr)
