"""Runs the experiment program as a user would: training, evaluation, Ctrl-C, bad input."""

import json
import os
import pathlib
import resource
import shlex
import signal
import socket
import subprocess
import sys
import unittest

import lra_program
from lra_program import new_folder, run

BROKEN_DRIVER = None
# Small enough for a test: one example a step; the transition comes at step 80 at the latest.
STEPS = ["--steps=82", "--batch_size=1"]


def content(folder):
    """Every file in and below it, and what is in it."""
    return {path: path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))}


class TrainingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = new_folder() / "run"
        cls.result = run(*STEPS, f"--out_dir={cls.folder}")

    def json(self, name):
        return json.loads((self.folder / name).read_text())

    def test_reaches_the_sparse_phase_and_says_what_it_does(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        out = self.result.stdout
        self.assertIn("GENERATED data", out)
        self.assertIn("the sparse phase begins", out)
        self.assertIn("layer 1 keeps", out)
        self.assertIn("test accuracy", out)

    def test_summary_has_every_field(self):
        summary = self.json("summary.json")
        for field in ("task method seed steps transition_step kept_blocks total_blocks block_size "
                      "dev_accuracy test_accuracy train_seconds step_ms step_ms_dense step_ms_sparse "
                      "peak_memory_mib data_source device precision").split():
            self.assertIn(field, summary)
        self.assertEqual(summary["steps"], 82)
        self.assertIn(summary["transition_step"], (60, 80))
        self.assertEqual(len(summary["kept_blocks"]), 2)
        self.assertEqual(summary["total_blocks"], 1024)
        self.assertTrue(summary["data_source"]["generated"])
        self.assertEqual(summary["test_phase"], "sparse")
        self.assertFalse(summary["cuda_graph"])

    def test_manifest_patterns_and_metrics(self):
        manifest = self.json("manifest.json")
        self.assertEqual(manifest["hyper_parameters"]["batch_size"], 1)
        self.assertIn("git_commit", manifest)
        self.assertEqual(len(manifest["data_source"]["sha256"]), 64)
        layers = self.json("patterns.json")["layers"]
        summary = self.json("summary.json")
        self.assertEqual([layer["kept_blocks"] for layer in layers], summary["kept_blocks"])
        for layer in layers:
            for row, columns in enumerate(layer["columns_of_row"]):
                self.assertIn(row, columns)
        for layer, map_ in zip(layers, self.json("attention_maps.json")["layers"]):
            rows = map_["mean_of_block"]
            self.assertEqual([len(row) for row in rows], [32] * 32)
            # Every row of the map is a distribution over 1024 tokens.
            for row in rows:
                self.assertAlmostEqual(sum(row) * layer["block_size"], 1, places=4)
        metrics = [json.loads(line) for line in (self.folder / "metrics.jsonl").open()]
        self.assertEqual({metric["kind"] for metric in metrics},
                         {"train", "dev", "capture", "transition"})
        for metric in metrics:
            if metric["kind"] == "dev" and metric["phase"] == "sparse":
                self.assertEqual(len(metric["pruned_share"]), len(layers))
                for share in metric["pruned_share"]:
                    self.assertGreater(share, 0.5)  # of a twentieth that is kept, scarcely trained
                    self.assertLess(share, 1)
            else:
                self.assertNotIn("pruned_share", metric)

    def test_evaluation_of_the_best_checkpoint_gives_the_summarys_accuracy(self):
        for name, phase in (("best_sparse", "sparse"), ("best_dense", "dense")):
            out_dir = self.folder.parent / ("eval_" + name)
            result = run("--mode=eval", f"--checkpoint={self.folder}/{name}.safetensors",
                         f"--out_dir={out_dir}")
            self.assertEqual(result.returncode, 0, result.stderr)
            evaluation = json.loads((out_dir / "evaluation.json").read_text())
            self.assertEqual(evaluation["phase"], phase)
            manifest = json.loads((out_dir / "manifest.json").read_text())
            self.assertIn("--mode=eval", manifest["command"])
            self.assertGreater(evaluation["batch_ms"], 0)
            self.assertGreater(evaluation["peak_memory_mib"], 0)
            if phase == "sparse":
                self.assertEqual(evaluation["test_accuracy"],
                                 self.json("summary.json")["test_accuracy"])

    def test_an_evaluation_warns_of_data_that_the_training_had_not(self):
        result = run("--mode=eval", f"--checkpoint={self.folder}/best_sparse.safetensors",
                     "--seed=7", "--test_examples=16")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, "warning: the checkpoint was trained with other data .* "
                         "seed 1001.* there, .* seed 7.* here; its seed is 1001, its preset quick")
        result = run("--mode=eval", f"--checkpoint={self.folder}/best_sparse.safetensors",
                     "--test_examples=16")
        self.assertNotIn("warning", result.stdout)

    def test_the_manifest_is_told_without_training(self):
        folder = self.folder.parent / "not_trained"
        result = run(*STEPS, f"--out_dir={folder}", "--mode=manifest")
        self.assertEqual(result.returncode, 0, result.stderr)
        told, written = json.loads(result.stdout.splitlines()[-1]), self.json("manifest.json")
        for manifest in (told, written):
            del manifest["command"], manifest["date"]
        self.assertEqual(told, written)
        self.assertFalse(folder.exists(), "something was written")

    def test_dropout_is_the_models_and_weight_decay_the_optimisers(self):
        result = run(*STEPS, "--mode=manifest", "--dropout=0.25", "--weight_decay=0.1")
        self.assertEqual(result.returncode, 0, result.stderr)
        manifest = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual(manifest["model"]["dropout"], 0.25)
        self.assertEqual(manifest["hyper_parameters"]["weight_decay"], 0.1)
        written = self.json("manifest.json")
        self.assertEqual(written["model"]["dropout"], 0.1)
        # Else runs of earlier versions could not be gone on with.
        self.assertEqual(written["hyper_parameters"].keys(), manifest["hyper_parameters"].keys())
        self.assertNotIn("dropout", written["hyper_parameters"])

    def test_a_checkpoint_of_another_method_is_refused(self):
        result = run("--mode=eval", f"--checkpoint={self.folder}/last.safetensors", method="dense")
        self.assertEqual(result.returncode, 1)
        self.assertIn("evaluate it with //experiments:lra_image_cf", result.stderr)

    def test_a_checkpoint_of_another_length_names_the_flags_that_evaluate_it(self):
        folder = new_folder() / "run"
        small = ("--batch_size=1", "--test_examples=4")
        result = run("--steps=1", "--dev_examples=4", "--sequence_length=256", *small,
                     "--preset=quick", f"--out_dir={folder}", task="text")
        self.assertEqual(result.returncode, 0, result.stderr)
        evaluation = ("--mode=eval", f"--checkpoint={folder}/last.safetensors", *small)
        result = run(*evaluation, task="text")
        self.assertEqual(result.returncode, 1)
        flags = "--preset=quick --sequence_length=256"
        self.assertIn(f"it was trained with {flags}, and", result.stderr)
        result = run(*evaluation, *flags.split(), task="text")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_an_evaluation_leaves_the_checkpoints_run_where_it_is(self):
        before = content(self.folder.parent)
        result = run("--mode=eval", f"--checkpoint={self.folder}/best_sparse.safetensors",
                     f"--out_dir={self.folder}/")
        self.assertEqual(result.returncode, 1)
        self.assertIn("folder of the checkpoint's own run", result.stderr)
        self.assertEqual(content(self.folder.parent), before)


