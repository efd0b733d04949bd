"""Does spion work here? ``python -m spion.selftest`` says so: in seconds, or a minute with a GPU.

Exit code 0 if all that can run here does; 1 if something fails.
"""

import argparse
import contextlib
import dataclasses
import io
import platform
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

import spion
from spion import _libraries

_HEADS, _LENGTH, _DIM, _BLOCK = 4, 256, 64, 32


class Skipped(Exception):
    """Why a check cannot run here."""


@dataclasses.dataclass(frozen=True)
class Check:
    """One line of the table: `run` returns what there is to say, or raises."""

    name: str
    run: Callable[[], str]


def _pattern(device: str) -> spion.BlockPattern:
    return spion.patterns.bigbird(_LENGTH, block_size=_BLOCK, random=1).to(device)


def _heads(device: str, dtype: torch.dtype = torch.float32, batch: int = 3,
           requires_grad: bool = False) -> list[Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return [torch.randn(batch, _HEADS, _LENGTH, _DIM, generator=generator).to(device, dtype)
            .requires_grad_(requires_grad) for _ in range(3)]


def _dense(q: Tensor, k: Tensor, v: Tensor, kept: Tensor) -> Tensor:
    """The same in the tensors' own precision, dense, pruned pairs left out."""
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return torch.where(kept, scores, float("-inf")).softmax(-1) @ v


def _kept_entries(pattern: spion.BlockPattern, device: str) -> Tensor:
    mask = pattern.mask.repeat_interleave(_BLOCK, 0).repeat_interleave(_BLOCK, 1)
    return mask.to(device)


def _error(result: Tensor, truth: Tensor) -> float:
    return ((result.double() - truth).norm() / truth.norm()).item()


def _with_gradients(function: Callable[..., Tensor], tensors: list[Tensor]) -> list[Tensor]:
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    out = function(*leaves)
    direction = torch.linspace(-1, 1, out.numel(), device=out.device, dtype=torch.float64)
    return [out.detach(), *torch.autograd.grad(out, leaves, direction.view(out.shape).to(out.dtype))]


def _accuracy(device: str, dtype: torch.dtype, tf32: bool = False) -> str:
    """Errors against double: at most twice torch's own attention's (gradients: three times)."""
    pattern = _pattern(device)
    tensors = _heads(device, dtype)
    kept = _kept_entries(pattern, device)
    truths = _with_gradients(lambda q, k, v: _dense(q, k, v, kept), [t.double() for t in tensors])
    ours = _with_gradients(
        lambda q, k, v: spion.block_sparse_attention(q, k, v, pattern, pruned="excluded", tf32=tf32),
        tensors)
    with _float32_products(tf32):
        theirs = _with_gradients(
            lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, attn_mask=kept), tensors)
    # A few roundoffs are granted to both.
    roundoff = 2.0**-11 if tf32 else torch.finfo(dtype).eps
    said = []
    for name, factor, our, their, truth in zip(("out", "dq", "dk", "dv"), (2, 3, 3, 3), ours, theirs,
                                               truths):
        error, limit = _error(our, truth), factor * _error(their, truth) + 4 * roundoff
        if not error <= limit:
            raise AssertionError(f"{name} is off by {error:.1e}, expected at most {limit:.1e}")
        said.append(f"{name} {error:.0e}")
    return "off by " + ", ".join(said)


@contextlib.contextmanager
def _float32_products(tf32: bool) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _map(device: str) -> str:
    q, k, _ = _heads(device)
    lengths = torch.tensor([_LENGTH, 1, 100], device=device)
    valid = torch.arange(_LENGTH, device=device) < lengths[:, None]
    scores = (q.double() @ k.double().transpose(-1, -2)) * _DIM**-0.5
    truth = torch.where(valid[:, None, None], scores, float("-inf")).softmax(-1).mean((0, 1))
    error = _error(spion.mean_attention_map(q, k, padding=lengths), truth)
    if not error <= 1e-5:
        raise AssertionError(f"off by {error:.1e}, expected at most 1e-05")
    return f"off by {error:.0e}"


def _second_derivative(device: str) -> str:
    tensors = _heads(device, requires_grad=True)
    out = spion.block_sparse_attention(*tensors, _pattern(device))
    gradient, = torch.autograd.grad(out.pow(2).sum(), tensors[:1], create_graph=True)
    try:
        gradient.sum().backward()
    except RuntimeError as error:
        if "differentiable once" in str(error):
            return "is refused"
        raise
    raise AssertionError("went through, with a wrong number")


