"""Records the bands of loss that training is tested against, anew.

  bazel run //experiments/reference_convergence:record                       # every case: half an hour
  bazel run //experiments/reference_convergence:record -- --cases=text_cf

Trains each case with each seed on the CPU and writes reference.json beside this program's source.
With --runs_dir=DIR runs stay in DIR, and those that lie there are not trained again: an interrupted
recording goes on. Runs of another build are refused.
"""

import argparse
import os
import pathlib
import sys
import tempfile

import command_line
import reference
import run_case
from bands import MIN_SEEDS, differences
from cases import CASES, TESTED_SEED
from losses import points_of

_PROGRAM = pathlib.Path(__file__).parents[2] / "experiments/lra"
_REFERENCE = "experiments/reference_convergence/reference.json"  # in the workspace
# Of a manifest: what has to be the same in all runs of a case, and is kept with its bands.
_BUILD = ("git_commit", "torch_version", "compiler", "cpu")


class CannotRecord(Exception):
    """Why."""


def _seeds(text):
    try:
        seeds = [int(seed) for seed in text.split(",")]
    except ValueError:
        seeds = []
    if len(set(seeds)) < max(MIN_SEEDS, len(seeds)):
        raise argparse.ArgumentTypeError(
            f'"{text}"; expected {MIN_SEEDS} or more different whole numbers, as in 1001,1002,...')
    if TESTED_SEED in seeds:
        raise argparse.ArgumentTypeError(f"{TESTED_SEED} is the seed of the test, which has to be "
                                         "another one than those recorded")
    return seeds


def parse_arguments(arguments):
    parser = command_line.Parser(prog="record", description=__doc__)
    parser.add_argument("--cases", type=command_line.names_of(CASES), default=list(CASES),
                        metavar="A,B",
                        help=f"some of {', '.join(CASES)}; the others' bands stay (all)")
    parser.add_argument("--seeds", type=_seeds, metavar="N,M,...",
                        help=f"{MIN_SEEDS} or more (those of cases.py)")
    parser.add_argument("--runs_dir", metavar="DIR", type=command_line.user_path,
                        help="where runs are kept, and taken from (nowhere)")
    parser.add_argument("--reference", metavar="FILE", type=command_line.user_path,
                        default=pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
                        / _REFERENCE, help="the file to write (the one of the workspace)")
    return parser.parse_args(arguments)


def record_case(case, seeds, program, runs_dir, say):
    """Trains what is not in `runs_dir` yet; returns the CaseReference."""
    runs = []
    for seed in seeds:
        folder = runs_dir / case.name / f"seed{seed}"
        if (folder / "summary.json").exists():  # a run's last file
            run = run_case.read(case, folder)
            say(f"{case.name}, seed {seed}: taken from {folder}")
        else:
            run = run_case.train(program, case, seed, folder)
            say(f"{case.name}, seed {seed}: trained")
        missing = [str(point) for point in points_of(case) if point not in run.losses]
        if missing:
            raise CannotRecord(f"{case.name}, seed {seed}: no {missing[0]} in {folder}; the points "
                               "of cases.py must be steps at which the run reports")
        first = runs[0] if runs else run
        unlike = differences(_comparable(first), _comparable(run))
        if unlike:
            raise CannotRecord(f"{case.name}, seed {seed}: {unlike[0]}; remove {runs_dir} to train "
                               "all of them anew")
        runs.append(run)
    made = {"command": f"bazel run //experiments:lra_{case.name} -- "
            + " ".join(run_case.flags(case, "SEED")[2:]),
            "seeds": list(seeds), "date": max(run.manifest["date"] for run in runs),
            **{name: runs[0].manifest[name] for name in _BUILD}}
    return reference.make_case(made, runs[0].settings, [run.losses for run in runs])


def _comparable(run):
    return {**run.settings, **{name: run.manifest[name] for name in _BUILD}}


def record(options, program, say):
    cases = {}
    if set(options.cases) != set(CASES) and options.reference.exists():
        cases = reference.load(options.reference)
    with tempfile.TemporaryDirectory() as temporary:
        runs_dir = options.runs_dir or pathlib.Path(temporary)
        for name in options.cases:
            case = CASES[name]
            cases[name] = record_case(case, options.seeds or case.seeds, program, runs_dir, say)
    reference.save(cases, options.reference)
    say(f"{options.reference} has the bands of {', '.join(options.cases)}")


def main(arguments):
    options = parse_arguments(arguments)
    try:
        record(options, _PROGRAM, lambda text: print(text, flush=True))
    except (CannotRecord, reference.BadReference, run_case.RunFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