class SinglePhaseTest(unittest.TestCase):
    def test_says_which_dense_attention_computes(self):
        line = "LibTorch's, instead of SPION's kernels with every block: the device is a CPU\n"
        for method, beginning in (("every_block", "attention: "), ("cf", "dense phase: "),
                                  ("sdpa", None)):
            folder = new_folder() / "run"
            result = run("--steps=1", "--batch_size=1", "--dev_examples=1", "--test_examples=1",
                         "--device=cpu", f"--out_dir={folder}", method=method)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(line in result.stdout, beginning is not None, result.stdout)
            if beginning is not None:
                self.assertIn(beginning + line, result.stdout)
            summary = json.loads((folder / "summary.json").read_text())
            self.assertEqual(summary.get("dense_attention"), "LibTorch" if beginning else None)

    def test_a_fixed_pattern_is_written_and_no_phase_is_named(self):
        folder = new_folder() / "run"
        result = run("--steps=2", "--batch_size=1", "--dev_examples=8", "--test_examples=8",
                     f"--out_dir={folder}", method="bigbird")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("phase", result.stdout)
        summary = json.loads((folder / "summary.json").read_text())
        self.assertGreater(summary["step_ms"], 0)
        self.assertIsNone(summary["step_ms_dense"])
        self.assertEqual(sorted(path.name for path in folder.glob("*.safetensors")),
                         ["best.safetensors", "last.safetensors"])
        patterns = json.loads((folder / "patterns.json").read_text())
        self.assertIsNone(patterns["transition_step"])
        self.assertEqual([layer["block_size"] for layer in patterns["layers"]], [64, 64])
        result = run("--mode=eval", f"--checkpoint={folder}/best.safetensors", "--test_examples=8",
                     method="bigbird")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("phase", result.stdout)


