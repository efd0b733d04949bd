"""A page of a table, before it is written in any format: grids of entries, pictures, notes.

Every number is put into text once, here, so that all formats show the same.
"""

import dataclasses
import math
import re
import statistics

BEST = "best"
NEAR = "near"  # within one spread of the best
FAILED = "failed"
MISSING = "missing"
DEVIATES = "deviates"  # from what was published

NOT_PUBLISHED = "not published here"
NOT_RUN = "not run"

# A number, or what stands in its place, and what may follow it: "38.2 ± 0.5", "12 (3 %)", "-".
_NUMERIC = re.compile(r"(-|-?\d+(\.\d+)?(e[-+]?\d+)?)( |$)")


@dataclasses.dataclass(frozen=True)
class Entry:
    text: str
    mark: str = ""


@dataclasses.dataclass(frozen=True)
class Grid:
    key: str  # of its files: <page>.<key>.csv
    title: str
    columns: list  # texts
    rows: list  # lists of entries (or texts), as long as `columns`
    note: str = ""

    def entries(self):
        return [[entry if isinstance(entry, Entry) else Entry(str(entry)) for entry in row]
                for row in self.rows]

    def numeric(self):
        """Of each column, whether it is one of numbers, which are aligned to the right."""
        return [column > 0 and 2 * sum(
            entry.mark in (FAILED, MISSING) or bool(_NUMERIC.match(entry.text))
            for entry in entries) > len(entries)
            for column, entries in enumerate(zip(*self.entries()))]


@dataclasses.dataclass(frozen=True)
class Picture:
    title: str
    svg: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Note:
    text: str


@dataclasses.dataclass(frozen=True)
class Page:
    name: str
    title: str
    about: str
    blocks: list
    results: list  # of cells: for the manifest and the list of errors


@dataclasses.dataclass(frozen=True)
class Frame:
    """What stands around a page's blocks."""

    warnings: list = ()  # what to know before the numbers: sentences
    remarks: list = ()  # what is not on the page, though it is there: sentences
    manifest: list = ()  # where it comes from: (what, text)
    errors: list = ()  # of cells that failed: (cell, text)


def number(value, digits):
    """A finite number with so many digits behind the point."""
    if value is None or not math.isfinite(value):
        return Entry("-")
    return Entry(f"{value:.{digits}f}")


def significant(value, digits=3):
    """A positive number with so many significant digits, never in powers of ten."""
    if value is None or not math.isfinite(value):
        return Entry("-")
    if value == 0:
        return Entry("0")
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return Entry(f"{value:.{places}f}")


def significant_beside(limit, value, digits):
    """The same with as many digits more as it takes to show on which side of the limit it is; below
    is one, at the limit and above the other."""
    most = digits + 4
    entry = significant(value, digits)
    while digits < most and entry.text != "-" and (float(entry.text) < limit) != (value < limit):
        digits += 1
        entry = significant(value, digits)
    return entry


def mean_and_spread(values):
    """The mean, and the sample standard deviation: None of a single value."""
    spread = statistics.stdev(values) if len(values) > 1 else None
    return statistics.fmean(values), spread


def spread_text(mean, spread, digits=1):
    """"37.5 ± 0.4", or the mean alone."""
    return f"{mean:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")


def marks_of_highest(means):
    """BEST for the highest of {name: (mean, spread)}, all of them if several are equal; NEAR for
    those within its spread."""
    if not means:
        return {}
    best = max(means, key=lambda name: means[name][0])
    mean, spread = means[best]
    return {name: BEST if other == mean else NEAR if other >= mean - (spread or 0) else ""
            for name, (other, _) in means.items()}
