"""The bands of a loss over seeds, and whether a run stays inside.

    bands = bands_of({Point(100, DEV): [1.70, 1.74, 1.69, 1.71, 1.77], ...})
    bands[Point(100, DEV)].low <= loss <= bands[Point(100, DEV)].high
"""

import dataclasses
import math
import statistics

MIN_SEEDS = 5
DEVIATIONS = 4.0
# Below this a band would tell rounding and instruction sets apart, not trainings.
FLOOR = 0.02

RULE = (f"mean +- max({DEVIATIONS:g} s, {FLOOR:g}), s: the larger of the sample standard deviation "
        "over the seeds at this point and the median of those at the case's points of this loss")


@dataclasses.dataclass(frozen=True)
class Band:
    losses: tuple  # of each seed
    mean: float
    deviation: float  # sample standard deviation
    low: float
    high: float


def _half_width(deviation, typical):
    return max(DEVIATIONS * max(deviation, typical), FLOOR)


def bands_of(losses):
    """{point: Band} of {point: losses of each seed}; the rule is RULE.

    Five seeds tell a deviation within a factor of two, so that one that is small by chance would
    make a band that right runs leave: the median over the points stands in for it.
    """
    for point, values in losses.items():
        if len(values) < MIN_SEEDS:
            raise ValueError(f"{point}: losses of {len(values)} seeds; a band needs {MIN_SEEDS}")
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"{point}: losses {values}; all must be finite")
    deviations = {point: statistics.stdev(values) for point, values in losses.items()}
    bands = {}
    for point, values in losses.items():
        typical = statistics.median(deviation for other, deviation in deviations.items()
                                    if other.loss == point.loss)
        mean = statistics.fmean(values)
        half = _half_width(deviations[point], typical)
        bands[point] = Band(tuple(values), mean, deviations[point], mean - half, mean + half)
    return bands


def departures(bands, losses):
    """A line for each point at which `losses` ({point: loss}) is missing or outside its band."""
    lines = []
    for point, band in bands.items():
        loss = losses.get(point)
        told = (f"band {band.low:.3f} to {band.high:.3f} (mean {band.mean:.3f} and deviation "
                f"{band.deviation:.3f} over {len(band.losses)} seeds)")
        if loss is None:
            lines.append(f"{point}: missing; {told}")
        elif not band.low <= loss <= band.high:  # NaN is outside too
            side = "too low, training is faster than it was" if loss < band.low else (
                "too high, training is slower than it was" if loss > band.high else "not a number")
            lines.append(f"{point}: {loss:.3f} is {side}; {told}")
    return lines


def differences(reference, settings, path=""):
    """A line for each setting that is not the same in the reference and in a run."""
    lines = []
    for name in sorted({*reference, *settings}):
        here = f"{path}{name}"
        was, now = reference.get(name), settings.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            lines += differences(was, now, f"{here}.")
        elif was != now:
            lines.append(f"{here}: the bands were recorded with {was}, this run has {now}")
    return lines
