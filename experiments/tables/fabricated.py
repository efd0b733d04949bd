"""Invented results of cells, of real sizes: for pages to be looked at without a run.

    fabricated.fill(store, cells)

A cell's name alone decides its numbers. Cells of FAILING fail, those of MISSING stay out.
"""

import collections
import hashlib
import json
import random

from cells import BENCHMARK, INFERENCE
from methods import SPION
from origin import Origin

FAILING = {("text", "dense"): "error: 39.06 GiB asked for, 12.17 GiB of the device's memory free",
           ("retrieval", "linformer"): "ended by SIGKILL\nstep 1400, loss 0.41\nstep 1500, loss 0.4"}
MISSING = {("pathfinder", "kernelised")}

_GPU = "an invented GPU, 141 GB"
# L, block size, layers, test accuracy and milliseconds a dense step that numbers lie around; of a
# task that has been added, some.
_TASKS = collections.defaultdict(lambda: (1024, 32, 2, 50, 30), {
    "listops": (2048, 64, 4, 37, 61), "text": (4096, 64, 4, 64, 220),
    "retrieval": (4096, 64, 4, 80, 430), "image": (1024, 32, 2, 41, 25),
    "pathfinder": (1024, 32, 2, 72, 24)})
_INFO = {"command": ["lra"], "seconds": 1800.0, "driver": "580.0 (invented)"}


def _pattern(cell, numbers, blocks):
    """The diagonal, its neighbours here and there, and as many columns as the settings ask for."""
    settings = dict(cell.settings)
    share = float(settings.get("density", 1 - float(settings.get("threshold", 0.96))))
    columns = numbers.sample(range(blocks), max(1, round(share * blocks)))
    return [sorted({row, *(column for column in columns if numbers.random() < 0.7),
                    *([row - 1] if row and numbers.random() < 0.4 else [])})
            for row in range(blocks)]


def _map(numbers, columns_of_row):
    uniform = 1 / len(columns_of_row) ** 2
    return [[uniform * numbers.uniform(3, 9) if column in columns else
             uniform * numbers.uniform(0.2, 1.5) for column in range(len(columns_of_row))]
            for columns in columns_of_row]


