"""Times training on several GPUs of one host beside one of them.

    bundle/run data_parallel.py --ranks=2,4,8 --tasks=listops,text --out=ranks.json
    python3 benchmarks/data_parallel.py --lra=bazel-bin/experiments/lra --ranks=2

For each task one rank trains --steps, of SPION's a quarter at most dense, then each number of ranks
the same batch (strong scaling) and that batch on each (weak scaling). What stands behind --
goes to every training, as -- --precision=tf32 or -- --cuda_graph=false. Of each phase prints:

    step, all-reduce   medians, milliseconds; of the all-reduce that of the rank that waits least and
                       of the one that waits most
    speed-up           examples a second, over one rank's
    efficiency         that by ranks
    loss, apart        strong scaling: the most by which a reported loss is from one rank's; a line
                       of the log is a mean of up to 50 steps

Exits with 1 if a training fails, and says its last words; --out has those before it. With 130 if it
is interrupted.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[1]  # of the repository, or of a bundle
# In a bundle these folders lie below sources/.
sys.path += [str(_ROOT / above / "tools" / folder) for above in ("", "sources")
             for folder in ("command_line", "processes")]
# pylint: disable=wrong-import-position
import child
import command_line
import launch_ranks
import signals

COLUMNS = ("task", "phase", "ranks", "batch", "step, ms", "all-reduce, ms", "speed-up", "efficiency",
           "loss, apart")
_LONGEST_END_SECONDS = 60
_TWO_PHASES = ("c", "f", "cf")
_PHASES = {"dense": "step_ms_dense", "sparse": "step_ms_sparse", "single": "step_ms"}


class Failed(Exception):
    """A training that ended otherwise than well."""


def _whole(least):
    """A type for add_argument: a whole number from `least` on."""
    def parse(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f'"{text}"; expected a whole number from {least} on')
        return int(text)
    return parse


def _rank_counts(text):
    """A type for add_argument: numbers of ranks beside one, by comma."""
    return [_whole(2)(part) for part in text.split(",")]


def _end(process):
    """As soon as all its ranks can."""
    process.terminate()
    try:
        process.wait(_LONGEST_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _words(log):
    """Of all ranks the first error, as that of one makes others; else what was said last."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").split("\n") if line]
    return next((line for line in lines if line.startswith("error:")), lines[-1] if lines else "")


def _run(command, ranks, log):
    """Starts it as so many ranks and waits for all. Failed with the first error that they said."""
    with log.open("wb") as said:
        process = child.start([*launch_ranks.command(ranks), *command], stdout=said,
                              stderr=subprocess.STDOUT, env=launch_ranks.environment_of_one())
        try:
            code = process.wait()
        finally:
            _end(process)
    if code:
        raise Failed(_words(log) or f"exit code {code}")


def train(options, task, ranks, batch):
    """{"task", "ranks", "summary", "losses": by step} of one training; of the preset's batch: None."""
    # What had to be killed may be writing there for a moment longer.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out = pathlib.Path(folder) / "run"
        command = [*options.lra, f"--task={task}", f"--method={options.method}",
                   f"--preset={options.preset}", f"--steps={options.steps}",
                   f"--evaluation_interval={options.steps}", "--dev_examples=512",
                   "--test_examples=512", f"--out_dir={out}"]
        if options.method in _TWO_PHASES:
            command += [f"--capture_interval={max(1, options.steps // 20)}",
                        f"--dense_step_limit={max(1, options.steps // 4)}"]
        if batch:
            command.append(f"--batch_size={batch}")
        command += options.flags
        try:
            _run(command, ranks, pathlib.Path(folder) / "log.txt")
        except (Failed, OSError) as error:
            raise Failed(f"{task} with {ranks} rank{'s' * (ranks > 1)}: {error}") from None
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    losses = {line["step"]: line["loss"] for line in map(json.loads, lines)
              if line["kind"] == "train"}
    return {"task": task, "ranks": ranks, "summary": summary, "losses": losses}


