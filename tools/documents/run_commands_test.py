"""Runs every command of the documents that needs no GPU, no network and no Bazel.

Each runs as it is written, with the flags of _QUICK behind it, so that it takes seconds: of two
values the last one holds. `bazel run //x:y -- ARGUMENT ...` runs the program that was built, in one
folder for all documents, as a reader's would be. What cannot run is in _NOT_RUN with the reason.
"""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import commands

PROGRAMS = {}  # label: the built program
DOCUMENTS = []
IGNORED = []  # the lines of .gitignore

_SHORT = ["--steps=4", "--batch_size=1", "--warmup_steps=1", "--capture_interval=1",
          "--transition_limit_percent=100", "--dense_step_limit=3", "--evaluation_interval=1",
          "--dev_examples=4", "--test_examples=4", "--preset=quick", "--device=cpu"]
_FEW = ["--benchmark_repetitions=1", "--benchmark_min_time=0.001", "--device=cpu"]
# What a label's program is run with besides: the first whose expression is found in the command.
_QUICK = [
    (r"//experiments:lra_\w+ .*--mode=eval", ["--test_examples=4", "--device=cpu"]),
    (r"//experiments:lra_\w+ .*--trace=", [*_SHORT, "--trace_steps=1:2"]),
    (r"//experiments:lra_", _SHORT),
    (r"//experiments/tables:\w+ -- .*--(help|report_only)", []),
    (r"//experiments/tables:accuracy",
     ["--preset=quick", "--methods=cf", "--seeds=1001", "--device=cpu"]),
    (r"//experiments/tables:all_tables", ["--estimate_only", "--device=cpu"]),
    (r"//benchmarks:sparse_attention .*--print_cases", ["--device=cpu"]),
    (r"//benchmarks:sparse_attention",
     ["--benchmark_filter=^spion/cpu/.*/L1024_[^/]*/fwd$", *_FEW]),
    (r"//benchmarks:baselines", ["--benchmark_filter=^sdpa/.*/image/fwd$", *_FEW]),
    (r"//benchmarks:pattern_generation", ["--benchmark_filter=L1024_", *_FEW[:2]]),
    (r"//benchmarks:compare", []),
    (r"//tools:make_listops", ["--train=8", "--dev=8", "--test=8"]),
    (r"//tools:(data|method_pictures|pattern|tensorboard) ", []),
]
# Command: why it is not run here.
_NOT_RUN = [
    (r"^(tools/)?bazel (build|test) ", "Bazel in Bazel; what it builds or tests runs beside this"),
    (r"^tools/profile ", "calls Bazel; //tools/profiling:profile_test runs it"),
    (r"//tools:data -- fetch", "the network; //tools/data:fetch_test has a server of its own"),
    (r"//tools:tensorboard -- --logdir results$",
     "serves until it is stopped; //tools/tensorboard:tensorboard_test starts it"),
    (r"//tools:bundle ", "needs nvcc; //tools/bundle:bundle_test makes one"),
    (r"//tools:wheel ", "needs an nvcc and a torch; //tools/wheel:wheel_test makes one"),
    (r"^pip |^python -m spion", "installs the wheel; //tools/wheel:wheel_test does"),
    (r"^(spion_)?bundle/run ", "needs a GPU; //tools/bundle:bundle_test runs a bundle"),
    (r"^spion_bundle/run$", "needs a bundle; //tools/bundle:bundle_test runs one"),
    (r"^python3 (\S*/)?(attention|data_parallel|table|training_step|python_package)\.py ", "needs a GPU"),
    (r"^python3 experiments/tables/main\.py ", "needs a bundle"),
    (r"//tools/fuzz ", "calls Bazel, with clang; //tools/fuzz:replay_test has what it found"),
    (r"//experiments/reference_convergence:record", "writes the reference, after long trainings"),
    (r"^tools/lint/", "needs clang and the repository; CI runs it"),
    (r"//experiments:lra_(image_mean|majority_cf)|--tasks=majority|,mean$",
     "of an example; //tools/documents/examples:examples_test does the same"),
    (r"^(torchrun|mpirun|for rank in) ", "starts ranks; //experiments:several_ranks_test does the same"),
    (r"^(srun|trap|wait) ", "needs Slurm"),
    (r"^(mkdir|tar|unzip|chromium) ", "needs what another machine or test made"),
]
_CIFAR = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5",
          "test_batch"]


def setUpModule():
    """The folders that documents name, in one of the test's own."""
    global HOME, PLACES
    HOME = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
    cifar = HOME / "data/cifar-10-batches-bin"
    cifar.mkdir(parents=True)
    pictures = b"".join(bytes([number % 10]) + bytes(3072) for number in range(10_000))
    for name in _CIFAR:
        (cifar / f"{name}.bin").write_bytes(pictures)
    PLACES = {"/data": HOME / "data", "/scratch": HOME / "scratch", "DIR": HOME / "data"}


def _in_places(word):
    """With the test's folders for those that a document names."""
    match = re.fullmatch(r"(--\w+=|)(/data|/scratch|DIR)(/.*|)", word)
    return f"{match[1]}{PLACES[match[2]]}{match[3]}" if match else word


def _first(rules, text):
    return next((rule for rule in rules if re.search(rule[0], text)), None)


class RunCommandsTest(unittest.TestCase):
    def run_one(self, command):
        self.assertRegex(command.text, r"^(tools/)?bazel run //",
                         "it is no program of the workspace: add it to _NOT_RUN, with the reason")
        label, *arguments = command.words[2:]
        self.assertIn(label, PROGRAMS, "this label has no program here: add it to BUILD.bazel")
        quick = _first(_QUICK, command.text + " ")
        self.assertIsNotNone(quick, "it is in neither _QUICK nor _NOT_RUN: add it to one")
        if label == "//benchmarks:compare":
            shutil.copy(HOME / "before.json", HOME / "after.json")
        of_target = []  # which of the tables' programs it is, they tell by runfiles of their own
        if label.startswith("//experiments/tables:"):
            table = label.split(":")[1]
            of_target = ["--table=" + ("all" if table == "all_tables" else table)]
        result = subprocess.run(
            [PROGRAMS[label], *of_target, *map(_in_places, arguments[1:]), *quick[1]], cwd=HOME,
            capture_output=True, text=True, check=False,
            env={**os.environ, "BUILD_WORKING_DIRECTORY": str(HOME)})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return quick

    def test_every_command_runs_or_is_known_not_to(self):
        used = []
        for document in DOCUMENTS:
            for command in commands.of(pathlib.Path(document).read_text(encoding="utf-8")):
                with self.subTest(f"{document}:{command.line}: {command.text}"):
                    used.append(_first(_NOT_RUN, command.text) or self.run_one(command))
        for path in HOME.iterdir():
            # Else the checkout would count as changed, and a run that goes on there as another's.
            if path not in PLACES.values():
                with self.subTest(f"{path.name} is left behind, and .gitignore does not have it"):
                    name = f"/{path.name}/" if path.is_dir() else f"/{path.name}"
                    self.assertTrue(any(fnmatch.fnmatch(name, line) for line in IGNORED))
        for rule in _QUICK + _NOT_RUN:
            with self.subTest("no command needs this rule any more: " + rule[0]):
                self.assertIn(rule, used)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        name, separator, path = argument.partition("=")
        if separator:
            PROGRAMS[name] = os.path.abspath(path)
        elif argument.endswith(".gitignore"):
            IGNORED += pathlib.Path(argument).read_text(encoding="utf-8").splitlines()
        else:
            DOCUMENTS.append(os.path.abspath(argument))
    unittest.main(argv=sys.argv[:1])
