"""One fetch at a time in a folder.

    with folder_lock(pathlib.Path("/data")):
        ...

A file .fetch.lock, locked while the work lasts and removed after it; that of a killed process is
free for the next one.
"""

import contextlib
import fcntl
import os

from errors import FetchError, reason

_NAME = ".fetch.lock"


@contextlib.contextmanager
def folder_lock(folder):
    path = folder / _NAME
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise FetchError(f"cannot write into {folder}: {reason(error)}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed it between our two calls.
            ours = path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())
        except BlockingIOError:
            ours = False
        if not ours:
            raise FetchError(f"another fetch is at work in {folder}; wait for it, or give another "
                             "folder as --out")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
