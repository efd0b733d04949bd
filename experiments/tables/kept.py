"""The results that the repository keeps in docs/results: cells in archives.

    with kept.unpacked() as (folder, again):   # a temporary one
        folder / "paper/cells"                 # as below results/tables

What else an archive has is left out. A cell that several archives have was run again: it is the one
that was finished last; `again` has a sentence on those, or is empty.
"""

import contextlib
import io
import json
import pathlib
import tempfile

import unpack
from cells import cells_text
from presets import PRESETS
from result import CELL_FILE
from store import CELLS

_ARCHIVES = pathlib.Path(__file__).parents[2] / "docs/results"


class KeptError(Exception):
    """Its text is for the user: one line."""


def _cells_of(archive):
    """{(preset, id): {file below the cell: its content}}"""
    cells = {}
    for (preset, *place), _, content in unpack.files(archive, tempfile.gettempdir()):
        if preset in PRESETS and len(place) > 2 and place[0] == CELLS:
            file = io.BytesIO()
            unpack.copy(archive, content, file)
            cells.setdefault((preset, place[1]), {})["/".join(place[2:])] = file.getvalue()
    return cells


def _finished(archive, cell, files):
    try:
        return str(json.loads(files[CELL_FILE])["finished"])
    except (KeyError, TypeError, ValueError):
        raise KeptError(f"{archive} is damaged: {'/'.join(cell)} has no {CELL_FILE} that tells when "
                        "it was finished") from None


def _latest():
    """({(preset, id): files}, how many cells several archives have)"""
    archives = sorted(_ARCHIVES.glob("*.tar.xz"))
    if not archives:
        raise KeptError(f"{_ARCHIVES} has no archives of results, so there is nothing to show")
    found = {}
    for archive in archives:
        for cell, files in _cells_of(archive).items():
            found.setdefault(cell, []).append((_finished(archive, cell, files), files))
    latest = {cell: max(versions, key=lambda version: version[0])[1]
              for cell, versions in found.items()}
    return latest, sum(len(versions) > 1 for versions in found.values())


def _write(cells, folder):
    try:
        for (preset, cell), files in cells.items():
            for file, content in files.items():
                path = folder / preset / CELLS / cell / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except OSError as error:
        raise KeptError(f"{error.filename or folder}: {error.strerror}; TMPDIR names the folder for "
                        "what is unpacked") from None


@contextlib.contextmanager
def unpacked():
    """A folder with a folder for each preset of which there are cells, removed at the end, and the
    sentence. Raises KeptError."""
    try:
        cells, again = _latest()
    except unpack.UnpackError as error:
        raise KeptError(str(error)) from None
    with tempfile.TemporaryDirectory(prefix="spion_results_") as name:
        folder = pathlib.Path(name)
        _write(cells, folder)
        yield folder, (f"{cells_text(again)} run again, in two archives: the later run is shown"
                       if again else "")