def _summary(cell, numbers, patterns):
    length, block, layers, accuracy, step = _TASKS[cell.task]
    sparse = cell.method in SPION
    of_method = random.Random(cell.task + cell.method + cell.variant)
    accuracy += of_method.uniform(-3, 1) + sparse + numbers.uniform(-0.6, 0.6)
    step *= random.Random(cell.task + cell.method).uniform(0.5, 1.3)
    kept_blocks, total = [sum(map(len, pattern)) for pattern in patterns], (length // block) ** 2
    kept = sum(kept_blocks) / max(1, len(patterns))
    return dict(task=cell.task, method=cell.method, seed=cell.seed, sequence_length=length,
                transition_step=numbers.randrange(400, 900) if sparse else None,
                kept_blocks=kept_blocks, total_blocks=total, test_accuracy=accuracy / 100,
                train_seconds=step * numbers.uniform(4, 5), step_ms=None if sparse else step,
                step_ms_dense=step if sparse else None,
                step_ms_sparse=step * (0.2 + 0.5 * kept / total) if sparse else None,
                peak_memory_mib=step * 150)


def _sha256(cell):
    return hashlib.sha256(cell.task.encode()).hexdigest()


def _origin(cell):
    return Origin("" if cell.kind == BENCHMARK else f"sha256-{_sha256(cell)}", _GPU)


def _manifest(cell):
    length, block, layers, _, _ = _TASKS[cell.task]
    return dict(
        task=cell.task, method=cell.method, seed=cell.seed, git_commit="0123456789abcdef" * 2,
        git_dirty=False, device="cuda:0", device_name=_GPU, torch_version="2.11.0+cu130",
        cuda_version="13.0.88", precision="bfloat16",
        data_source=dict(sha256=_sha256(cell), path="/data", generated=False,
                         description=f"invented {cell.task}: 96000 train, 2000 dev, 2000 test"),
        model=dict(sequence_length=length, vocabulary=256, classes=10, layers=layers, width=64,
                   feed_forward=128, heads=2, dropout=0.1),
        hyper_parameters=dict(
            batch_size=128, learning_rate=2e-3, warmup_steps=1000, steps=5000, beta1=0.9,
            beta2=0.999, epsilon=1e-6, weight_decay=0.0, gradient_limit=1.0, capture_interval=100,
            transition_limit_percent=15, dense_step_limit=0, block_size=block, density=0.04,
            threshold=0.96, shared_pattern=False, shuffled_pattern=False, excluded_pruned=False,
            continued_schedule=False,
            evaluation_interval=200, dev_examples=0, test_examples=0))


def _captures(summary, numbers):
    """Of a layer that begins further away than the one behind it; the last one settles."""
    layers, interval = len(summary["kept_blocks"]), 100
    earlier = None
    for step in range(interval, summary["transition_step"] + 1, interval):
        distance = [2.0 ** (3 - layer) * 0.8 ** (step / interval) * numbers.uniform(0.9, 1.1)
                    for layer in range(layers)] if step > interval else []
        change = [100 * abs(now - before) / before for now, before in zip(distance, earlier)] \
            if earlier else []
        yield dict(kind="capture", step=step, distance=distance, change_percent=change,
                   settled=step + interval > summary["transition_step"])
        earlier = distance


def _metrics(summary, numbers):
    for step in range(200, 5001, 200):
        reached = summary["test_accuracy"] * (1 - 0.6 * 0.5 ** (step / 600))
        yield dict(kind="train", step=step, step_ms=summary["step_ms"] or summary["step_ms_dense"])
        dev = dict(kind="dev", step=step, accuracy=reached + numbers.uniform(-0.01, 0.01))
        if summary["kept_blocks"] and step >= summary["transition_step"]:
            dev["pruned_share"] = [numbers.uniform(0.6, 0.95) for _ in summary["kept_blocks"]]
        yield dev


def _trace(cell, numbers):
    """One step: a range for each part, then the backward pass of each."""
    events, layers = [], _TASKS[cell.task][2]

    def run(name, category="user_annotation", **arguments):
        begin = sum(event["dur"] for event in events)
        events.append(dict(ph="X", cat=category, name=name, ts=begin, tid=1,
                           dur=numbers.randrange(200, 3000), args=arguments))

    attention = ("scores", "softmax", "weighted_sum") if cell.method == "dense" else ("attention",)
    layer = ("projections", *attention, "projections", "residual_stream", "mlp", "residual_stream")
    forward = ("residual_stream", *layer * layers, "classifier")
    run("spion:data")
    for number, part in enumerate(forward):
        run(f"spion:{part}", **{"Sequence number": number, "Fwd thread id": 0})
    for number in reversed(range(len(forward))):
        run("Backward0", "cpu_op", **{"Sequence number": number, "Fwd thread id": 1})
    run("spion:optimizer")
    step = "spion:sparse_step" if cell.method in SPION else "spion:step"
    events.append(dict(ph="X", cat="user_annotation", name=step, ts=0, tid=1,
                       dur=sum(event["dur"] for event in events), args={}))
    return dict(traceEvents=events)


def _training(cell, numbers, write):
    length, block, layers, _, _ = _TASKS[cell.task]
    patterns = [_pattern(cell, numbers, length // block) for _ in range(layers)] \
        if cell.method in SPION else []
    summary = _summary(cell, numbers, patterns)
    write("run/summary.json", json.dumps(summary))
    metrics = [*_metrics(summary, numbers), *(_captures(summary, numbers) if patterns else ())]
    write("run/metrics.jsonl", "\n".join(map(json.dumps, metrics)))
    if patterns:
        write("run/patterns.json", json.dumps(dict(layers=[
            dict(block_size=block, blocks_per_side=length // block,
                 kept_blocks=sum(map(len, pattern)), columns_of_row=pattern)
            for pattern in patterns])))
        write("run/attention_maps.json", json.dumps(dict(layers=[
            dict(mean_of_block=_map(numbers, pattern)) for pattern in patterns])))
    if cell.trace_steps:
        write("trace.json", json.dumps(_trace(cell, numbers)))


def _benchmark(numbers, write):
    runs = []
    for name, cost in (("spion", 1), ("dense", 9), ("sdpa_flash", 3)):
        for dtype, factor in (("bf16", 1), ("f32", 2.5)):
            for power in range(10, 16):
                run = dict(run_name=f"{name}/cuda/{dtype}/L{2**power}_b64_k8/fwdbwd",
                           run_type="iteration", time_unit="us",
                           real_time=cost * factor * 2**power * numbers.uniform(0.9, 1.1),
                           peak_bytes=cost * 2.0 ** (power + 16))
                if (name, power) == ("dense", 15):
                    run.update(error_occurred=True, error_message="80 GiB of scores do not fit")
                runs.append(run)
    write("benchmark.json", json.dumps(dict(
        context=dict(gpu=_GPU, commit="0123456789abcdef" * 2,
                     torch="2.11.0+cu130", cuda="13.0.88"), benchmarks=runs)))


def _fill(cell, write):
    numbers = random.Random(cell.id)
    if cell.kind == BENCHMARK:
        _benchmark(numbers, write)
        return
    write("run/manifest.json", json.dumps(_manifest(cell)))
    if cell.kind == INFERENCE:
        step = _TASKS[cell.task][4]
        write("run/evaluation.json", json.dumps(dict(
            batch_ms=step * numbers.uniform(0.1, 0.3), batch_size=128,
            peak_memory_mib=step * numbers.uniform(30, 50),
            peak_reserved_mib=step * numbers.uniform(60, 70),
            phase="sparse" if cell.method in SPION else "dense")))
    else:
        _training(cell, numbers, write)


def fill(store, cells):
    """Gives all `cells` their results, or their failure."""
    for number, cell in enumerate(cells):
        kind = (cell.task, cell.method)
        if kind in MISSING:
            continue
        info = {**_INFO, "finished": f"2026-01-{1 + number % 3:02d}T12:00:00+00:00"}
        with store.work_on(cell.on(_origin(cell))) as work:
            def write(name, text, folder=work.folder):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
            if kind in FAILING:
                work.fail(FAILING[kind], info)
            else:
                _fill(cell, write)
                work.finish(info)