class InterruptTest(unittest.TestCase):
    def test_ctrl_c_leaves_a_checkpoint(self):
        folder = new_folder() / "run"
        with subprocess.Popen([lra_program.path, "--task=image", "--method=c", "--batch_size=1",
                               "--seed=7", f"--out_dir={folder}"], stdout=subprocess.PIPE,
                              text=True) as process:
            for line in process.stdout:
                if line.startswith("step"):
                    process.send_signal(signal.SIGINT)
                    break
            rest = process.stdout.read()
            self.assertEqual(process.wait(), 130)
        self.assertIn("stopped at step", rest)
        # As it stands there, the command evaluates the model.
        told = next(line for line in rest.splitlines() if "--mode=eval" in line)
        command = shlex.split(told, comments=True)
        self.assertEqual(command[:4], ["bazel", "run", "//experiments:lra_image_c", "--"])
        result = run(*command[4:], "--test_examples=8", method="c")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("warning", result.stdout)
        self.assertTrue((folder / "interrupted.safetensors").exists())
        self.assertFalse((folder / "summary.json").exists())


class SharedFolderTest(unittest.TestCase):
    """A run's folder is its own; other folders are left alone."""

    SHORT = ["--steps=1", "--batch_size=1", "--dev_examples=1", "--test_examples=1"]

    def refused(self, out_dir, *expected):
        before = content(out_dir.parent)
        result = run(*self.SHORT, f"--out_dir={out_dir}")
        self.assertEqual(result.returncode, 1)
        (line,) = result.stderr.splitlines()
        for part in expected:
            self.assertIn(part, line)
        return content(out_dir.parent) == before

    def test_a_second_run_is_refused_and_the_first_goes_on(self):
        folder = new_folder() / "run"
        with subprocess.Popen([lra_program.path, "--task=image", "--method=c", "--batch_size=1",
                               f"--out_dir={folder}"], stdout=subprocess.PIPE, text=True) as first:
            for line in first.stdout:
                if line.startswith("step"):
                    break
            self.refused(folder, str(folder), f"process {first.pid} ", socket.gethostname())
            self.assertEqual([path.name for path in folder.parent.iterdir()], ["run"])
            first.send_signal(signal.SIGINT)
            first.stdout.read()
            self.assertEqual(first.wait(), 130)
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertNotIn("--steps=1", manifest["command"])
        self.assertTrue((folder / "interrupted.safetensors").exists())

    def test_a_folder_that_is_no_runs_is_left_as_it_is(self):
        data = new_folder() / "data"
        (data / "sub").mkdir(parents=True)
        (data / "photo.png").write_text("a photo")
        self.assertTrue(self.refused(data, str(data), "photo.png", "--out_dir"))

    def test_a_run_makes_way_for_the_next_with_a_slash_or_by_a_link(self):
        parent = new_folder()
        (parent / "disk").mkdir()
        (parent / "link").symlink_to(parent / "disk")
        for count in (1, 2):
            result = run(*self.SHORT, f"--out_dir={parent}/link/")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual("an earlier run is kept as" in result.stdout, count == 2)
        self.assertTrue((parent / "link").is_symlink())
        for name in ("disk", "disk.1"):
            self.assertTrue((parent / name / "summary.json").exists(), name)


