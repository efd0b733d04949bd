"""Stand-ins for the experiment and benchmark programs: they leave the files of a run at once.

    programs = programs.Programs(*fake_programs.write(folder))

What a run gives depends on its flags alone, so tests know it. The seed is in the accuracy. On
--task=text, --method=reformer fails as a program does that names its error, and --method=linformer
is killed. With --data_dir the data is called real, with --device=cuda the machine an H200.
Of several ranks rank 0 alone does something.

A training has STEPS steps. With FAKE_PACE=<seconds a step> in the environment it saves its state
after each, and can be stopped and gone on with; FAKE_DEAF=1: not stopped, but killed; FAKE_FAIL=N:
with an error after step N. FAKE_COMMIT is what it was built from. With FAKE_UNTRACED=1 a trace that
is asked for is not written.
"""

import pathlib
import stat
import sys

STEPS = 12

_LRA = '''#!{python} -IS
import json, os, pathlib, signal, sys, time
flags = dict(text[2:].partition("=")[::2] for text in sys.argv[1:])
rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
if rank > 0:
    sys.exit(0)
with open({calls!r}, "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
seed, sparse = int(flags.get("seed", 1001)), flags["method"] in ("c", "f", "cf")
real, cuda = "data_dir" in flags, flags["device"] == "cuda"
manifest = dict(
    task=flags["task"], method=flags["method"], seed=seed,
    git_commit=os.environ.get("FAKE_COMMIT", "c0ffee"), git_dirty=False,
    device="cuda:0" if cuda else "cpu", device_name="an H200" if cuda else "a machine",
    threads=None if cuda else int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())),
    torch_version="2.11.0", cuda_version="13.0", precision="float32",
    data_source=dict(name="files" if real else "generated", generated=not real,
                     path=flags.get("data_dir", ""), sha256="ab" * 32,
                     description="files" if real else "drawn: 8 train, 4 dev, 2 test pictures"),
    model=dict(sequence_length=4, width=64, heads=2, layers=2),
    hyper_parameters=dict(batch_size=2, learning_rate=1e-4, shared_pattern=False,
                          transition_limit_percent=15))
if ranks > 1:
    manifest["ranks"] = [dict(device_name=manifest["device_name"])] * ranks
if flags.get("mode") == "manifest":
    print("data: ...")
    print(json.dumps(manifest))
    sys.exit(0)
if (flags["task"], flags["method"]) == ("text", "reformer"):
    print("step 1\\nerror: no room for the buckets")
    sys.exit(1)
if (flags["task"], flags["method"]) == ("text", "linformer"):
    os.kill(os.getpid(), signal.SIGKILL)
run = pathlib.Path(flags["out_dir"])
if "resume" in flags and (run / "summary.json").exists():
    print("the run has ended")
    sys.exit(0)
goes_on = "resume" in flags and (run / "state.safetensors").exists()
run.mkdir(parents=True, exist_ok=goes_on)
def write(name, content):
    (run / (name + ".partial")).write_text(json.dumps(content))
    (run / (name + ".partial")).replace(run / name)
step = 0
if goes_on:
    step = json.loads((run / "state.safetensors").read_text())["step"]
    earlier = json.loads((run / "manifest.json").read_text())
    if earlier["threads"] != manifest["threads"]:
        print("error: --resume: there is another run: threads")
        sys.exit(1)
    part = dict((key, manifest[key]) for key in (
        "device_name", "git_commit", "git_dirty", "torch_version", "cuda_version"))
    manifest = dict(earlier, resumed=earlier.get("resumed", []) + [dict(part, step=step)])
write("manifest.json", manifest)
if flags.get("mode") == "eval":
    assert pathlib.Path(flags["checkpoint"]).exists(), flags["checkpoint"]
    write("evaluation.json", dict(batch_ms=12.5, batch_size=2, peak_memory_mib=321.0,
                                  phase="sparse" if sparse else "dense"))
    sys.exit(0)
stop_requests = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
               signal.SIGXCPU):
    signal.signal(number, lambda *told: stop_requests.append(told))
pace, is_deaf = float(os.environ.get("FAKE_PACE", 0)), "FAKE_DEAF" in os.environ
while pace and step < {steps}:
    step += 1
    with open({calls!r} + ".steps", "a") as steps:
        steps.write("%s %d %d\\n" % (flags["method"], seed, step))
    write("state.safetensors", dict(step=step))
    time.sleep(pace)
    if step == int(os.environ.get("FAKE_FAIL", -1)):
        print("error: the device is lost")
        sys.exit(1)
    if stop_requests and not is_deaf:
        print("stopped at step", step)
        sys.exit(130)
(run / "state.safetensors").unlink(missing_ok=True)
layers = [dict(block_size=2, blocks_per_side=2, kept_blocks=3, columns_of_row=[[0], [0, 1]])] * 2
write("summary.json", dict(
    task=flags["task"], method=flags["method"], seed=seed, transition_step=12 if sparse else None,
    kept_blocks=[3, 3] if sparse else [], total_blocks=4, test_accuracy=(seed - 1000) / 100,
    train_seconds=2.0, step_ms=None if sparse else 50.0,
    step_ms_dense=50.0 if sparse else None, step_ms_sparse=20.0 if sparse else None,
    peak_memory_mib=456.0 + seed, peak_reserved_mib=789.0 + seed))
metrics = [dict(kind="train", step=6, step_ms=50.0), dict(kind="dev", step=6, accuracy=0.25),
           dict(kind="train", step=12, step_ms=50.0), dict(kind="dev", step=12, accuracy=0.5)]
if sparse:
    metrics[-1]["pruned_share"] = [0.5, 0.25]
    metrics += [dict(kind="capture", step=step, distance=distance, change_percent=change,
                     settled=step == 12)
                for step, distance, change in ((4, [], []), (8, [4.0, 2.0], []),
                                               (12, [3.0, 2.296], [25.0, 14.8]))]
(run / "metrics.jsonl").write_text("".join(json.dumps(metric) + "\\n" for metric in metrics))
if sparse:
    write("patterns.json", dict(layers=layers))
    write("attention_maps.json", dict(layers=[dict(mean_of_block=[[0.4, 0.1], [0.2, 0.3]])] * 2))
for name in ["last", *(["best_dense", "best_sparse"] if sparse else ["best"])]:
    (run / (name + ".safetensors")).write_text("weights")
if "trace" in flags and "FAKE_UNTRACED" not in os.environ:
    pathlib.Path(flags["trace"]).write_text(json.dumps(dict(traceEvents=[
        dict(ph="X", cat="user_annotation", name="spion:sparse_step" if sparse else
             "spion:step", ts=0, dur=8000, tid=1),
        dict(ph="X", cat="user_annotation", name="spion:optimizer", ts=6000, dur=2000, tid=1)])))
'''

