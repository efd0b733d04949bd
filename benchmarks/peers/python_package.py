"""Times what the Python package adds to the kernels: eager calls beside the same as a CUDA graph.

    bazel run //benchmarks:sparse_attention -- --print_cases=cases.json      (any machine)
    python3 benchmarks/peers/python_package.py --cases=cases.json

Needs the package, and a torch with CUDA for the cases; without a GPU, or without --cases, only a
problem is timed that computes next to nothing: one head of 64 tokens (16 on the CPU, on one thread),
beside what any attention costs that is called from Python. Forward and backward, bf16 (float32 on
the CPU), microseconds: of a graph the GPU's, else by the clock on the wall, calls in a row, the best
of seven such series on the CPU and the median of five on a GPU.
"""

import json
import statistics
import sys
import time

import packages
packages.want("torch", "spion")

import torch  # pylint: disable=wrong-import-position
from torch.nn.functional import scaled_dot_product_attention  # pylint: disable=wrong-import-position

import spion  # pylint: disable=wrong-import-position
from attention import command_line  # pylint: disable=wrong-import-position
from gpu_time import capture, gpu_seconds  # pylint: disable=wrong-import-position
from package_peers import spion as peer_of  # pylint: disable=wrong-import-position
from problem import Problem, inputs_of, run_pass  # pylint: disable=wrong-import-position


def wall_microseconds(run, calls, series, pick):
    for _ in range(20):
        run()
    taken = []
    for _ in range(series):
        wait()
        started = time.perf_counter()
        for _ in range(calls):
            run()
        wait()
        taken.append((time.perf_counter() - started) / calls * 1e6)
    return pick(taken)


def wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class Nothing(torch.autograd.Function):
    """What an autograd function in Python costs that computes nothing."""

    @staticmethod
    def forward(ctx, q, k, v):
        ctx.save_for_backward(q, k, v)
        return q.view_as(q)

    @staticmethod
    def backward(ctx, grad_out):
        _ = ctx.saved_tensors
        return grad_out, grad_out, grad_out


def time_tiny(device, length):
    """One head of a sequence that fits one block: of spion, and of what anyone has to pay."""
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    tensors = [torch.randn(1, 1, length, 32, device=device, dtype=dtype, requires_grad=True)
               for _ in range(3)]
    direction = torch.ones_like(tensors[0])
    pattern = spion.patterns.full(length, block_size=length).to(device)
    plain = [tensor.detach() for tensor in tensors]
    options = (*pattern.arguments(), None, 32**-0.5, True, True)

    def operators():
        out, log_sum_exp = torch.ops.spion.block_sparse_attention.default(*plain, *options)
        torch.ops.spion.block_sparse_attention_backward.default(
            direction, *plain, out, log_sum_exp, *options)

    def differentiated(function):
        return lambda: torch.autograd.grad(function(*tensors), tensors, direction)

    series = (100, 5, statistics.median) if device == "cuda" else (1000, 7, min)
    for name, run in (
            ("spion", differentiated(lambda *heads: spion.block_sparse_attention(*heads, pattern))),
            ("spion's two operators without autograd", operators),
            ("an autograd function in Python that computes nothing", differentiated(Nothing.apply)),
            ("SDPA", differentiated(scaled_dot_product_attention)),
            ("torch.addcmul, whose gradients are C++", differentiated(torch.addcmul))):
        taken = wall_microseconds(run, *series)
        print(f"{length} tokens on {device}, eager: {taken:6.1f} us, {name}", flush=True)


def time_case(case):
    problem = Problem(case, torch.bfloat16)
    peer = peer_of(problem)
    inputs = inputs_of(problem, peer)

    def run():
        return run_pass(peer, inputs, "fwdbwd")

    eager = wall_microseconds(run, 100, 5, statistics.median)
    graph = capture(run)
    replays = statistics.median(gpu_seconds(graph.replay, 1000)) * 1e6
    print(f"{case['name']}: CUDA graph {replays:.1f} us, eager {eager:.1f} us", flush=True)


def main():
    parser = command_line.Parser(prog="python_package.py", description=__doc__)
    parser.add_argument("--cases", metavar="FILE", help="what sparse_attention --print_cases wrote")
    parser.add_argument("--names", nargs="+", default=["image", "text", "retrieval", "listops"],
                        metavar="NAME", help="of the cases (default: image text retrieval listops)")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
        time_tiny("cpu", 16)
        return
    time_tiny("cuda", 64)
    if arguments.cases is None:
        return
    with open(arguments.cases, encoding="utf-8") as file:
        cases = {case["name"]: case for case in json.load(file)["cases"]}
    for name in arguments.names:
        if name not in cases:
            sys.exit(f"python_package.py: {arguments.cases} has no case {name}, expected one of "
                     f"{', '.join(cases)}")
        time_case(cases[name])


if __name__ == "__main__":
    main()
