"""Grey pictures of 32 x 32 in ten classes: CIFAR-10's, or generated ones."""

import dataclasses
import pathlib
import pickle
from typing import Any

import torch
from torch import Tensor

SIDE, CLASSES = 32, 10
_BYTES = 3 * SIDE * SIDE
_WAY_OUT = ("give the folder that has cifar-10-batches-py or cifar-10-batches-bin, as the archives of "
            "CIFAR-10's authors unpack")


class DataError(Exception):
    """What is wrong with which file, and the way out."""


@dataclasses.dataclass(frozen=True)
class Pictures:
    """`pixels` uint8 [N, 1024], row by row, 0 is black; `labels` int64 [N], below 10."""

    pixels: Tensor
    labels: Tensor

    def batch(self, index: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Pixels as ids, int64 [B, 1024], and labels, of the examples at an index."""
        return self.pixels[index].long().to(device), self.labels[index].to(device)


def generate(count: int, seed: int) -> Pictures:
    """A disc on a noisy ground; its place on a circle and its brightness are the class's, roughly.

    The same for one seed.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (count,), generator=generator)
    angle = labels * (2 * torch.pi / CLASSES)
    middle = (SIDE - 1) / 2 + 7 * torch.stack([angle.sin(), angle.cos()])
    y, x = middle + torch.randn(2, count, generator=generator) * 1.5
    radius = 6 + 2 * torch.rand(count, generator=generator)
    brightness = 70 + 18 * labels + 10 * torch.randn(count, generator=generator)
    line = torch.arange(SIDE)
    squares = (line[:, None] - y[:, None, None])**2 + (line - x[:, None, None])**2
    disc = squares < radius[:, None, None]**2
    noise = torch.randn(count, SIDE, SIDE, generator=generator)
    ground = 40 + 15 * noise
    pixels = torch.where(disc, brightness[:, None, None] + 5 * noise, ground).clamp(0, 255)
    return Pictures(pixels.to(torch.uint8).flatten(1), labels)


def read_cifar10(folder: pathlib.Path) -> tuple[Pictures, Pictures]:
    """Train and test pictures of the Python or the binary version. Raises DataError."""
    for version, suffix, read in (("py", "", _read_pickled), ("bin", ".bin", _read_binary)):
        for place in (folder / f"cifar-10-batches-{version}", folder):
            names = [f"data_batch_{i}{suffix}" for i in range(1, 6)] + [f"test_batch{suffix}"]
            if (place / names[0]).is_file():
                *train, test = [_checked(place / name, read) for name in names]
                return Pictures(torch.cat([part.pixels for part in train]),
                                torch.cat([part.labels for part in train])), test
    raise DataError(f"{folder} has no CIFAR-10; {_WAY_OUT}")


def _checked(file: pathlib.Path, read: Any) -> Pictures:
    try:
        labels, colours = read(file)
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing, and others of CIFAR-10 are there; {_WAY_OUT}") from error
    if len(labels) == 0 or colours.shape != (len(labels), _BYTES) or labels.max() >= CLASSES:
        raise DataError(f"{file}: {len(labels)} labels up to {max(labels.tolist(), default=None)}, "
                        f"pictures {list(colours.shape)}, expected labels below {CLASSES}, and "
                        f"{_BYTES} bytes for each; the file is damaged, or none of CIFAR-10's")
    red, green, blue = colours.view(-1, 3, SIDE * SIDE).int().unbind(1)
    # In integers, as the weights of grey are published for.
    grey = (2989 * red + 5870 * green + 1140 * blue) // 10000
    return Pictures(grey.to(torch.uint8), labels.long())


def _read_binary(file: pathlib.Path) -> tuple[Tensor, Tensor]:
    content = bytearray(file.read_bytes())
    if not content or len(content) % (1 + _BYTES) != 0:
        raise DataError(f"{file}: {len(content)} bytes, expected records of {1 + _BYTES}; it is "
                        "truncated, or none of CIFAR-10's")
    records = torch.frombuffer(content, dtype=torch.uint8).view(-1, 1 + _BYTES)
    return records[:, 0], records[:, 1:].contiguous()


class _BatchReader(pickle.Unpickler):
    """Reads NumPy arrays and what Python has built in: a pickle could else run anything."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.split(".")[0], name) in {("numpy", "_reconstruct"), ("numpy", "ndarray"),
                                            ("numpy", "dtype"), ("_codecs", "encode")}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _read_pickled(file: pathlib.Path) -> tuple[Tensor, Tensor]:
    try:
        with file.open("rb") as stream:
            batch = _BatchReader(stream, encoding="bytes").load()
        return (torch.tensor(batch[b"labels"]),
                torch.frombuffer(bytearray(batch[b"data"].tobytes()), dtype=torch.uint8)
                .view(-1, _BYTES))
    except ModuleNotFoundError as error:
        raise DataError(f"{file} holds NumPy arrays, and there is no NumPy; pip install numpy, or take "
                        "the binary version") from error
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, IndexError,
            RuntimeError, ValueError) as error:
        raise DataError(f"{file} is no batch of CIFAR-10's Python version: {error!r}; it is damaged, "
                        "or none of CIFAR-10's") from error
