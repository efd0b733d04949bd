"""Layers under a PhaseController, and queries and keys whose maps settle. For the tests."""

import torch

import spion

LAYERS, LENGTH, INTERVAL = 2, 128, 2
OPTIONS = {"kind": "cf", "block_size": 16, "threshold": 0.7, "capture_interval": INTERVAL}


def settling(captures, seed=3):
    """Queries and keys [captures, layers, 2, 2, 2, L, 16] that change less and less at last."""
    generator = torch.Generator().manual_seed(seed)
    shape = (LAYERS, 2, 2, 2, LENGTH, 16)
    start, drift = (torch.randn(shape, generator=generator) for _ in range(2))
    # The distances of the last captures are equal, as far as steps of one size make them.
    return torch.stack([2 * (start + step * drift)
                        for step in (0, 1, 1.02, 1.04, 1.06, 1.08)[:captures]])


def run(controller, layers, heads, steps):
    captures = []
    for step in steps:
        if step % INTERVAL == 0:
            for layer, (q, k) in zip(layers, heads[step // INTERVAL - 1]):
                layer(q, k, k)
        else:
            for layer in layers:
                layer(heads[0, 0, 0], heads[0, 0, 1], heads[0, 0, 1])
        captures.append(controller.after_step(step))
    return [capture for capture in captures if capture is not None]


def new_layers():
    return torch.nn.ModuleList(spion.nn.SpionAttention() for _ in range(LAYERS))
