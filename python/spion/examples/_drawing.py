"""Pictures of the examples, by matplotlib, which is imported only where one is drawn."""

import pathlib
from collections.abc import Sequence

from torch import Tensor

import spion

_INCHES = 2.6  # of one panel
_DENSE, _SPARSE = "#8a8a8a", "#1b6ca8"


def _axes(columns: int):
    """A figure without a screen, and its panels, side by side."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(_INCHES * 1.15 * columns, _INCHES), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _save(figure, path: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    print(f"drawn: {path}")


def _draw_pattern(axes, pattern: spion.BlockPattern, title: str) -> None:
    axes.imshow(pattern.mask.float().tolist(), cmap="Blues", vmin=0, vmax=1.3)
    axes.set_title(f"{title}: {pattern.density:.0%} of the blocks", fontsize=9)
    axes.set_xlabel(f"keys, in blocks of {pattern.block_size}", fontsize=8)
    axes.set_ylabel("queries", fontsize=8)
    axes.tick_params(labelsize=7)


def draw_times(path: pathlib.Path, pattern: spion.BlockPattern, lengths: Sequence[int],
               dense_ms: Sequence[float], sparse_ms: Sequence[float]) -> None:
    """A pattern, and times of forward and backward over the length."""
    figure, (left, right) = _axes(2)
    _draw_pattern(left, pattern, "Longformer")
    right.plot(lengths, dense_ms, "o-", color=_DENSE, label="SDPA, dense")
    right.plot(lengths, sparse_ms, "o-", color=_SPARSE, label="spion")
    right.set_xscale("log", base=2)
    right.set_yscale("log")
    right.set_xticks(lengths, [str(length) for length in lengths])
    right.set_title("forward and backward, ms", fontsize=9)
    right.set_xlabel("length, in tokens", fontsize=8)
    right.tick_params(labelsize=7)
    right.legend(fontsize=8)
    _save(figure, path)


def draw_maps_and_patterns(path: pathlib.Path, maps: Sequence[Tensor],
                           patterns: Sequence[spion.BlockPattern]) -> None:
    """Each layer's attention map, averaged over its blocks, and the pattern that came of it."""
    figure, axes = _axes(2 * len(maps))
    for layer, (map, pattern) in enumerate(zip(maps, patterns)):
        side, block = pattern.blocks_per_side, pattern.block_size
        means = map.cpu().view(side, block, side, block).mean((1, 3))
        shown = axes[2 * layer]
        shown.imshow(means.clamp_min(means.max() / 1000).log().tolist(), cmap="magma")
        shown.set_title(f"layer {layer}: attention map (log)", fontsize=9)
        shown.set_xlabel(f"keys, in blocks of {block}", fontsize=8)
        shown.tick_params(labelsize=7)
        _draw_pattern(axes[2 * layer + 1], pattern, "pattern")
    _save(figure, path)


def draw_losses(path: pathlib.Path, losses: Sequence[float], transition: int) -> None:
    """The loss of each step, and where the sparse phase begins."""
    figure, (axes,) = _axes(1)
    figure.set_figwidth(_INCHES * 2)
    steps = range(1, len(losses) + 1)
    axes.plot(steps[:transition], losses[:transition], color=_DENSE, label="dense phase")
    axes.plot(steps[transition - 1:], losses[transition - 1:], color=_SPARSE, label="sparse phase")
    axes.axvline(transition, color="black", linewidth=0.8, linestyle=":")
    axes.set_title("loss", fontsize=9)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=8)
    _save(figure, path)
