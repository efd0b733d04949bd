"""What the ranks of torch.distributed do together. Where it is not up, this process is the only one."""

import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed


def _is_alone() -> bool:
    return not (distributed.is_available() and distributed.is_initialized()
                and distributed.get_world_size() > 1)


def gather(numbers: list[int], device: torch.device) -> list[list[int]]:
    """Those of each rank, by rank; as many on each. The device: one that the ranks can send from."""
    if _is_alone():
        return [numbers]
    own = torch.tensor(numbers, device=device)
    of_rank = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(of_rank, own)
    return [others.tolist() for others in of_rank]


def average(tensors: list[Tensor]) -> None:
    """In place, each over all ranks, where it has the same shape."""
    if _is_alone():
        return
    for tensor in tensors:
        distributed.all_reduce(tensor)
        tensor /= distributed.get_world_size()


def of_rank_0(decide: Callable[[], Any], device: torch.device) -> Any:
    """What it returns, or raises, on rank 0; told to the others by way of the device."""
    if _is_alone():
        return decide()
    told = b""
    if distributed.get_rank() == 0:
        try:
            told = pickle.dumps(decide())
        except ValueError as error:
            told = pickle.dumps(error)
        except Exception as error:  # whatever it is: else the others would wait forever
            told = pickle.dumps(RuntimeError(f"rank 0: {type(error).__name__}: {error}"))
    # torch's own way to send objects needs NumPy, which torch can do without.
    size = torch.tensor([len(told)], device=device)
    distributed.broadcast(size, src=0)
    content = torch.empty(int(size), dtype=torch.uint8, device=device)
    if told:
        content.copy_(torch.frombuffer(bytearray(told), dtype=torch.uint8))
    distributed.broadcast(content, src=0)
    outcome = pickle.loads(bytes(content.tolist()))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
