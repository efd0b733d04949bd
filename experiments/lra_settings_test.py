"""Runs of the experiment program with parts of the method changed, and with one's own patterns."""

import hashlib
import json
import sys
import time
import unittest

import lra_program
from lra_program import new_folder, run


class AblationTest(unittest.TestCase):
    """A few steps with parts of the method changed."""

    # The transition is at step 6.
    STEPS = ["--steps=12", "--batch_size=1", "--warmup_steps=2", "--capture_interval=2",
             "--dense_step_limit=6", "--transition_limit_percent=0", "--dev_examples=8",
             "--test_examples=64"]

    def train(self, *flags, method="cf"):
        folder = new_folder() / "run"
        result = run(*self.STEPS, f"--out_dir={folder}", *flags, method=method)
        self.assertEqual(result.returncode, 0, result.stderr)
        return folder

    @staticmethod
    def learning_rates(folder):
        lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
        return [line["learning_rate"] for line in lines if line["kind"] == "train"]

    @staticmethod
    def losses(folder):
        lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
        return [line["loss"] for line in lines if line["kind"] == "train"]

    def test_dropout_and_weight_decay_reach_the_training(self):
        as_published = self.losses(self.train())
        without_dropout = self.losses(self.train("--dropout=0"))
        self.assertNotEqual(without_dropout[0], as_published[0])
        # The first step is made with the weights as they were drawn.
        decayed = self.losses(self.train("--weight_decay=0.9", "--learning_rate=0.1"))
        free = self.losses(self.train("--learning_rate=0.1"))
        self.assertEqual((decayed[0], free[0]), (as_published[0], as_published[0]))
        self.assertNotEqual(decayed[-1], free[-1])

    def test_the_schedule_restarts_at_the_transition_unless_it_is_to_go_on_as_in_f(self):
        restarted = self.learning_rates(self.train())
        self.assertEqual(restarted[6], restarted[0])
        continued = self.learning_rates(self.train("--continued_schedule"))
        self.assertEqual(continued[:6], restarted[:6])
        self.assertEqual(continued[1:], sorted(continued[1:], reverse=True))
        for flags, rates, goes_on in (((), continued, True),
                                      (("--continued_schedule=no",), restarted, False)):
            folder = self.train(*flags, method="f")
            self.assertEqual(self.learning_rates(folder), rates)
            manifest = json.loads((folder / "manifest.json").read_text())
            self.assertEqual(manifest["hyper_parameters"]["continued_schedule"], goes_on)

    def test_a_shared_pattern_and_excluded_entries(self):
        folder = self.train("--shared_pattern=true", "--excluded_pruned=yes")
        first, second = json.loads((folder / "patterns.json").read_text())["layers"]
        self.assertEqual(first, second)
        summary = json.loads((folder / "summary.json").read_text())
        # The checkpoint says that entries were excluded: no flag is needed.
        out_dir = folder.parent / "eval"
        result = run("--mode=eval", f"--checkpoint={folder}/best_sparse.safetensors",
                     "--test_examples=64", f"--out_dir={out_dir}")
        self.assertEqual(result.returncode, 0, result.stderr)
        evaluation = json.loads((out_dir / "evaluation.json").read_text())
        self.assertEqual(evaluation["test_accuracy"], summary["test_accuracy"])


    def test_shuffled_blocks_are_as_many(self):
        def patterns(*flags):
            folder = self.train("--density=0.1", *flags, method="c")
            return json.loads((folder / "patterns.json").read_text())["layers"]

        found, shuffled = patterns(), patterns("--shuffled_pattern")
        self.assertEqual(patterns("--shuffled_pattern"), shuffled)
        for layer, drawn in zip(found, shuffled):
            self.assertNotEqual(layer, drawn)
            self.assertEqual(layer["kept_blocks"], drawn["kept_blocks"])


