"""reference.json: the bands of all cases, and how they were made."""

import dataclasses
import json
import os
import pathlib

from bands import RULE, bands_of
from losses import Point

_DIGITS = 4  # of a loss; bands follow from the rounded ones, so that the file can be checked


class BadReference(Exception):
    """What is wrong with the file, and the way out."""


@dataclasses.dataclass(frozen=True)
class CaseReference:
    made: dict  # when and with what
    settings: dict  # of run_case.settings_in
    bands: dict  # of bands.bands_of


def make_case(made, settings, runs):
    """The reference of a case from the losses of its runs, {point: loss} each."""
    losses = {point: [round(run[point], _DIGITS) for run in runs] for point in runs[0]}
    return CaseReference(made, settings, bands_of(losses))


def _point_json(point, band):
    return {"step": point.step, "loss": point.loss, "mean": round(band.mean, _DIGITS),
            "deviation": round(band.deviation, _DIGITS), "min": min(band.losses),
            "max": max(band.losses), "low": round(band.low, _DIGITS),
            "high": round(band.high, _DIGITS), "losses": list(band.losses)}


def to_text(cases):
    """The file's text of {name: CaseReference}: one line a point, so that a change reads well."""
    parts = []
    for name, case in sorted(cases.items()):
        points = ",\n".join("        " + json.dumps(_point_json(point, band))
                            for point, band in case.bands.items())
        parts.append(f'    {json.dumps(name)}: {{\n'
                     f'      "made": {json.dumps(case.made)},\n'
                     f'      "settings": {json.dumps(case.settings)},\n'
                     f'      "points": [\n{points}\n      ]\n    }}')
    return (f'{{\n  "rule": {json.dumps(RULE)},\n  "cases": {{\n' + ",\n".join(parts)
            + "\n  }\n}\n")


def from_text(text):
    """{name: CaseReference}; raises BadReference if the file does not follow from its losses."""
    content = json.loads(text)
    if content["rule"] != RULE:
        raise BadReference(f'the bands follow the rule "{content["rule"]}", the code has "{RULE}"; '
                           "record them anew")
    cases = {}
    for name, case in content["cases"].items():
        bands = bands_of({Point(point["step"], point["loss"]): point["losses"]
                          for point in case["points"]})
        for (point, band), stored in zip(bands.items(), case["points"]):
            if stored != _point_json(point, band):
                raise BadReference(f"{name}, {point}: {stored} does not follow from its losses by "
                                   "the rule; record it anew, don't edit it")
        cases[name] = CaseReference(case["made"], case["settings"], bands)
    return cases


def load(path):
    return from_text(pathlib.Path(path).read_text(encoding="utf-8"))


def save(cases, path):
    """Whole or not at all."""
    path = pathlib.Path(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(to_text(cases), encoding="utf-8")
    os.replace(partial, path)
