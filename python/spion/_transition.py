"""When the attention maps of a training have settled."""

import math
from collections.abc import Sequence

from spion import _checks


def check_limit(function: str, name: str, limit_percent: int) -> None:
    """Raises TypeError for what is no whole number, ValueError for one not from 0 to 100."""
    _checks.check_whole(function, **{name: limit_percent})
    if not 0 <= limit_percent <= 100:
        raise ValueError(f"{function}: {name} is {limit_percent}, expected 0 to 100 percent")


class TransitionTest:
    """Whether the distances between captured maps have stopped changing, in every layer.

    With D(i) a layer's Frobenius distance between its maps of the captures i - 1 and i, its change is
    |D(i) - D(i - 1)| / D(i - 1) * 100 percent. The maps have settled when the change, truncated to a
    whole number, is below the limit for every layer.

    Args:
        layers: how many there are; at least 1.
        limit_percent: the limit; a whole number from 0 (the maps never settle) to 100.

    Raises:
        TypeError, ValueError: for another limit or number of layers.

    Source: SPION, arXiv 2309.12578.
    """

    def __init__(self, layers: int, limit_percent: int = 15) -> None:
        _checks.check_whole("spion.TransitionTest", layers=layers)
        if layers < 1:
            raise ValueError(f"spion.TransitionTest: layers is {layers}, expected at least 1")
        check_limit("spion.TransitionTest", "limit_percent", limit_percent)
        self._layers = layers
        self._limit_percent = limit_percent
        self._previous: list[float] = []

    @property
    def distances(self) -> list[float]:
        """The newest, all that a test knows: giving them to a new test resumes it."""
        return list(self._previous)

    def observe(self, distances: Sequence[float]) -> tuple[list[float], bool]:
        """Takes the distances of the next capture, one a layer, from the second capture on.

        Returns:
            The change of each layer in percent (none at the first call; infinite after a distance of
            0), and whether the maps have settled.

        Raises:
            ValueError: if there is not one a layer, or one is negative or not finite; the test then
                stays as it was.
        """
        if len(distances) != self._layers:
            raise ValueError(f"spion.TransitionTest: {len(distances)} distances for {self._layers} "
                             "layers, expected one a layer")
        for layer, distance in enumerate(distances):
            if not (math.isfinite(distance) and distance >= 0):
                raise ValueError(f"spion.TransitionTest: distance {distance} of layer {layer}, "
                                 "expected a finite number of at least 0; look for NaN in its "
                                 "attention map")
        change = [_change_percent(*pair) for pair in zip(self._previous, distances)]
        self._previous = [float(distance) for distance in distances]
        # Below a whole limit is the same, truncated or not.
        settled = bool(change) and all(percent < self._limit_percent for percent in change)
        return change, settled


def _change_percent(before: float, now: float) -> float:
    if before == 0:
        return 0.0 if now == 0 else math.inf
    return abs(now - before) / before * 100
