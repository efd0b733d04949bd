"""What programs leave at least, for tests of what is done with it.

    with store.work_on(cell) as work:
        small_runs.write(work.folder, cell)
        work.finish({})
"""

import json

from cells import BENCHMARK, INFERENCE

COMMIT, TORCH = "c0ffee" * 6 + "c0ff", "2.11.0"


def manifest(cell, device_name="a machine", commit=COMMIT, torch=TORCH):
    """manifest.json of a run on the cell's origin; `device_name` is that of a CPU."""
    data, device = cell.origin.data, cell.origin.device
    is_real = data.startswith("sha256-")
    sizes = "{} train, {} dev, {} test examples".format(*data.split("-")[1:]) if not is_real else ""
    return dict(task=cell.task, method=cell.method, seed=cell.seed, git_commit=commit,
                git_dirty=False, device="cpu" if device == "cpu" else "cuda:0",
                device_name=device_name if device == "cpu" else device, torch_version=torch,
                cuda_version="13.0", precision="float32",
                data_source=dict(generated=not is_real, path="/data" if is_real else "",
                                 sha256=data.removeprefix("sha256-") if is_real else "ab" * 32,
                                 description=f"from files {sizes}"))


def write(folder, cell, **made_with):
    """All files that a run or benchmark on the cell's origin must leave in the cell's `folder`."""
    if cell.kind == BENCHMARK:
        context = {"gpu": cell.origin.device} if cell.origin.device != "cpu" else {}
        (folder / "benchmark.json").write_text(json.dumps(
            dict(context=dict(cpu="a machine", **context), benchmarks=[])))
        return
    (folder / "run").mkdir()
    written = {"manifest.json": manifest(cell, **made_with)}
    if cell.kind == INFERENCE:
        written["evaluation.json"] = dict(batch_ms=1.0)
    else:
        written["summary.json"] = dict(test_accuracy=0.5)
        (folder / "run/metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    for name, content in written.items():
        (folder / "run" / name).write_text(json.dumps(content))


def add(store, cell, **made_with):
    """To the store, as if it had been run."""
    with store.work_on(cell) as work:
        write(work.folder, cell, **made_with)
        work.finish({"seconds": 3.5, "finished": "2026-01-02T03:04:05+00:00", "driver": "580"})