_BENCHMARK = '''#!{python} -IS
import json, sys
flags = dict(text[2:].split("=", 1) for text in sys.argv[1:])
runs = [dict(run_name="spion/cpu/f32/L%d_b32_k58/fwdbwd" % length, run_type="iteration",
             real_time=time, time_unit="ms") for length, time in ((2048, 4.0), (1024, 3.0),
                                                                  (1024, 1.0), (1024, 2.0))]
with open(flags["benchmark_out"], "w") as file:
    gpu = dict(gpu="an H200") if flags["device"] == "cuda" else dict()
    json.dump(dict(context=dict(cpu="a machine", commit="c0ffee", **gpu), benchmarks=runs), file)
'''


def write(folder):
    """How to start the experiment and the benchmark program, both in `folder`."""
    starts = []
    for name, text in (("lra", _LRA), ("sparse_attention", _BENCHMARK)):
        path = pathlib.Path(folder) / name
        path.write_text(text.replace("{python}", sys.executable)
                        .replace("{calls!r}", repr(str(pathlib.Path(folder) / "calls.txt")))
                        .replace("{steps}", str(STEPS)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        starts.append((str(path),))
    return starts


def calls(folder):
    """The command lines of the experiment program's runs so far."""
    path = pathlib.Path(folder) / "calls.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if "--mode=manifest" not in line]


def steps(folder, method, seed):
    """The steps of this training that were done so far, in their order; done again: twice."""
    path = pathlib.Path(folder) / "calls.txt.steps"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [int(step) for *of, step in lines if of == [method, str(seed)]]


def questions(folder):
    """Those that asked what a run would be made on."""
    path = pathlib.Path(folder) / "calls.txt"
    return [line for line in path.read_text().splitlines() if "--mode=manifest" in line]