def trainings(options):
    """They as they are done, of each task that by one rank first."""
    for task in options.tasks:
        alone = train(options, task, 1, options.batch_size)
        yield alone
        batch = alone["summary"]["batch_size"]
        for ranks in options.ranks:
            yield train(options, task, ranks, batch)
            yield train(options, task, ranks, batch * ranks)


def rows(found):
    """The table's entries, a row for each phase that has steps; those of one rank come first."""
    alone = {run["task"]: run for run in found if run["ranks"] == 1}
    for run in found:
        summary, one = run["summary"], alone[run["task"]]
        for phase, key in _PHASES.items():
            if not summary[key]:
                continue
            speed = (summary["batch_size"] / summary[key]
                     / (one["summary"]["batch_size"] / one["summary"][key]))
            is_strong = run["ranks"] > 1 and summary["batch_size"] == one["summary"]["batch_size"]
            apart = max((abs(loss - one["losses"][step]) for step, loss in run["losses"].items()
                         if step in one["losses"]), default=0.0)
            waits = [told["all_reduce_ms"] for told in (*summary.get("ranks", ()), summary)
                     if told.get("all_reduce_ms") is not None]
            exchange = f"{min(waits):.3f} to {max(waits):.3f}" if waits else "-"
            yield (run["task"], phase, str(run["ranks"]), str(summary["batch_size"]),
                   f"{summary[key]:.3f}", exchange, f"{speed:.2f}", f"{speed / run['ranks']:.2f}",
                   f"{apart:.1e}" if is_strong else "-")


def _parsed(arguments):
    parser = command_line.Parser(prog="data_parallel", description=__doc__)
    parser.add_argument("--ranks", type=_rank_counts, required=True, metavar="N,M",
                        help="numbers of ranks, beside one; as many GPUs are needed")
    parser.add_argument("--tasks", default="listops", metavar="A,B", help="the tasks (listops)")
    parser.add_argument("--method", default="cf", metavar="NAME", help="the method (cf)")
    parser.add_argument("--preset", default="paper", metavar="quick|paper",
                        help="the batch and the model (paper)")
    parser.add_argument("--batch_size", type=_whole(1), metavar="N",
                        help="examples a step of one rank (the preset's)")
    parser.add_argument("--steps", type=_whole(1), default=2500, metavar="N",
                        help="of each training (2500, as of which a line of the log, for which the "
                        "GPU waits, is of 50)")
    parser.add_argument("--lra", metavar="PROGRAM",
                        help="the experiment program (in a bundle its own)")
    parser.add_argument("--out", action="path", metavar="FILE", help="what each training left, as JSON")
    parser.add_argument("flags", nargs="*", metavar="-- FLAG", help="of every training")
    options = parser.parse_args(arguments)
    options.tasks = options.tasks.split(",")
    if options.out:
        options.out = command_line.user_path(options.out)
        if options.out.is_dir() or not options.out.parent.is_dir():
            parser.error(f"--out={options.out}; expected a file in a folder that is there")
    bundle = _ROOT / "run"
    if options.lra:
        options.lra = [str(command_line.user_path(options.lra))]
    elif bundle.is_file():
        options.lra = [str(bundle), "lra"]
    else:
        parser.error("--lra is missing: the path of the experiment program, as "
                     "bazel-bin/experiments/lra")
    return options


def _write(path, found):
    try:
        path.write_text(json.dumps(found), encoding="utf-8")
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}") from None


def main(arguments):
    options = _parsed(arguments)
    found = []
    try:
        for run in trainings(options):
            found.append(run)
            print(f"{run['task']}, {run['ranks']} rank{'s' * (run['ranks'] > 1)}, batch "
                  f"{run['summary']['batch_size']}: done", file=sys.stderr)
            if options.out:
                _write(options.out, found)
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    table = [COLUMNS, ("---",) * len(COLUMNS), *rows(found)]
    print("\n".join("| " + " | ".join(row) + " |" for row in table))
    return 0


if __name__ == "__main__":
    signals.raise_keyboard_interrupt()  # A batch system stops jobs by other signals too.
    command_line.end(main)
