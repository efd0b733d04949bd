"""Times what the Python package adds to the kernels: eager calls beside the same as a CUDA graph.

    bazel run //benchmarks:sparse_attention -- --print_cases=cases.json      (any machine)
    python3 benchmarks/peers/python_package.py --cases=cases.json

Needs the package, and a torch with CUDA for the cases; without a GPU only a problem of 16 tokens is
timed, on one thread of the CPU, which computes next to nothing. Forward and backward, bf16 (float32
on the CPU), microseconds: of a graph the GPU's, else by the clock on the wall, calls in a row, the
best of seven such series on the CPU and the median of five on a GPU.
"""

import json
import statistics
import sys
import time

import torch
from torch.nn.functional import scaled_dot_product_attention

import attention
import spion
from attention import command_line


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


def time_tiny(device, length):
    """One head of a sequence that fits one block."""
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    tensors = [torch.randn(1, 1, length, 32, device=device, dtype=dtype, requires_grad=True)
               for _ in range(3)]
    direction = torch.ones_like(tensors[0])
    pattern = spion.patterns.full(length, block_size=length).to(device)
    series = (100, 5, statistics.median) if device == "cuda" else (1000, 7, min)
    for name, attend in (("spion", lambda q, k, v: spion.block_sparse_attention(q, k, v, pattern)),
                         ("sdpa", scaled_dot_product_attention)):
        taken = wall_microseconds(
            lambda: torch.autograd.grad(attend(*tensors), tensors, direction), *series)
        print(f"{length} tokens on {device}, eager: {name} {taken:.1f} us", flush=True)


def time_case(case):
    problem = attention.Problem(case, torch.bfloat16)
    pattern = spion.BlockPattern(problem.kept, problem.block)

    def run():
        return attention.run_pass(
            problem, lambda q, k, v: spion.block_sparse_attention(q, k, v, pattern), "fwdbwd")

    eager = wall_microseconds(run, 100, 5, statistics.median)
    graph = attention.capture(run)
    replays = statistics.median(attention.gpu_seconds(graph.replay, 1000)) * 1e6
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
