"""Block-sparse attention as its formula says it, dense and in double: what tests compare with."""

import torch


def entries(mask, block_size):
    """Of a mask of blocks: bool [..., L, L]."""
    return mask.repeat_interleave(block_size, -2).repeat_interleave(block_size, -1)


def attention(q, k, v, mask, block_size, *, valid=None, scale=None, pruned="zero"):
    """q, k, v: [B, H, L, d]; mask: [n, n] or [H, n, n]; valid: bool [B, L]."""
    q, k, v = q.double(), k.double(), v.double()
    kept = entries(mask, block_size).to(q.device)
    scores = (q @ k.transpose(-1, -2)) * (q.shape[-1] ** -0.5 if scale is None else scale)
    weights = torch.where(kept, scores.exp(), 0)
    if valid is not None:
        weights = weights * valid[:, None, None, :]
    total = weights.sum(-1, keepdim=True)
    if pruned == "zero":
        total = total + (~kept).sum(-1, keepdim=True)
    return _divided(weights, total) @ v


def _divided(weights, total):
    """0 where there is nothing to attend to, with gradients of 0."""
    return weights / torch.where(total > 0, total, 1)


def mean_map(q, k, *, valid=None):
    scores = (q.double() @ k.double().transpose(-1, -2)) * q.shape[-1] ** -0.5
    weights = scores.exp()
    if valid is not None:
        weights = weights * valid[:, None, None, :]
    total = weights.sum(-1, keepdim=True)
    return _divided(weights, total).mean((0, 1))


def error(result, truth):
    """||result - truth|| / ||truth||."""
    return ((result.double() - truth).norm() / truth.norm()).item()
