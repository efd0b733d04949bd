"""The experiment program as a user starts it, for its tests, which set `path`."""

import os
import pathlib
import subprocess
import tempfile

path = None


def run(*flags, method="cf", task="image", **settings):
    return subprocess.run([path, f"--task={task}", f"--method={method}", *flags],
                          capture_output=True, text=True, check=False, **settings)


def start(*flags, method="cf", task="image"):
    """For who stops it; nobody reads what it says."""
    return subprocess.Popen([path, f"--task={task}", f"--method={method}", *flags],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
