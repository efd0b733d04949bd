"""Times what a user could take instead of SPION's attention, on this GPU, at the same cases.

    bazel run //benchmarks:sparse_attention -- --print_cases=cases.json      (any machine)
    python3 benchmarks/peers/attention.py --cases=cases.json --out=peers.json

Needs PyTorch 2.6 or later with CUDA, and no Bazel. Peers: FlexAttention, compiled, with the case's
block mask in blocks of 128 ("flex128") and of the pattern's own size ("flex32", "flex64"); SDPA by
flash attention ("sdpa_flash") and by cuDNN ("sdpa_cudnn"), dense. Passes: fwd, fwdbwd. Each is
checked against plain attention in double where that fits, captured as a CUDA graph, and timed by
events around its replays as benchmarks/gpu does. A peer that fails is recorded with its error.

Pruned entries are left out of the softmax here; SPION counts them as zeros. The work is the same.

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

import torch
import torch._dynamo
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from torch.nn.functional import scaled_dot_product_attention

# It lies elsewhere in the repository, and beside this file in a bundle.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir,
                                "tools", "command_line"))
import command_line  # pylint: disable=wrong-import-position

DEVICE = "cuda"
DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}
PASSES = ("fwd", "fwdbwd")
SDPA_BACKENDS = {
    "sdpa_flash": SDPBackend.FLASH_ATTENTION,
    "sdpa_cudnn": SDPBackend.CUDNN_ATTENTION,
}
FLEX_BLOCK = 128  # FlexAttention's own choice

REPETITIONS = 9
SECONDS_A_REPETITION = 0.02
MOST_REPLAYS = 2000
# Launched ahead while the GPU spins for about half a millisecond, so that the time between two
# events is the GPU's and not the launch's.
IN_FLIGHT = 20
HEAD_START_CYCLES = 1_000_000

# Plain attention in double takes 8 bytes times L * L a head, a few times over.
LONGEST_CHECKED = 4096
# As benchmarks/oracle_check.cc: unit roundoff times (largest score 10, exponential 5, one sum).
TOLERANCE = {"bf16": 16 * 2.0**-9, "f32": 16 * 2.0**-11}  # f32 is computed as tf32
BACKWARD_TOLERANCE = 3


class Problem:
    """The tensors of one case in one dtype. kept: [n, n] bool, the blocks of the pattern."""

    def __init__(self, case, dtype):
        torch.manual_seed(1001)
        shape = [case["batch"], case["heads"], case["length"], case["head_dim"]]
        self.q, self.k, self.v, self.grad_out = (torch.randn(shape, device=DEVICE, dtype=dtype)
                                                 for _ in range(4))
        for tensor in (self.q, self.k, self.v):
            tensor.requires_grad_()
        pattern = case["pattern"]
        self.length, self.block = case["length"], pattern["block_size"]
        kept = torch.zeros([pattern["blocks_per_side"]] * 2, dtype=torch.bool)
        for row, columns in enumerate(pattern["columns_of_row"]):
            kept[row, columns] = True
        self.kept = kept.to(DEVICE)


# --- the peers: each makes a function of (q, k, v) ---


def sdpa(backend):
    """Dense attention by one of LibTorch's kernels."""

    def attend(q, k, v):
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(q, k, v)

    return attend


