"""Files that are there whole or not at all, after a power failure too.

OSErrors name the file, also where the system's own do not.
"""

import contextlib
import os
import pathlib
import secrets


@contextlib.contextmanager
def naming(path):
    """An OSError within names `path`, if it names none."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def told(error):
    """For the user: which file, and what is wrong with it."""
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder):
    """What is in it: names, not the files' content."""
    _sync(folder)


def sync_tree(folder):
    """All files and folders in and below `folder`, and itself."""
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync(os.path.join(path, name))
        _sync(path)


def partial_path(path):
    """For what becomes the file at `path` when it is whole: beside it, and nobody else's."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")


def write_text(path, text):
    """In place of what was there. Several writers may be at it: the last one's text stays."""
    path = pathlib.Path(path)
    partial = partial_path(path)
    try:
        with naming(path), partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