class BadCheckpointTest(unittest.TestCase):
    def test_nested_json_is_one_clear_error(self):
        path = new_folder() / "nested.safetensors"
        header = b'{"a":{"dtype":' + b"[" * 400_000 + b"]" * 400_000 + b"}}"
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        result = run("--mode=eval", f"--checkpoint={path}")
        self.assertEqual(result.returncode, 1)
        (line,) = result.stderr.splitlines()
        self.assertIn(f"{path} is not a whole safetensors file", line)


class BadInputTest(unittest.TestCase):
    def check(self, expected, *flags, method="cf", **settings):
        folder = new_folder() / "none"
        result = run(f"--out_dir={folder}", *flags, method=method, **settings)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertIn(expected, result.stderr)
        self.assertFalse(folder.exists(), "something was written")

    def test_one_clear_error_and_nothing_written(self):
        self.check("unknown argument", "--epochs=3")
        self.check('--method="sparse"; expected one of c, f, cf', method="sparse")
        self.check('did you mean "skyformer"?', method="skyfomer")
        self.check("expected true or false", "--shared_pattern=maybe")
        self.check("; bazel run //tools:data -- check /no/such/folder tells",
                   "--data_dir=/no/such/folder")
        self.check("/no/such.safetensors", "--mode=eval", "--checkpoint=/no/such.safetensors")

    def test_a_trace_that_cannot_be_written_stops_before_training(self):
        self.check("cannot make the trace's folder /dev/null/folder",
                   "--trace=/dev/null/folder/trace.json")
        self.check("training ends at step 3", "--steps=3", "--trace=trace.json",
                   "--trace_steps=4:9")

    def test_settings_are_checked_before_the_first_step(self):
        self.check("--block_size=7; expected a multiple of 16", "--block_size=7")
        self.check("--batch_size=8001; expected a whole number from 1 to 8000",
                   "--batch_size=8001")
        self.check("expected a whole number from 1 to 2147483647", f"--batch_size={2 ** 40}")
        # What only the attention itself knows.
        self.check("a sequence of 100", "--sequence_length=100", method="reformer", task="text")

    def test_memory_that_cannot_be_had_is_a_sentence(self):
        folder = new_folder() / "run"
        # The program and its libraries fit; a step of 8000 pictures does not.
        limit = 8 << 30
        result = run("--batch_size=8000", "--steps=1", f"--out_dir={folder}", preexec_fn=lambda:
                     resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertEqual(result.returncode, 1)
        (line,) = result.stderr.splitlines()
        self.assertIn("not enough memory: a smaller --batch_size", line)

    def test_flags_without_effect_are_named(self):
        result = run("--steps=1", "--batch_size=1", "--dev_examples=1", "--test_examples=1",
                     "--density=0.1", "--block_size=7", "--keep_maps",
                     f"--out_dir={new_folder()}/run", method="sdpa")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("note: without effect here: --block_size, --density, --keep_maps\n",
                      result.stdout)

    def test_bfloat16_without_a_gpu_says_what_runs(self):
        self.check("--precision=float32 runs here", "--device=cpu", "--precision=bfloat16")

    def test_cuda_without_a_gpu_says_how_to_get_it(self):
        if any(pathlib.Path("/dev").glob("nvidia[0-9]*")):
            self.skipTest("there is a GPU")
        self.check("--device=cpu runs without", "--device=cuda")

    def test_a_gpu_that_cannot_be_used_is_not_passed_over(self):
        environment = {**os.environ, "LD_LIBRARY_PATH": os.path.dirname(BROKEN_DRIVER)}
        for mode in (["--mode=train"], ["--mode=eval", "--checkpoint=any"]):
            result = subprocess.run([lra_program.path, "--task=image", "--method=cf", *mode],
                                    capture_output=True, text=True, check=False, env=environment)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn("error: --device=auto: the GPU here cannot be used: ", result.stderr)
            self.assertIn("--device=cpu runs without", result.stderr)


class LostOutputTest(unittest.TestCase):
    """Where what the program prints cannot be written."""

    SHORT = SharedFolderTest.SHORT

    def test_is_an_error_where_there_is_nothing_else(self):
        for flags in (["--help"], ["--version"], ["--task=image", "--method=cf", "--mode=manifest"]):
            with open("/dev/full", "w") as full:
                result = subprocess.run([lra_program.path, *flags], stdout=full, text=True,
                                        stderr=subprocess.PIPE, check=False)
            self.assertEqual((result.returncode, result.stderr),
                             (1, "error: the output cannot be written; is its disk full?\n"), flags)

    def test_a_run_goes_on(self):
        folder = new_folder() / "run"
        with open("/dev/full", "w") as full:
            result = subprocess.run([lra_program.path, "--task=image", "--method=cf", *self.SHORT,
                                     f"--out_dir={folder}"], stdout=full, check=False)
        self.assertEqual(result.returncode, 0)
        self.assertTrue((folder / "summary.json").exists())

    def test_none_of_it_is_in_a_file_of_a_run_that_was_started_without(self):
        folder = new_folder() / "run"
        result = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", lra_program.path,
                                 "--task=image", "--method=cf", *self.SHORT,
                                 f"--out_dir={folder}"], check=False)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads((folder / "run.lock").read_text())["program"], "SPION")
        self.assertTrue((folder / "summary.json").exists())

    def test_a_file_that_may_not_grow_so_large_is_an_error(self):
        folder = new_folder() / "run"
        result = run(*self.SHORT, f"--out_dir={folder}", preexec_fn=lambda:
                     resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
        self.assertEqual(result.returncode, 1)
        [line] = result.stderr.splitlines()
        self.assertRegex(line, rf"error: .*{folder}/.*File too large")


class StartedByItselfTest(unittest.TestCase):
    """Without a task and a method, which the experiment targets give."""

    def test_help_says_what_it_needs(self):
        for flag in ("--help", "-h"):
            result = subprocess.run([lra_program.path, flag], capture_output=True, text=True,
                                    check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("lra --task=TASK --method=METHOD", result.stdout)
            for name in ("pathfinder", "nystromformer", "--cuda_graph", "Exit code"):
                self.assertIn(name, result.stdout)
            self.assertNotIn('""', result.stdout)
            self.assertNotIn("lra__", result.stdout)

    def test_a_run_without_them_is_an_error(self):
        result = subprocess.run([lra_program.path], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        [line] = result.stderr.splitlines()
        self.assertIn("missing: --task (one of image, ", line)
        self.assertIn("--method (one of c, f, cf, ", line)


if __name__ == "__main__":
    lra_program.path, BROKEN_DRIVER = sys.argv.pop(1), os.path.abspath(sys.argv.pop(1))
    unittest.main()