def flex(problem, size):
    """FlexAttention over the pattern in blocks of `size`, a multiple of the pattern's."""
    kept, block = problem.kept, problem.block

    def mask_mod(batch, head, query, key):
        return kept[query // block, key // block]

    group = size // block
    n = problem.length // size
    groups = kept.view(n, group, n, group)
    full = groups.all(3).all(1)
    partial = groups.any(3).any(1) & ~full
    mask = BlockMask.from_kv_blocks(*ordered_columns(partial), *ordered_columns(full),
                                    BLOCK_SIZE=size, mask_mod=mask_mod)
    names = ("BLOCK_M", "BLOCK_N", "BLOCK_M1", "BLOCK_N1", "BLOCK_M2", "BLOCK_N2")
    options = {} if size == FLEX_BLOCK else dict.fromkeys(names, size)
    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda q, k, v: compiled(q, k, v, block_mask=mask, kernel_options=options)


def ordered_columns(blocks):
    """Counts and columns, those of set blocks first, as BlockMask holds them: [1, 1, n(, n)]."""
    columns = torch.argsort(blocks.int(), dim=-1, descending=True, stable=True)
    return blocks.sum(-1, dtype=torch.int32)[None, None], columns.int()[None, None]


def peers_of(case):
    """{name: function of a Problem that makes the peer} for one case."""
    peers = {}
    # Dense attention does not depend on the pattern: the density sweep has the size of "image".
    if not case["name"].startswith("density_"):
        for name, backend in SDPA_BACKENDS.items():
            peers[name] = lambda _, backend=backend: sdpa(backend)
    for size in sorted({case["pattern"]["block_size"], FLEX_BLOCK}):
        peers[f"flex{size}"] = lambda problem, size=size: flex(problem, size)
    return peers


# --- passes, and whether they are right ---


def run_pass(problem, attend, name):
    if name == "fwd":
        with torch.no_grad():
            return [attend(problem.q, problem.k, problem.v)]
    out = attend(problem.q, problem.k, problem.v)
    return torch.autograd.grad(out, (problem.q, problem.k, problem.v), problem.grad_out)


def plain_attention(q, k, v, kept, block):
    scores = q @ k.transpose(2, 3) / q.shape[3]**0.5
    if kept is not None:
        mask = kept.repeat_interleave(block, 0).repeat_interleave(block, 1)
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ v


def find_wrong(problem, attend, sparse, dtype):
    """What is wrong with the first example's output and gradients, or "". A pass that throws is
    left out: timing it will throw too."""
    if problem.length > LONGEST_CHECKED:
        return ""
    inputs = [t[:1].detach().double().requires_grad_() for t in (problem.q, problem.k, problem.v)]
    out = plain_attention(*inputs, problem.kept if sparse else None, problem.block)
    grads = torch.autograd.grad(out, inputs, problem.grad_out[:1].double())
    for pass_name, names, expected, factor in (
            ("fwd", ["out"], [out], 1),
            ("fwdbwd", ["grad_q", "grad_k", "grad_v"], grads, BACKWARD_TOLERANCE)):
        try:
            found = run_pass(problem, attend, pass_name)
        except Exception:
            continue
        for name, result, right in zip(names, found, expected):
            error = ((result[:1].double() - right).norm() / right.norm()).item()
            allowed = TOLERANCE[dtype] * factor
            if not error <= allowed:
                return f"{name} is off by {error:.3g} of its norm, allowed is {allowed:.3g}"
    return ""


# --- time and memory ---


def capture(run):
    """`run` as a CUDA graph, after a few runs on a stream of their own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = run()  # kept while the graph is: their memory is the graph's
    graph.results = results
    return graph


def gpu_seconds(enqueue, count):
    """The GPU's seconds for each of `count` times what `enqueue` launches."""
    enqueue()
    seconds = []
    while len(seconds) < count:
        events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)]
                  for _ in range(min(IN_FLIGHT, count - len(seconds)))]
        torch.cuda._sleep(HEAD_START_CYCLES)
        for start, end in events:
            start.record()
            enqueue()
            end.record()
        torch.cuda.synchronize()
        seconds += [start.elapsed_time(end) * 1e-3 for start, end in events]
    return seconds


def peak_bytes(run):
    """The most memory that one run holds beyond what is there before it."""
    run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def measure(problem, attend, pass_name):
    """(seconds of each repetition, peak bytes)."""
    run = lambda: run_pass(problem, attend, pass_name)
    peak = peak_bytes(run)
    gc.collect()
    torch.cuda.empty_cache()
    graph = capture(run)
    one = statistics.median(gpu_seconds(graph.replay, 3))
    replays = max(1, min(MOST_REPLAYS, round(SECONDS_A_REPETITION / one)))
    return [statistics.median(gpu_seconds(graph.replay, replays))
            for _ in range(REPETITIONS)], peak


def copy_bandwidth():
    """Bytes read plus bytes written a second by a copy of 1 GiB."""
    source = torch.zeros(2**30, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    return 2 * 2**30 / statistics.median(gpu_seconds(lambda: target.copy_(source), 20))


# --- the output ---


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
                "copy_bandwidth_bytes_per_second": f"{copy_bandwidth():.4g}",
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


def one_line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def time_peer(output, case, dtype, peer, make, wanted):
    """Times the wanted passes of one peer. Whatever it throws is recorded as its result."""
    names = {f"{peer}/cuda/{dtype}/{case['name']}/{name}": name for name in PASSES}
    names = {name: pass_name for name, pass_name in names.items() if wanted(name)}
    if not names:
        return
    gc.collect()
    torch.cuda.empty_cache()
    try:
        problem = Problem(case, DTYPES[dtype])
        attend = make(problem)
        wrong = find_wrong(problem, attend, peer.startswith("flex"), dtype)
    except Exception as error:
        for name in names:
            output.add_error(name, one_line(error))
        return
    for name, pass_name in names.items():
        if wrong:
            output.add_error(name, "wrong result: " + wrong)
            continue
        try:
            seconds, peak = measure(problem, attend, pass_name)
        except Exception as error:
            output.add_error(name, one_line(error))
            continue
        output.add_times(name, seconds, {"kept_blocks": case["pattern"]["kept_blocks"],
                                         "peak_bytes": peak})


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
        sys.exit(f"attention.py: --cases={arguments.cases} cannot be read: {one_line(error)}")
    except re.error as error:
        sys.exit(f"attention.py: --filter={arguments.filter} is no regular expression: {error}")

    torch.set_float32_matmul_precision("high")  # tf32, as SPION's f32
    torch._dynamo.config.recompile_limit = 64
    output = Output(arguments.out)
    for case in cases:
        for dtype in DTYPES:
            for peer, make in peers_of(case).items():
                time_peer(output, case, dtype, peer, make, pattern.search)


if __name__ == "__main__":
    main()
