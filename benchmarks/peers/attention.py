"""Times what a user could take instead of SPION's attention, and SPION's, on this GPU, case by case.

    bazel run //benchmarks:sparse_attention -- --print_cases=cases.json      (any machine)
    python3 benchmarks/peers/attention.py --cases=cases.json --out=peers.json
    python3 benchmarks/peers/table.py peers.json --markdown

Needs PyTorch 2.6 or later with CUDA, and no Bazel. Peers: SPION by its Python package ("spion";
"spion_any_order" without deterministic gradients, where they have a kernel of their own);
FlexAttention, compiled, with the case's block mask in blocks of 128 ("flex128") and of the pattern's
own size ("flex32", "flex64"); SDPA by flash attention ("sdpa_flash") and by cuDNN ("sdpa_cudnn"),
dense; the block-sparse kernels of VSA ("vsa"), FlashAttention-4 ("fa4") and cuDNN ("cudnn_bsa"),
where their packages are there: package_peers.py says which. Passes: fwd, fwdbwd.

Each is checked against plain attention in double, captured as a CUDA graph, and timed by events
around its replays as benchmarks/gpu does; a peer that cannot be captured is launched plainly, which
is noted with its time. What gives no time is recorded with one word and the reason: absent (no
package), unfit (the peer has nothing for the case), wrong (the result is), failed.

Pruned entries are left out of the softmax, in the package's rows too; the benchmark in C++ counts
them as zeros. The work is the same.

The output has the form of Google Benchmark's JSON: nine repetitions of
<peer>/cuda/<dtype>/<case>/<pass>, each the median of its replays. It is written anew after each
benchmark, so that an interrupted run leaves what it has.
"""

import datetime
import gc
import json
import os
import re
import statistics
import sys

import packages
packages.want("torch")

import torch  # pylint: disable=wrong-import-position
import torch._dynamo  # pylint: disable=wrong-import-position

# It lies elsewhere in the repository, and beside this file in a bundle.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir,
                                "tools", "command_line"))
import command_line  # pylint: disable=wrong-import-position
import gpu_time  # pylint: disable=wrong-import-position
import oracle  # pylint: disable=wrong-import-position
import package_peers  # pylint: disable=wrong-import-position
import torch_peers  # pylint: disable=wrong-import-position
from problem import PASSES, Absent, Problem, Unfit, inputs_of, run_pass  # pylint: disable=wrong-import-position

DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}


class Output:
    """Google Benchmark's JSON, in `path` after each benchmark."""

    def __init__(self, path):
        self.path = path
        self.content = {
            "context": {
                "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                "gpu": torch.cuda.get_device_name(),
                "torch": torch.__version__,
                "cuda": torch.version.cuda,
                "cudnn": str(torch.backends.cudnn.version()),
                "copy_bandwidth_bytes_per_second": f"{gpu_time.copy_bandwidth():.4g}",
                "l2_cache": "warm",
            },
            "benchmarks": [],
        }
        self.write()

    def add_times(self, name, seconds, counters):
        for index, value in enumerate(seconds):
            self._add(name, repetitions=len(seconds), repetition_index=index, iterations=1,
                      real_time=value * 1e3, cpu_time=value * 1e3, time_unit="ms", **counters)
        self.write()
        print(f"{name:60} {statistics.median(seconds) * 1e3:10.4f} ms", flush=True)

    def add_error(self, name, message):
        self._add(name, error_occurred=True, error_message=message)
        self.write()
        print(f"{name:60} error: {message}", flush=True)

    def _add(self, name, **fields):
        self.content["benchmarks"].append(
            {"name": name, "run_name": name, "run_type": "iteration", **fields})

    def write(self):
        partial = self.path + ".partial"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(self.content, file, indent=1)
        os.replace(partial, self.path)


def reason_of(error):
    """One word, a colon, and what is behind it."""
    words = {Absent: "absent", Unfit: "unfit"}
    if type(error) in words:
        return f"{words[type(error)]}: {error}"
    return f"failed: {gpu_time.one_line(error)}"


def peers_of(case):
    """{name: function of a Problem that makes the peer}."""
    return {**package_peers.PEERS, **torch_peers.peers_of(case)}


def time_peer(output, problem, right, make, names):
    """Times one peer's passes, {name of the benchmark: pass}. What it throws is its result."""
    gc.collect()
    torch.cuda.empty_cache()
    try:
        peer = make(problem)
        inputs = inputs_of(problem, peer)
    except Exception as error:
        for name in names:
            output.add_error(name, reason_of(error))
        return
    for name, pass_name in names.items():
        try:
            wrong = right.find_wrong(peer, inputs, pass_name)
            if wrong:
                output.add_error(name, "wrong: " + wrong)
                continue
            seconds, peak, why_plain = gpu_time.measure(lambda: run_pass(peer, inputs, pass_name))
        except Exception as error:
            output.add_error(name, reason_of(error))
            continue
        counters = {"kept_blocks": problem.kept_blocks, "peak_bytes": peak}
        if why_plain:
            counters["launched_plainly"] = why_plain
        output.add_times(name, seconds, counters)


def time_case(output, case, dtype, wanted):
    """Times the wanted passes of all peers."""
    problem = None
    for peer, make in peers_of(case).items():
        names = {f"{peer}/cuda/{dtype}/{case['name']}/{name}": name for name in PASSES}
        names = {name: pass_name for name, pass_name in names.items() if wanted(name)}
        if names and problem is None:
            problem = Problem(case, DTYPES[dtype])
            right = oracle.Oracle(problem)
        if names:
            time_peer(output, problem, right, make, names)


def main():
    parser = command_line.Parser(prog="attention.py", description=__doc__)
    parser.add_argument("--cases", required=True, metavar="FILE",
                        help="what sparse_attention --print_cases wrote")
    parser.add_argument("--out", required=True, metavar="FILE", help="the JSON file to write")
    parser.add_argument("--filter", default="", metavar="REGEX",
                        help="a regular expression that names must match")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("attention.py: PyTorch sees no CUDA device; the peers are timed on a GPU only")
    try:
        with open(arguments.cases, encoding="utf-8") as file:
            cases = json.load(file)["cases"]
        pattern = re.compile(arguments.filter)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"attention.py: --cases={arguments.cases} cannot be read: {gpu_time.one_line(error)}")
    except re.error as error:
        sys.exit(f"attention.py: --filter={arguments.filter} is no regular expression: {error}")

    torch.set_float32_matmul_precision("high")  # tf32, as SPION's f32
    torch._dynamo.config.recompile_limit = 64
    output = Output(arguments.out)
    for case in cases:
        for dtype in DTYPES:
            time_case(output, case, dtype, pattern.search)


if __name__ == "__main__":
    main()
