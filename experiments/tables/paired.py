"""Differences between runs of the same seeds: these begin with the same weights and see the same
batches, so what seeds make is left out.

    paired.compare({1001: 46.5, 1002: 44.5, 1003: 46.5}, {1001: 42.4, 1002: 42.5, 1003: 42.9})
"""

import bisect
import dataclasses
import math
import statistics

CONFIDENCE = 0.95
_ALL_SIGNS = 40  # differences at most: a million ways to change the signs of half of them


@dataclasses.dataclass(frozen=True)
class Difference:
    """first - second over `count` common seeds."""
    count: int
    mean: float
    half: float  # of the interval of 95 % by Student's t; None of one seed
    p: float  # of the exact sign-flip test of the mean, two-sided; None of more than 40 seeds

    @property
    def verdict(self):
        """"higher" or "lower" where the interval leaves 0 out, else "open"."""
        if self.half is None or abs(self.mean) <= self.half:
            return "open"
        return "higher" if self.mean > 0 else "lower"

    def text(self, digits=2):
        """"+3.26 (+2.22 to +4.30), p 0.06, 5 seeds"; p below 0.01 with one digit: "p 2e-06"."""
        mean = f"{self.mean:+.{digits}f}"
        if self.half is None:
            return f"{mean} (1 seed)"
        low, high = self.mean - self.half, self.mean + self.half
        interval = f"{mean} ({low:+.{digits}f} to {high:+.{digits}f})"
        if self.p is None:
            return f"{interval}, {self.count} seeds"
        p = f"{self.p:.2f}" if self.p >= 0.01 else f"{self.p:.0e}"
        return f"{interval}, p {p}, {self.count} seeds"


def compare(first, second):
    """The Difference of two {seed: value}; None if they have no seed in common."""
    differences = [first[seed] - second[seed] for seed in first if seed in second]
    if not differences:
        return None
    count, mean = len(differences), statistics.fmean(differences)
    half = None
    if count > 1:
        half = student(count - 1) * statistics.stdev(differences) / math.sqrt(count)
    return Difference(count, mean, half, sign_flip_p(differences))


def sign_flip_p(differences):
    """How many of all ways to give the differences their signs make a sum as far from 0; None of
    more than 40 differences.
    """
    if len(differences) > _ALL_SIGNS:
        return None
    found = abs(sum(differences))
    # Sums that are equal but for their rounding are equal.
    least = found - 1e-9 * max(1.0, found)
    if least <= 0:
        return 1.0
    # A way for all is one for each half: 2 times 2^(n/2) sums are looked at, not 2^n.
    middle = len(differences) // 2
    first, second = _signed_sums(differences[:middle]), sorted(_signed_sums(differences[middle:]))
    above = sum(len(second) - bisect.bisect_left(second, least - value) for value in first)
    return 2 * above / 2**len(differences)  # each with all signs changed is as far below 0


def _signed_sums(differences):
    sums = [0.0]
    for difference in differences:
        sums = [value + sign for sign in (difference, -difference) for value in sums]
    return sums


def _within(t, freedom):
    """The share of Student's distribution that lies within -t and t; Abramowitz and Stegun, 26.7.3
    and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    first = freedom % 2
    term = math.cos(angle) if first else 1.0
    total = 0.0
    for number in range(first + 2, freedom + 1, 2):
        total += term
        term *= square * (number - 1) / number
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if first else total


def student(freedom, share=CONFIDENCE):
    """The t within which that share lies, either side of 0, with so many degrees of freedom."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < share:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < share else (low, middle)
    return high
