"""Folders for what is under way, each with a lock that its owner holds until it ends.

    with running.folder(parent, "image-cf") as folder:
        ... fill it, and rename it at last ...

Its name ends at random, so it is nobody else's, in whichever container, on whichever machine; and
the kernel ends a lock with its owner, so a lock that can be taken tells of one that was killed. This
holds as far as flock does: on NFS between machines, unless it is mounted with local locks. Where the
file system knows no locks, what was left behind stays.
"""

import contextlib
import fcntl
import os
import pathlib
import secrets
import shutil

_PREFIX = ".running-"
_LOCK = ".lock"


def _take(descriptor):
    """Whether the lock is ours now. OSError: there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _folder_of(lock):
    return lock.with_name(lock.name.removesuffix(_LOCK))


def _lock(parent, name):
    """(path, descriptor) of a lock that is nobody else's."""
    while True:
        path = parent / f"{_PREFIX}{name}-{secrets.token_hex(8)}{_LOCK}"
        # Open for writing: NFS gives no other files an exclusive lock.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            # Until here somebody may have thought it left behind.
            if _take(descriptor) and path.exists():
                return path, descriptor
        except OSError:
            # A file without a lock would be taken for one that was left behind.
            path.unlink()
            return path, descriptor
        os.close(descriptor)


@contextlib.contextmanager
def folder(parent, name):
    """An empty folder in `parent`; on leaving it is removed, if it is still there."""
    lock, descriptor = _lock(parent, name)
    path = _folder_of(lock)
    try:
        path.mkdir()
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def remove_left_behind(parent):
    """Folders whose owners ended without removing them."""
    for lock in pathlib.Path(parent).glob(f"{_PREFIX}*{_LOCK}"):
        # Its owner has just ended, or it is another user's, or there are no locks.
        with contextlib.suppress(OSError), lock.open("r+b") as file:
            if _take(file.fileno()):
                shutil.rmtree(_folder_of(lock), ignore_errors=True)
                lock.unlink()