def _refusal(device: str) -> str:
    try:
        spion.generate_pattern(torch.eye(_LENGTH + 1, device=device), "f", block_size=_BLOCK,
                               threshold=0.9)
    except ValueError:
        return "is a ValueError"
    raise AssertionError("went through, with a length that the blocks do not divide")


def _three_phases(device: str) -> str:
    layer = spion.nn.SpionAttention().to(device)
    controller = spion.PhaseController([layer], kind="cf", block_size=_BLOCK, threshold=0.9,
                                       capture_interval=1, dense_step_limit=3)
    tensors = _heads(device, requires_grad=True)
    for step in range(1, 5):
        layer(*tensors).sum().backward()
        controller.after_step(step)
    if controller.phase != "sparse":
        raise AssertionError("the dense phase did not end")
    return f"{layer.pattern.density:.0%} of the blocks kept"


def _compiled(device: str) -> str:
    """One graph for batches of any size: on a GPU by torch's own compiler.

    On a CPU that one takes a minute to compile what is not SPION's, by a C++ compiler that may not be
    there: the graph is run as it is.
    """
    backend = "aot_eager" if device == "cpu" else "inductor"
    if backend == "inductor" and not any(map(shutil.which, ("cc", "gcc", "clang"))):
        raise Skipped("torch.compile needs a C compiler for the GPU, and there is none")
    torch._dynamo.reset()
    pattern = _pattern(device)

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return spion.block_sparse_attention(q * 1.5, k, v, pattern).relu()

    compiled = torch.compile(attend, fullgraph=True, backend=backend)
    for batch in (2, 3, 5):
        tensors = _heads(device, batch=batch)
        for our, eager in zip(_with_gradients(compiled, tensors), _with_gradients(attend, tensors)):
            torch.testing.assert_close(our, eager, atol=1e-4, rtol=1e-4)
    return f"{backend}, one graph, batches of 2, 3 and 5"


def _cuda_graph(device: str) -> str:
    pattern = _pattern(device)
    tensors = _heads(device, torch.bfloat16, requires_grad=True)

    def step() -> list[Tensor]:
        out = spion.block_sparse_attention(*tensors, pattern)
        return [out, *torch.autograd.grad(out.sum(), tensors)]

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        recorded = step()
    with torch.no_grad():
        for tensor in tensors:
            tensor.mul_(0.5)
    graph.replay()
    if not all(torch.equal(*pair) for pair in zip(recorded, step())):
        raise AssertionError("a replay gives other numbers than the call")
    return "a replay gives the same bits"


def _checks_of(device: str) -> list[Check]:
    def check(name: str, function: Callable[..., str], *arguments: object) -> Check:
        return Check(name, lambda: function(device, *arguments))

    checks = [check("float32", _accuracy, torch.float32)]
    if device == "cuda":
        checks += [check("tf32", _accuracy, torch.float32, True),
                   check("bfloat16", _accuracy, torch.bfloat16),
                   check("float16", _accuracy, torch.float16)]
    checks += [check("mean attention map", _map), check("second derivative", _second_derivative),
               check("refusal", _refusal), check("three phases", _three_phases),
               check("torch.compile", _compiled)]
    return checks + ([check("CUDA graph", _cuda_graph)] if device == "cuda" else [])


def _outcome(check: Check) -> tuple[str, str]:
    """ok, skipped or FAILED, and what there is to say."""
    # A compiler may warn of what is no concern here.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return "ok", check.run()
        except Skipped as why:
            return "skipped", str(why)
        except Exception as error:  # whatever it is, the others are to run
            lines = str(error).strip().splitlines() or traceback.format_exc().splitlines()
            return "FAILED", f"{type(error).__name__}: {lines[0]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m spion.selftest",
                                     description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--version", action="version", version=f"SPION {spion.__version__}")
    parser.parse_args()
    print(f"spion {spion.__version__}, torch {torch.__version__}, Python {platform.python_version()}")
    devices = ["cpu"]
    obstacle = _libraries.gpu_obstacle()
    if obstacle is None:
        devices.append("cuda")
        print(f"GPU: {torch.cuda.get_device_name()}")
    failed = 0
    for device in devices:
        for check in _checks_of(device):
            started = time.monotonic()
            outcome, said = _outcome(check)
            failed += outcome == "FAILED"
            seconds = time.monotonic() - started
            print(f"{device:<5} {check.name:<19} {outcome:<8} {seconds:5.1f} s  {said}", flush=True)
    if obstacle is not None:
        print(f"cuda  all                 skipped           {obstacle}")
    print("something FAILED" if failed else "all that can run here works")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
