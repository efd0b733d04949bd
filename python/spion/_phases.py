"""SPION's three phases, for any model."""

import dataclasses
import logging
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from spion import _checks, _ranks
from spion._pattern import LARGEST_BLOCK, BlockPattern, generate_mask, warn_of_unused
from spion._transition import TransitionTest, check_limit
from spion.nn import SpionAttention

_log = logging.getLogger("spion")


@dataclasses.dataclass(frozen=True)
class Capture:
    """What one capture showed.

    Attributes:
        step: when.
        index: 1 for the first.
        distance: a layer's Frobenius distance from its map of the capture before; from the second on.
        change_percent: how much that has changed; from the third on.
        settled: whether the transition test says so.
        transition: whether the dense phase ended here: settled, or by the step limit.
        density: at the transition, the share of blocks that each layer keeps.
        pattern_seconds: at the transition, how long the patterns took.
        maps: at the transition, what each layer's pattern was made from, float32 [L, L].
    """

    step: int
    index: int
    distance: list[float] = dataclasses.field(default_factory=list)
    change_percent: list[float] = dataclasses.field(default_factory=list)
    settled: bool = False
    transition: bool = False
    density: list[float] = dataclasses.field(default_factory=list)
    pattern_seconds: float = 0.0
    maps: list[Tensor] = dataclasses.field(default_factory=list, repr=False, compare=False)

    def __str__(self) -> str:
        said = f"step {self.step}: capture {self.index}"
        if self.change_percent:
            said += ", distances changed by " + _joined(self.change_percent, ".1f") + " %"
        if self.transition:
            why = "settled" if self.settled else "the step limit"
            said += (f"; sparse from here on ({why}), keeping "
                     + _joined([100 * share for share in self.density], ".1f")
                     + f" % of the blocks, patterns made in {self.pattern_seconds:.2f} s")
        return said


