"""Times a training step of the paper's encoder in plain PyTorch on this GPU: what a user has without SPION.

    bazel run //benchmarks:sparse_attention -- --print_cases=cases.json      (any machine)
    python3 benchmarks/peers/training_step.py --cases=cases.json

The paper's batch and length of image, listops and text; each compiled by torch.compile in two modes,
"default" and "reduce-overhead" (CUDA graphs), with SDPA and with FlexAttention over the case's pattern.
Prints for each the median of 40 steps, each from its start to the next one's by events; what tensors
take at most, and what PyTorch holds for them. Beside it on the same GPU:

    bundle/run lra --task=image --method=cf --preset=paper --steps=1000 --capture_interval=40 --dense_step_limit=120

Needs PyTorch 2.6 or later with CUDA, and no Bazel. A way that fails is a line with its error.
"""

import gc
import json
import os
import statistics
import sys

import packages
packages.want("torch")

import torch  # pylint: disable=wrong-import-position
import torch._dynamo  # pylint: disable=wrong-import-position
from torch.nn import functional  # pylint: disable=wrong-import-position
from torch.nn.attention.flex_attention import flex_attention  # pylint: disable=wrong-import-position

# It lies elsewhere in the repository, and beside this file in a bundle.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir,
                                "tools", "command_line"))
import command_line  # pylint: disable=wrong-import-position
import encoder  # pylint: disable=wrong-import-position
import gpu_time  # pylint: disable=wrong-import-position
import torch_peers  # pylint: disable=wrong-import-position
from problem import DEVICE, Problem  # pylint: disable=wrong-import-position

TASKS = {"image": (2, 256), "listops": (4, 32), "text": (2, 512)}  # layers, vocabulary
MODES = ("default", "reduce-overhead")
WARM, TIMED = 12, 40


def sdpa(q, k, v):
    return functional.scaled_dot_product_attention(q, k, v)


def flex_of(case):
    """FlexAttention over the case's pattern, in its own block size, or the least that it is fast at."""
    size = max(case["pattern"]["block_size"], 64)
    mask, options = torch_peers.block_mask(Problem(case, torch.bfloat16), size)

    def attend(q, k, v):
        return flex_attention(q, k, v, block_mask=mask, kernel_options=options)

    return attend


def measure(case, layers, vocabulary, attend, mode):
    """(milliseconds of a step, MiB at most, MiB held)"""
    torch._dynamo.reset()
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    model = encoder.Encoder(vocabulary, case["length"], [attend] * layers)
    training = encoder.Training(model, mode, case["batch"], case["length"], vocabulary, DEVICE)
    for _ in range(WARM):
        training.step()
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(TIMED + 1)]
    marks[0].record()
    for mark in marks[1:]:
        training.step()
        mark.record()
    torch.cuda.synchronize()
    steps = [before.elapsed_time(after) for before, after in zip(marks, marks[1:])]
    return (statistics.median(steps), torch.cuda.max_memory_allocated() / 2**20,
            torch.cuda.max_memory_reserved() / 2**20)


def main(arguments=None):
    parser = command_line.Parser(prog="training_step", description=__doc__)
    parser.add_argument("--cases", metavar="FILE", required=True,
                        help="what sparse_attention --print_cases wrote")
    parser.add_argument("--tasks", type=command_line.names_of(TASKS), default=tuple(TASKS),
                        help="by comma; all if not given")
    options = parser.parse_args(arguments)
    with open(options.cases, encoding="utf-8") as file:
        cases = {case["name"]: case for case in json.load(file)["cases"]}
    if DEVICE != "cuda":
        sys.exit("error: there is no GPU; the steps are of no interest on a CPU")
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}", flush=True)
    for task in options.tasks:
        for name, attend in (("sdpa", sdpa), ("flex", flex_of(cases[task]))):
            for mode in MODES:
                try:
                    told = "{:8.3f} ms {:8.0f} MiB {:8.0f} held".format(
                        *measure(cases[task], *TASKS[task], attend, mode))
                except Exception as error:  # a way that does not work is a result
                    told = gpu_time.one_line(error)
                print(f"{task:8} {name:5} {mode:16} {told}", flush=True)


if __name__ == "__main__":
    main()
