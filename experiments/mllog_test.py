"""mllog.txt of real runs, read and judged by MLPerf's own package, beside the run's other files."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from mlperf_logging.compliance_checker import mlp_compliance, mlp_parser
from mlperf_logging.mllog import constants

PROGRAM = None
RULESET = "5.1.0"
STEPS = 12
EVALUATION_INTERVAL = 5
TRANSITION = 6
CAPTURES = (2, 4, 6)
BATCH_SIZE = 2
FLAGS = [f"--steps={STEPS}", f"--batch_size={BATCH_SIZE}", "--warmup_steps=2",
         "--capture_interval=2", f"--dense_step_limit={TRANSITION}",
         "--transition_limit_percent=0", f"--evaluation_interval={EVALUATION_INTERVAL}",
         "--dev_examples=8", "--test_examples=64", "--seed=7", "--device=cpu"]


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))) / "run"


def command(folder, *flags):
    return [PROGRAM, "--task=image", "--method=cf", "--preset=quick", f"--out_dir={folder}", *flags]


def parse(folder):
    events, failed = mlp_parser.parse_file(str(folder / "mllog.txt"), ruleset=RULESET)
    assert not failed, failed
    return events


def metadata(event):
    return event.value["metadata"]


class MlLogTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = new_folder()
        result = subprocess.run(command(cls.folder, *FLAGS), capture_output=True, text=True,
                                check=False)
        assert result.returncode == 0, result.stderr
        cls.events = parse(cls.folder)
        cls.metrics = [json.loads(line) for line in
                       (cls.folder / "metrics.jsonl").read_text().splitlines()]
        cls.summary = json.loads((cls.folder / "summary.json").read_text())
        cls.manifest = json.loads((cls.folder / "manifest.json").read_text())

    def of(self, key):
        return [event for event in self.events if event.key == key]

    def value(self, key):
        event, = self.of(key)
        return event.value["value"]

    def metrics_of(self, kind):
        return [metric for metric in self.metrics if metric["kind"] == kind]

    @classmethod
    def complaints(cls, log):
        """Of MLPerf's checker, by the common rules."""
        rules = pathlib.Path(mlp_compliance.__file__).parent / f"training_{RULESET}/common.yaml"
        # It goes on with the rules of MLPerf's own benchmarks, of which ours is none.
        text, count = re.subn(r"enqueue_config\('[^']*'\.format\(v\['value'\]\)\);", "",
                              rules.read_text())
        assert count == 1
        common = cls.folder.parent / "common.yaml"
        common.write_text(text)
        checker = mlp_compliance.make_checker("training", RULESET, quiet=False, werror=True)
        checker.check_file(str(log), str(common))
        return list(checker.overwritable) + checker.not_overwritable

    def test_keeps_every_common_rule_of_mlperf(self):
        log = self.folder / "mllog.txt"
        self.assertEqual(self.complaints(log), [])
        # The rules do find what is amiss.
        damaged = self.folder.parent / "damaged.txt"
        damaged.write_text("\n".join(line for line in log.read_text().splitlines()
                                     if '"run_stop"' not in line))
        self.assertEqual(self.complaints(damaged), [constants.RUN_STOP])

    def test_says_what_was_run(self):
        given = self.manifest["hyper_parameters"]
        expected = {
            constants.SUBMISSION_BENCHMARK: "lra_image",
            constants.SUBMISSION_DIVISION: constants.OPEN,
            constants.SUBMISSION_STATUS: constants.RESEARCH,
            constants.SUBMISSION_PLATFORM: self.summary["device_name"],
            constants.SEED: 7,
            constants.GLOBAL_BATCH_SIZE: BATCH_SIZE,
            constants.GRADIENT_ACCUMULATION_STEPS: 1,
            constants.TRAIN_SAMPLES: 8000,
            constants.EVAL_SAMPLES: 8,
            constants.MAX_SEQUENCE_LENGTH: self.summary["sequence_length"],
            constants.MAX_STEPS: STEPS,
            constants.OPT_NAME: constants.ADAMW,
            constants.OPT_BASE_LR: given["learning_rate"],
            constants.OPT_LR_WARMUP_STEPS: 2,
            constants.OPT_LR_TRAINING_STEPS: STEPS,
            constants.OPT_ADAMW_BETA_1: given["beta1"],
            constants.OPT_ADAMW_BETA_2: given["beta2"],
            constants.OPT_ADAMW_EPSILON: given["epsilon"],
            constants.OPT_ADAMW_WEIGHT_DECAY: given["weight_decay"],
            "spion_method": "cf",
            "spion_preset": "quick",
            "spion_precision": "float32",
            "spion_generated_data": True,
            "spion_hyper_parameters": given,
        }
        self.assertEqual({key: self.value(key) for key in expected}, expected)
        self.assertIn("no submission", self.value(constants.SUBMISSION_ORG))
        self.assertFalse(self.value(constants.CACHE_CLEAR))

    def test_events_come_in_order(self):
        kept = {constants.INIT_START, constants.INIT_STOP, constants.RUN_START, constants.RUN_STOP,
                constants.BLOCK_START, constants.BLOCK_STOP, constants.EVAL_START,
                constants.EVAL_ACCURACY, constants.EVAL_STOP, "spion_transition", "test_accuracy"}
        evaluation = [(constants.EVAL_START,), (constants.EVAL_ACCURACY,), (constants.EVAL_STOP,)]

        def block(first, last, between=()):
            return [(constants.BLOCK_START, first), *between, (constants.BLOCK_STOP, last),
                    *((*event, last) for event in evaluation)]
        expected = [(constants.INIT_START, None), (constants.INIT_STOP, None),
                    (constants.RUN_START, 0), *block(0, 5),
                    *block(5, 10, [("spion_transition", TRANSITION)]), *block(10, STEPS),
                    (constants.RUN_STOP, STEPS)]
        found = [(event.key, metadata(event).get(constants.STEP_NUM)) for event in self.events
                 if event.key in kept]
        self.assertEqual(found[:-1], expected)
        self.assertEqual(found[-1][0], "test_accuracy")
        times = [event.timestamp for event in self.events]
        self.assertEqual(times, sorted(times))
        types = {(event.key.rsplit("_", 1)[1],
                  json.loads(event.full_string.split(" ", 1)[1])["event_type"])
                 for event in self.events if event.key.endswith(("_start", "_stop"))}
        self.assertEqual(types, {("start", constants.INTERVAL_START),
                                 ("stop", constants.INTERVAL_END)})

    def test_has_the_values_of_metrics(self):
        for metric, loss, stats in zip(self.metrics_of("train"), self.of("train_loss"),
                                       self.of("tracked_stats"), strict=True):
            self.assertEqual(loss.value["value"], metric["loss"])
            self.assertEqual(metadata(loss)[constants.STEP_NUM], metric["step"])
            self.assertEqual(metadata(loss)["phase"], metric["phase"])
            self.assertEqual(metadata(loss)[constants.SAMPLES_COUNT], metric["step"] * BATCH_SIZE)
            self.assertEqual(metadata(loss)[constants.EPOCH_NUM],
                             metric["step"] * BATCH_SIZE / 8000)
            if metric["step_ms"] is None:  # a capture's step, which is not measured
                self.assertIn(metric["step"], CAPTURES)
                self.assertNotIn("throughput", stats.value["value"])
            else:
                self.assertNotIn(metric["step"], CAPTURES)
                self.assertAlmostEqual(stats.value["value"]["throughput"],
                                       1e3 * BATCH_SIZE / metric["step_ms"])
            self.assertEqual(stats.value["value"]["learning_rate"], metric["learning_rate"])
            self.assertEqual(stats.value["value"]["train_accuracy"], metric["accuracy"])
        for metric, accuracy, loss in zip(self.metrics_of("dev"), self.of(constants.EVAL_ACCURACY),
                                          self.of("eval_loss"), strict=True):
            self.assertEqual(accuracy.value["value"], metric["accuracy"])
            self.assertEqual(loss.value["value"], metric["loss"])
        self.assertEqual(self.value("spion_transition")["kept_blocks"], self.summary["kept_blocks"])
        self.assertEqual(self.value("test_accuracy"), self.summary["test_accuracy"])

    def test_a_finished_run_is_a_success(self):
        self.assertEqual(metadata(self.of(constants.RUN_STOP)[0])[constants.STATUS],
                         constants.SUCCESS)

    def test_an_interrupted_run_is_aborted_and_closes_its_block(self):
        folder = new_folder()
        with subprocess.Popen(command(folder, "--batch_size=1"), stdout=subprocess.PIPE,
                              text=True) as process:
            for line in process.stdout:
                if line.startswith("step"):
                    process.send_signal(signal.SIGINT)
                    break
            process.stdout.read()
            self.assertEqual(process.wait(), 130)
        last, stop = parse(folder)[-2:]
        self.assertEqual((last.key, stop.key), (constants.BLOCK_STOP, constants.RUN_STOP))
        self.assertEqual(metadata(stop)[constants.STATUS], constants.ABORTED)
        self.assertGreater(metadata(stop)[constants.STEP_NUM], 0)

    def test_a_resumed_run_says_so_and_keeps_the_rules(self):
        folder = new_folder()
        with subprocess.Popen(command(folder, *FLAGS, "--resume"), stdout=subprocess.PIPE,
                              text=True) as process:
            for line in process.stdout:
                if line.startswith("step"):
                    process.send_signal(signal.SIGTERM)
                    break
            process.stdout.read()
            self.assertEqual(process.wait(), 130)
        subprocess.run(command(folder, *FLAGS, "--resume"), capture_output=True, check=True)
        events = parse(folder)
        resumed = [event for event in events if event.key == "spion_resumed"]
        self.assertEqual([event.value["value"] for event in resumed],
                         [metadata(event)[constants.STEP_NUM] for event in resumed])
        self.assertEqual(len(resumed), 1)
        keys = [event.key for event in events]
        for key in (constants.RUN_START, constants.RUN_STOP, constants.INIT_START):
            self.assertEqual(keys.count(key), 1, key)
        self.assertEqual(self.complaints(folder / "mllog.txt"), [])


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
