"""Loads the operators into torch."""

import pathlib

import torch

_OLDEST_TORCH = (2, 11)
_CUDA_MAJOR = "13"


def _check_torch(version: str) -> None:
    """Raises ImportError for a torch that the operators cannot be loaded into."""
    numbers = tuple(int(number) for number in version.split("+")[0].split(".")[:2])
    if numbers < _OLDEST_TORCH:
        raise ImportError(f"spion needs torch 2.11 or later, this is torch {version}; "
                          "pip install --upgrade torch")


def _cuda_obstacle(library: pathlib.Path, cuda_version: str | None) -> str | None:
    """Why the operators take no tensors of a GPU here; None if they do."""
    if not library.exists():
        return "this build of spion has no CUDA operators; install a wheel that was built with nvcc"
    if cuda_version is None:
        return "this torch has no CUDA; install one that has"
    if cuda_version.split(".")[0] != _CUDA_MAJOR:
        return (f"this torch is built for CUDA {cuda_version}, spion for CUDA {_CUDA_MAJOR}; "
                f"install a torch for CUDA {_CUDA_MAJOR}")
    return None


def gpu_obstacle() -> str | None:
    """Why nothing of this package can run on a GPU here; None if it can."""
    if CUDA_OBSTACLE is not None:
        return CUDA_OBSTACLE
    return None if torch.cuda.is_available() else "torch finds no GPU"


_folder = pathlib.Path(__file__).parent
_cuda_library = _folder / "libspion_cuda.so"

_check_torch(torch.__version__)
torch.ops.load_library(str(_folder / "libspion.so"))
CUDA_OBSTACLE = _cuda_obstacle(_cuda_library, torch.version.cuda)
if CUDA_OBSTACLE is None:
    torch.ops.load_library(str(_cuda_library))