class PhaseController:
    """Captures attention maps, finds when they have settled, and makes the layers sparse then.

        controller = spion.PhaseController(layers, kind="cf", block_size=32, threshold=0.96,
                                           capture_interval=100)
        for step in range(1, steps + 1):
            ...  # forward, backward, optimiser
            capture = controller.after_step(step)

    Every capture_interval steps the layers compute their attention map in the first forward pass of
    the step. From the third capture on the transition test looks at the maps; when they have settled,
    each layer gets the pattern of its own map and is sparse from the next step on. Until then the
    layers refuse to train on what they could not take with a pattern, by what block_sparse_attention
    raises: another head dimension or dtype, keys of another length than queries, or a length that
    block_size does not divide.

    With torch.distributed up, maps are averaged over ranks (of equal batches), and rank 0 decides and
    makes the patterns.

    Args:
        layers: the model's, in its order, each once; of one length.
        kind, block_size, threshold, density, filter_width: as generate_pattern takes them.
        capture_interval: in steps; at least 1.
        transition_limit_percent: as TransitionTest takes it.
        dense_step_limit: the dense phase ends with the last capture up to this step, settled or not;
            None for no limit.
        shared_pattern: whether all layers get one pattern, made from the mean of their maps.

    Raises:
        TypeError: for a layer that is no spion.nn.SpionAttention, or what is no number.
        ValueError: for no layers, some of which are sparse and some are not, or a number out of its
            range.

    Source: SPION, arXiv 2309.12578.
    """

    def __init__(self, layers: Sequence[SpionAttention], *, kind: str = "cf", block_size: int,
                 threshold: float | None = None, density: float | None = None,
                 filter_width: int = 31, capture_interval: int,
                 transition_limit_percent: int = 15, dense_step_limit: int | None = None,
                 shared_pattern: bool = False) -> None:
        layers = list(layers)
        if not layers:
            raise ValueError("spion.PhaseController: no layers, expected at least one "
                             "spion.nn.SpionAttention")
        for number, layer in enumerate(layers):
            # By what is called: torch.compile's wrapper of a layer has it too.
            if not hasattr(layer, "request_map"):
                raise TypeError(f"spion.PhaseController: layer {number} is a {type(layer).__name__}, "
                                "expected a spion.nn.SpionAttention; spion.convert(model).layers has "
                                "those that it put into a model")
            if any(layer is earlier for earlier in layers[:number]):
                raise ValueError(f"spion.PhaseController: layer {number} is there before, expected each "
                                 "layer once")
        is_sparse = [layer.pattern is not None for layer in layers]
        if any(is_sparse) and not all(is_sparse):
            raise ValueError(f"spion.PhaseController: {sum(is_sparse)} of {len(layers)} layers have a "
                             "pattern, expected all or none; layer.set_pattern(None) takes it away")
        _checks.check_flag("spion.PhaseController", "shared_pattern", shared_pattern)
        _checks.check_whole("spion.PhaseController", capture_interval=capture_interval)
        if capture_interval < 1:
            raise ValueError(f"spion.PhaseController: capture_interval is {capture_interval}, "
                             "expected at least 1 step")
        if dense_step_limit is not None:
            _checks.check_whole("spion.PhaseController", dense_step_limit=dense_step_limit)
            if dense_step_limit < capture_interval:
                raise ValueError(f"spion.PhaseController: dense_step_limit is {dense_step_limit}, "
                                 f"before the first capture at step {capture_interval}")
        check_limit("spion.PhaseController", "transition_limit_percent", transition_limit_percent)
        self._layers = layers
        self._generator = {"kind": kind, "block_size": block_size, "threshold": threshold,
                           "density": density, "filter_width": filter_width}
        # Bad numbers are said now, and not after hours of training. All block sizes divide this map.
        generate_mask(torch.eye(LARGEST_BLOCK, device="cpu"), **self._generator)
        warn_of_unused("spion.PhaseController", kind, density, threshold)
        self._interval, self._limit = capture_interval, dense_step_limit
        self._shared = shared_pattern
        self._transition_limit = transition_limit_percent
        self._settings = {name: _as_python_has_it(value) for name, value in {
            **self._generator, "capture_interval": capture_interval,
            "transition_limit_percent": transition_limit_percent, "dense_step_limit": dense_step_limit,
            "shared_pattern": shared_pattern}.items()}
        self._test = self._test_after([])
        self._phase = "sparse" if is_sparse[0] else "dense"
        self._captures = 0
        self._step = 0
        self._previous_maps: list[Tensor] = []
        for layer in self._layers:
            layer._planned_block_size = block_size
        self._request_maps_of(1)

    @property
    def phase(self) -> str:
        """"dense" or "sparse"."""
        return self._phase

    def is_capture_step(self, step: int) -> bool:
        """Whether the layers' maps are looked at in this step, counted from 1."""
        return self._phase == "dense" and step % self._interval == 0

    def after_step(self, step: int) -> Capture | None:
        """To be called after each step, counted from 1.

        Returns:
            On a capture step what it showed, which the logger "spion" has too; else None.

        Raises:
            TypeError, ValueError: for what is no step, or not after the one before.
            RuntimeError: on a capture step in which a layer computed no map: its forward pass was not
                run, not in training mode, or a call for the step before was left out.
            ValueError: for maps that no pattern can be made of: with NaN, of another length than
                another rank's, or than those before, with which these then count as the first capture.
            After any of these the next step may follow.
        """
        _checks.check_whole("spion.PhaseController.after_step", step=step)
        if step < 1:
            raise ValueError(f"spion.PhaseController.after_step: step is {step}, expected at least 1: "
                             "steps are counted from 1")
        if step <= self._step:
            raise ValueError(f"spion.PhaseController.after_step: step is {step} after step "
                             f"{self._step}; count steps through the whole training, and call it once "
                             "after each; load_state_dict goes back to an earlier one")
        try:
            capture = self._look_at_maps(step) if self.is_capture_step(step) else None
        finally:
            self._request_maps_of(step + 1)
        self._step = step
        if capture is not None:
            _log.info("%s", capture)
        return capture

    def _request_maps_of(self, step: int) -> None:
        if self.is_capture_step(step):
            for layer in self._layers:
                layer.request_map()

    def _look_at_maps(self, step: int) -> Capture:
        maps = self._take_maps(step)
        _ranks.average(maps)
        self._check_maps(step, maps)
        started = time.monotonic()
        capture, masks = _ranks.of_rank_0(lambda: self._decide(step, maps), maps[0].device)
        self._captures = capture.index
        self._test = self._test_after(capture.distance)  # rank 0's has seen them, the others' not
        if not capture.transition:
            self._previous_maps = maps
            return capture
        for layer, mask, map in zip(self._layers, masks, maps):
            layer.set_pattern(BlockPattern(mask, self._generator["block_size"]).to(map.device))
        self._phase, self._previous_maps = "sparse", []
        return dataclasses.replace(capture, pattern_seconds=time.monotonic() - started, maps=maps)

    def _take_maps(self, step: int) -> list[Tensor]:
        """One a layer; or an error, on each rank the same."""
        maps = [None if layer._map is None else layer.take_map() for layer in self._layers]
        there = [map for map in maps if map is not None]
        # A layer that was never moved may be where no rank can send from.
        device = (there[0] if there else self._layers[0]._place).device
        lengths = [0 if map is None else len(map) for map in maps]
        self._check_lengths(step, _ranks.gather(lengths, device))
        return there

    @staticmethod
    def _check_lengths(step: int, of_rank: list[list[int]]) -> None:
        """Of each rank's maps, by layer; 0: none."""
        for rank, lengths in enumerate(of_rank):
            if 0 in lengths:
                where = f" on rank {rank}" if len(of_rank) > 1 else ""
                raise RuntimeError(
                    f"spion.PhaseController: layer {lengths.index(0)} computed no attention map in step "
                    f"{step}{where}; run its forward pass in training mode in each step, and call "
                    "after_step after each, none left out")
            if lengths != of_rank[0]:
                raise ValueError(f"spion.PhaseController: rank {rank} has attention maps of lengths "
                                 f"{lengths}, rank 0 of {of_rank[0]}; pad all batches, on all ranks, to "
                                 "one length")

    def _check_maps(self, step: int, maps: list[Tensor]) -> None:
        """The same on each rank, as the maps are."""
        for number, map in enumerate(maps):
            if not map.isfinite().all():
                raise ValueError(f"spion.PhaseController: the attention map of layer {number} in step "
                                 f"{step} has numbers that are not finite; look for NaN in its q and k")
        for map, before in zip(maps, self._previous_maps):
            if map.shape != before.shape:
                self._previous_maps, self._captures = maps, 1
                self._test = self._test_after([])
                raise ValueError(f"spion.PhaseController: an attention map of {list(map.shape)} after "
                                 f"one of {list(before.shape)}; pad all batches to one length")

    def _test_after(self, distance: list[float]) -> TransitionTest:
        """One that stands where the capture of these distances left it."""
        test = TransitionTest(len(self._layers), self._transition_limit)
        if distance:
            test.observe(distance)
        return test

    def _decide(self, step: int, maps: list[Tensor]) -> tuple[Capture, list[Tensor]]:
        """What the maps show, and at the transition the layers' masks."""
        distance: list[float] = []
        change: list[float] = []
        settled = False
        if self._previous_maps:
            distance = [_distance(*pair) for pair in zip(maps, self._previous_maps)]
            change, settled = self._test.observe(distance)
        is_last = self._limit is not None and step + self._interval > self._limit
        transition = settled or is_last
        masks = self._masks(maps) if transition else []
        return Capture(step=step, index=self._captures + 1, distance=distance, change_percent=change,
                       settled=settled, transition=transition,
                       density=[mask.float().mean().item() for mask in masks]), masks

    def _masks(self, maps: list[Tensor]) -> list[Tensor]:
        if self._shared:
            return [generate_mask(torch.stack(maps).mean(0), **self._generator)] * len(maps)
        return [generate_mask(map, **self._generator) for map in maps]

    def state_dict(self) -> dict[str, Any]:
        """All that it knows, and by which settings, to be saved after after_step.

        Patterns are in the layers' state_dict.
        """
        return {"settings": dict(self._settings), "phase": self._phase, "captures": self._captures,
                "distance": self._test.distances, "previous_maps": list(self._previous_maps),
                "maps_requested": any(layer._map_requested for layer in self._layers)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from there. The model's state_dict, which has the patterns, is to be loaded first.

        States of earlier versions have no settings; what they lack is not compared.

        Raises:
            ValueError: for what no controller saved, or a state of other settings, of another phase or
                of another number of layers; the controller then stays as it was.
        """
        self._check_state(state)
        self._check_settings(state.get("settings", {}))
        is_sparse = [layer.pattern is not None for layer in self._layers]
        if is_sparse != [state["phase"] == "sparse"] * len(self._layers):
            raise ValueError(f"spion.PhaseController: a state of the {state['phase']} phase, but "
                             f"{sum(is_sparse)} of {len(is_sparse)} layers have a pattern; load the "
                             "model's state_dict of the same step first")
        maps = state["previous_maps"]
        if len(maps) not in (0, len(self._layers)):
            raise ValueError(f"spion.PhaseController: a state of {len(maps)} layers, expected "
                             f"{len(self._layers)}")
        test = self._test_after(state["distance"])
        self._step = 0
        self._phase, self._captures = state["phase"], state["captures"]
        self._previous_maps, self._test = list(maps), test
        for layer in self._layers:
            layer._map_requested = state["maps_requested"]

    def _check_state(self, state: dict[str, Any]) -> None:
        is_dict = isinstance(state, dict)
        lacking = [name for name in self.state_dict()
                   if name != "settings" and not (is_dict and name in state)]
        if lacking:
            raise ValueError(f"spion.PhaseController: a state without {', '.join(lacking)}; load what "
                             "a controller's state_dict() returned")
        fits = {
            "settings": isinstance(state.get("settings", {}), dict),
            "phase": state["phase"] in ("dense", "sparse"),
            "captures": isinstance(state["captures"], int) and state["captures"] >= 0,
            "distance": _is_list_of(float, state["distance"]),
            "previous_maps": (_is_list_of(Tensor, state["previous_maps"])
                              and all(map.dim() == 2 for map in state["previous_maps"])),
            "maps_requested": isinstance(state["maps_requested"], bool)}
        wrong = [name for name, is_right in fits.items() if not is_right]
        if wrong:
            raise ValueError(f"spion.PhaseController: a state whose {', '.join(wrong)} no controller "
                             "saved; load what a controller's state_dict() returned")

    def _check_settings(self, there: dict[str, Any]) -> None:
        differences = [f"{name} was {there[name]!r} and is {here!r}"
                       for name, here in self._settings.items()
                       if name in there and there[name] != here]
        if differences:
            raise ValueError("spion.PhaseController: a state of other settings: "
                             f"{', '.join(differences)}; make the controller by those that it has, or "
                             "delete its \"settings\" to go on by others")


def _as_python_has_it(number: Any) -> Any:
    """Of NumPy's, too: else torch.load would refuse the state."""
    return number.item() if hasattr(number, "item") else number


def _is_list_of(kind: type, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def _joined(numbers: Sequence[float], form: str) -> str:
    return ", ".join(format(number, form) for number in numbers)


def _distance(map: Tensor, before: Tensor) -> float:
    # In double: the sum runs over L * L squares.
    difference = map - before.to(map.device)
    return torch.linalg.vector_norm(difference, dtype=torch.float64).item()
