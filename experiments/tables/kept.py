"""The results that the repository keeps in docs/results: cells in archives.

    with kept.unpacked() as folder:          # a temporary one
        folder / "paper/cells"               # as below results/tables
    kept.seeds(folder / "paper")             # (1001, 1002, ...)

What else an archive has is left out. Of a cell that several archives have it is the one that was
finished last.
"""

import contextlib
import json
import pathlib
import tarfile
import tempfile

from presets import PRESETS
from result import CELL_FILE
from store import CELLS

_ARCHIVES = pathlib.Path(__file__).parents[2] / "docs/results"


class KeptError(Exception):
    """Its text is for the user: one line."""


def _cells_of(archive):
    """{(preset, id): {file below the cell: its content}}"""
    cells = {}
    with tarfile.open(archive) as content:
        for member in content:
            preset, *place = pathlib.PurePosixPath(member.name).parts or ("",)
            if member.isfile() and preset in PRESETS and len(place) > 2 and place[0] == CELLS:
                cells.setdefault((preset, place[1]), {})["/".join(place[2:])] = (
                    content.extractfile(member).read())
    return cells


def _finished(files):
    return json.loads(files[CELL_FILE])["finished"]


def _latest():
    archives = sorted(_ARCHIVES.glob("*.tar.xz"))
    if not archives:
        raise KeptError(f"{_ARCHIVES} has no archives of results, so there is nothing to show")
    latest = {}
    for archive in archives:
        for cell, files in _cells_of(archive).items():
            if cell not in latest or _finished(files) > _finished(latest[cell]):
                latest[cell] = files
    return latest


@contextlib.contextmanager
def unpacked():
    """A folder with a folder for each preset of which there are cells; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="spion_results_") as name:
        folder = pathlib.Path(name)
        for (preset, cell), files in _latest().items():
            for file, content in files.items():
                path = folder / preset / CELLS / cell / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        yield folder


def seeds(folder):
    """Those of the cells of a preset's folder, in order."""
    return tuple(sorted({json.loads(path.read_text(encoding="utf-8"))["seed"]
                         for path in (folder / CELLS).glob(f"*/{CELL_FILE}")}))