class GivenPatternsTest(unittest.TestCase):
    """--patterns=FILE."""

    STEPS = AblationTest.STEPS

    @staticmethod
    def write(layers):
        path = new_folder() / "mine.json"
        path.write_text(json.dumps({"layers": layers}))
        return path

    @staticmethod
    def layer(side=32, block=32, further=((0, 5), (7, 1), (7, 2))):
        rows = [sorted({row, *(column for of, column in further if of == row)})
                for row in range(side)]
        return {"block_size": block, "blocks_per_side": side, "kept_blocks": sum(map(len, rows)),
                "columns_of_row": rows}

    def test_each_layer_gets_its_own_of_the_file(self):
        layers = [self.layer(), self.layer(further=((31, 0),))]
        path, folder = self.write(layers), new_folder() / "run"
        flags = [*self.STEPS, f"--out_dir={folder}", "--block_size=32", f"--patterns={path}"]
        result = run(*flags, "--threshold=0.9")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"patterns: those of {path}, at the transition\n", result.stdout)
        self.assertIn("note: without effect here: --threshold\n", result.stdout)
        self.assertEqual(json.loads((folder / "patterns.json").read_text())["layers"], layers)
        summary = json.loads((folder / "summary.json").read_text())
        self.assertEqual(summary["kept_blocks"], [35, 33])
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertEqual(manifest["patterns"], {
            "path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
        path.write_text(json.dumps({"layers": layers[::-1]}))
        result = run(*flags, "--threshold=0.9", "--resume")
        self.assertEqual(result.returncode, 1)
        self.assertIn("holds another run: patterns ", result.stderr)

    def stop(self, written, *flags):
        """A run that is stopped when it has written that file."""
        with lra_program.start(*flags) as process:
            while not written.exists() and process.poll() is None:
                time.sleep(0.01)
            process.terminate()
            self.assertEqual(process.wait(), 130)

    def test_from_the_transition_on_the_file_may_be_gone(self):
        path, folder = self.write([self.layer(), self.layer()]), new_folder() / "run"
        flags = [*self.STEPS, "--steps=40", f"--out_dir={folder}", "--block_size=32",
                 f"--patterns={path}", "--resume"]
        self.stop(folder / "patterns.json", *flags)
        path.unlink()
        layers = json.loads((folder / "patterns.json").read_text())["layers"]
        result = run(*flags)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count(f"{path} is gone"), 1)
        self.assertEqual(json.loads((folder / "patterns.json").read_text())["layers"], layers)

    def test_before_the_transition_the_file_must_be_there(self):
        path, folder = self.write([self.layer(), self.layer()]), new_folder() / "run"
        flags = [*self.STEPS, "--steps=400", "--dense_step_limit=300", f"--out_dir={folder}",
                 "--block_size=32", f"--patterns={path}", "--resume"]
        path.rename(path.with_suffix(".away"))
        result = run(*flags)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"--patterns: {path} is not there", result.stderr)
        self.assertFalse(folder.exists())
        path.with_suffix(".away").rename(path)
        self.stop(folder / "state.safetensors", *flags, "--save_interval=1")
        path.unlink()
        (folder / "patterns.json").write_text("{}")  # as a kill in the transition leaves one
        result = run(*flags)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"--patterns: {path} is not there", result.stderr)
        self.assertTrue((folder / "state.safetensors").exists())

    def test_shuffled_they_are_drawn_from_the_runs_seed(self):
        path, drawn = self.write([self.layer(), self.layer()]), []
        for seed in (1001, 7):
            folder = new_folder() / "run"
            result = run(*self.STEPS, f"--out_dir={folder}", "--block_size=32", f"--seed={seed}",
                         f"--patterns={path}", "--shuffled_pattern", "--shared_pattern")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("note: without effect here: --shared_pattern\n", result.stdout)
            drawn += json.loads((folder / "patterns.json").read_text())["layers"]
        self.assertEqual({layer["kept_blocks"] for layer in drawn}, {35})
        self.assertEqual(len({json.dumps(layer) for layer in drawn}), 4)

    def test_what_does_not_fit_is_named(self):
        good = self.layer()
        for layers, message in (
                ([good], "has patterns of 1 layer(s); expected 2"),
                ([good, self.layer(16, 64, ())],
                 "layer 1 has blocks of 64; expected 32, the --block_size of the run"),
                ([self.layer(16), good], "layer 0 is for sequences of 512; expected 1024"),
                ([good, {**good, "kept_blocks": 1}], "layer 1: ")):
            path, folder = self.write(layers), new_folder() / "run"
            result = run("--block_size=32", f"--patterns={path}", f"--out_dir={folder}")
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"--patterns: {path}", result.stderr)
            self.assertIn(message, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertFalse(folder.exists())
        result = run("--patterns=/nowhere.json", "--mode=manifest")
        self.assertEqual(result.returncode, 1)
        self.assertIn("--patterns: /nowhere.json", result.stderr)
        result = run("--patterns=/nowhere.json", "--mode=eval", "--checkpoint=/nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("--mode=eval takes the checkpoint's", result.stderr)

    def test_is_without_effect_where_no_pattern_is_found(self):
        result = run("--patterns=/nowhere.json", "--steps=1", "--batch_size=1", "--dev_examples=1",
                     "--test_examples=1", f"--out_dir={new_folder() / 'run'}", method="sdpa")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("note: without effect here: --patterns\n", result.stdout)


if __name__ == "__main__":
    lra_program.path = sys.argv.pop(1)
    unittest.main()
