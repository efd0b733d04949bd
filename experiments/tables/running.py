"""Folders for what is under way, each with a lock that its owner holds until it ends.

    with running.folder(parent, "image-cf") as (folder, lock):
        ... fill it, and rename it at last ...

Its name ends at random, so it is nobody else's, in whichever container, on whichever machine; and
the kernel ends a lock with its owner, so a lock that can be taken tells of one that was killed. A
program that inherits the lock's descriptor is an owner too: until it has ended, nobody takes what
it writes. This holds as far as flock does: on NFS between machines, unless it is mounted with local
locks. Where the file system knows no locks, what was left behind stays.

Before a folder is removed, `rescue` is given it, and may rename it. If that raises an error, the
folder stays with its lock, for remove_left_behind.
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


def name_of(path):
    """What the owner of a folder called it; of another folder its own name."""
    if not path.name.startswith(_PREFIX):
        return path.name
    return path.name.removeprefix(_PREFIX).rpartition("-")[0]


def _take_up(folders, path):
    """Whether one of the folders is at `path` now: of several who try, one gets it."""
    for earlier in folders:
        with contextlib.suppress(FileNotFoundError):
            os.rename(earlier, path)
            return True
    return False


def _is_there(path):
    """OSError: nobody knows."""
    try:
        path.lstat()
        return True
    except FileNotFoundError:
        return False


def _remove(lock, rescue):
    """A lock of ours, and its folder."""
    path = _folder_of(lock)
    if _is_there(path):
        rescue(path)
    shutil.rmtree(path, ignore_errors=True)
    lock.unlink(missing_ok=True)


def _rescue_nothing(path):
    del path


@contextlib.contextmanager
def folder(parent, name, earlier=(), rescue=_rescue_nothing):
    """(folder, descriptor of its lock): a folder in `parent`, the first of the folders `earlier`
    that is still where it was, or a new one; on leaving it is removed, if it is still there."""
    lock, descriptor = _lock(parent, name)
    path = _folder_of(lock)
    try:
        try:
            if not _take_up(earlier, path):
                path.mkdir()
            yield path, descriptor
        finally:
            _remove(lock, rescue)
    finally:
        os.close(descriptor)


def folders(parent):
    """Those that are under way, or were left behind."""
    return [path for path in pathlib.Path(parent).glob(f"{_PREFIX}*") if path.is_dir()]


def remove_left_behind(parent, rescue=_rescue_nothing):
    """Folders whose owners ended without removing them."""
    for lock in pathlib.Path(parent).glob(f"{_PREFIX}*{_LOCK}"):
        # Its owner has just ended, or it is another user's, or there are no locks, or it cannot be
        # rescued.
        with contextlib.suppress(OSError), lock.open("r+b") as file:
            if _take(file.fileno()):
                _remove(lock, rescue)
