"""Runs the program as a user would, and reads what it wrote by TensorBoard's own reader."""

import io
import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PROGRAM = EXPERIMENT = None
SIDE = 8
PIXELS = 512  # of a picture's side
SCALE = PIXELS // SIDE
WAIT_S = 60
PATTERNS = [[[row, 0] if row else [0] for row in range(SIDE)],
            [[row, (3 * row + 1) % SIDE] for row in range(SIDE)]]
MAPS = [[[row * SIDE + column + 100 * layer for column in range(SIDE)] for row in range(SIDE)]
        for layer in range(2)]
METRICS = [
    {"kind": "train", "step": 10, "phase": "dense", "loss": 2.5, "accuracy": 0.125,
     "learning_rate": 0.001, "step_ms": 12.5, "time_ms": 1_700_000_000_500},
    {"kind": "dev", "step": 10, "phase": "dense", "loss": 2.25, "accuracy": 0.25, "examples": 8,
     "time_ms": 1_700_000_001_000},
    {"kind": "capture", "step": 20, "capture": 1, "distance": [], "change_percent": [],
     "settled": False, "time_ms": 1_700_000_002_000},
    {"kind": "capture", "step": 30, "capture": 3, "distance": [0.5, 0.25],
     "change_percent": [12.5, None], "settled": True, "time_ms": 1_700_000_003_000},
    {"kind": "transition", "step": 30, "settled": True, "kept_blocks": [15, 16],
     "pattern_search_ms": 1.5, "time_ms": 1_700_000_004_000},
    {"kind": "train", "step": 40, "phase": "sparse", "loss": 1.5, "accuracy": 0.5,
     "learning_rate": 0.002, "step_ms": 6.25, "time_ms": 1_700_000_005_000},
]


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def append(run, *metrics):
    with (run / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps(metric) + "\n" for metric in metrics)


def write_transition(run):
    (run / "attention_maps.json").write_text(
        json.dumps({"layers": [{"mean_of_block": rows} for rows in MAPS]}))
    (run / "patterns.json").write_text(
        json.dumps({"layers": [{"columns_of_row": rows} for rows in PATTERNS]}))


def make_run(run):
    run.mkdir(parents=True)
    append(run, *METRICS)
    write_transition(run)
    return run


def convert(folder):
    return subprocess.run([PROGRAM, f"--logdir={folder}", "--convert_only"], capture_output=True,
                          text=True, check=False)


def event_files(run):
    return sorted(path.name for path in run.glob("*tfevents*"))


def accumulate(run):
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0})
    return events.Reload()


def scalars(events, tag):
    """(step, value) of all."""
    return [(event.step, event.value) for event in events.Scalars(tag)]


def picture(events, tag):
    """The picture's step and grey pixels."""
    image, = events.Images(tag)
    pixels = numpy.array(Image.open(io.BytesIO(image.encoded_image_string)))
    assert pixels.shape == (image.height, image.width), pixels.shape
    return image.step, pixels


class TestCase(unittest.TestCase):
    def converted(self, folder, lines):
        result = convert(folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"new lines of metrics.jsonl: {lines}\n", result.stdout)

    def check_all(self, run):
        """That `run` shows all that make_run wrote, each once."""
        events = accumulate(run)
        self.assertEqual(scalars(events, "train/loss"), [(10, 2.5), (40, 1.5)])
        self.assertEqual(scalars(events, "train/accuracy"), [(10, 0.125), (40, 0.5)])
        self.assertEqual(scalars(events, "train/step_ms"), [(10, 12.5), (40, 6.25)])
        rates = scalars(events, "train/learning_rate")
        self.assertEqual(rates, [(10, numpy.float32(0.001)), (40, numpy.float32(0.002))])
        self.assertEqual(scalars(events, "dev/loss"), [(10, 2.25)])
        self.assertEqual(scalars(events, "dev/accuracy"), [(10, 0.25)])
        self.assertEqual(scalars(events, "capture/distance/layer_1"), [(30, 0.25)])
        self.assertEqual(scalars(events, "capture/change_percent/layer_0"), [(30, 12.5)])
        self.assertEqual(scalars(events, "capture/change_percent/layer_1"), [(30, math.inf)])
        self.assertEqual(scalars(events, "transition/kept_blocks/layer_0"), [(30, 15)])
        self.assertEqual(scalars(events, "transition/kept_blocks/layer_1"), [(30, 16)])
        self.assertEqual(scalars(events, "transition/pattern_search_ms"), [(30, 1.5)])
        self.assertEqual([event.wall_time for event in events.Scalars("train/loss")],
                         [1_700_000_000.5, 1_700_000_005])
        self.assertEqual(sorted(events.Tags()["images"]),
                         ["attention_map/layer_0", "attention_map/layer_1", "pattern/layer_0",
                          "pattern/layer_1"])
        for layer, rows in enumerate(PATTERNS):
            step, pixels = picture(events, f"pattern/layer_{layer}")
            self.assertEqual(step, 30)
            self.assertEqual(pixels.shape, (PIXELS, PIXELS))
            for y, x in numpy.ndindex(pixels.shape):
                self.assertEqual(pixels[y, x], 0 if x // SCALE in rows[y // SCALE] else 255)
        _, pixels = picture(events, "attention_map/layer_1")
        self.assertEqual(pixels.shape, (PIXELS, PIXELS))
        self.assertEqual((pixels[0, 0], pixels[-1, -1]), (255, 0))
        for row in range(SIDE):
            for column in range(SIDE):
                cell = pixels[row * SCALE:(row + 1) * SCALE, column * SCALE:(column + 1) * SCALE]
                self.assertEqual(set(cell.flat), {255 - round(255 * (row * SIDE + column) / 63)})


class ConvertTest(TestCase):
    def test_shows_every_run_below_the_folder(self):
        folder = new_folder()
        runs = [make_run(folder / "one"), make_run(folder / "tables" / "cell" / "run")]
        self.converted(folder, 2 * len(METRICS))
        for run in runs:
            self.check_all(run)

    def test_a_second_call_changes_nothing(self):
        run = make_run(new_folder() / "run")
        self.converted(run, len(METRICS))
        before = [(path.name, path.read_bytes()) for path in sorted(run.iterdir())]
        self.converted(run, 0)
        self.assertEqual([(path.name, path.read_bytes()) for path in sorted(run.iterdir())], before)

    def test_keeps_up_with_a_run_line_by_line(self):
        run = new_folder() / "run"
        run.mkdir()
        for number, metric in enumerate(METRICS, 1):
            # Half of a line first: it is still being written.
            text = json.dumps(metric) + "\n"
            with (run / "metrics.jsonl").open("a") as file:
                file.write(text[:20])
                file.flush()
                self.converted(run, 0)
                file.write(text[20:])
            if metric["kind"] == "transition":
                self.converted(run, 0)  # its files are not there yet
                write_transition(run)
            self.converted(run, 1)
            self.assertEqual(len(event_files(run)), number)
        self.check_all(run)

    def test_what_a_killed_call_left_does_no_harm(self):
        run = make_run(new_folder() / "run")
        (run / "events.partial").write_bytes(b"half")
        self.converted(run, len(METRICS))
        self.assertFalse((run / "events.partial").exists())
        self.check_all(run)

    def test_lines_without_a_time_have_the_files(self):
        run = new_folder() / "run"
        run.mkdir()
        append(run, {key: value for key, value in METRICS[0].items() if key != "time_ms"})
        os.utime(run / "metrics.jsonl", (1_600_000_000, 1_600_000_000))
        self.converted(run, 1)
        event, = accumulate(run).Scalars("train/loss")
        self.assertEqual((event.step, event.value, event.wall_time), (10, 2.5, 1_600_000_000))


class BadInputTest(TestCase):
    def fails(self, folder, *expected):
        result = convert(folder)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for text in expected:
            self.assertIn(text, result.stderr)

    def test_a_broken_run_does_not_keep_others_back(self):
        folder = new_folder()
        runs = [make_run(folder / name) for name in ("a", "b", "c", "d", "e")]
        lines = (runs[0] / "metrics.jsonl").read_text().splitlines()
        (runs[0] / "metrics.jsonl").write_text("\n".join([lines[0], "torn", *lines[1:]]) + "\n")
        (runs[1] / "patterns.json").write_text("")
        (runs[3] / "metrics.jsonl").unlink()
        (runs[3] / "metrics.jsonl").mkdir()
        result = convert(folder)
        self.assertEqual(result.returncode, 1)
        errors = result.stderr.splitlines()
        self.assertEqual(len(errors), 3, result.stderr)
        for error, text in zip(errors, (f"error: {runs[0]}/metrics.jsonl:2: not JSON",
                                        f"error: {runs[1]}/patterns.json: ",
                                        f"{runs[3]}/metrics.jsonl")):
            self.assertIn(text, error)
        self.assertIn(f"new lines of metrics.jsonl: {1 + 4 + 6 + 6}\n", result.stdout)
        for run in (runs[2], runs[4]):
            self.check_all(run)

    def test_a_folder_without_runs(self):
        folder = new_folder()
        self.fails(folder, str(folder), "no run in it")
        self.fails(folder / "absent", str(folder / "absent"), "no run in it")

    def test_a_broken_line_is_named_and_those_before_it_are_shown(self):
        number = '{"kind":"dev","step":%d,"loss":%d,"accuracy":0}'
        broken = {'{"kind":"train","st': "not JSON",
                  "[1]": "was expected",
                  '{"kind":"loss"}': "train, dev, capture, transition",
                  '{"kind":["dev"]}': "was expected",
                  '{"kind":"dev","step":1,"loss":1}': "without accuracy",
                  '{"kind":"dev","step":1,"loss":"x","accuracy":0}': '"x"',
                  '{"kind":"dev","step":"one","loss":1,"accuracy":0}': '"one"',
                  "[" * 100_000: "not JSON",
                  number % (2**63, 1): "step 9223372036854775808",
                  number % (1, 10**400): "a number was expected"}
        folder = new_folder()
        runs = [folder / f"run{index}" for index in range(len(broken))]
        for run, line in zip(runs, broken):
            run.mkdir()
            append(run, *METRICS[:3])
            with (run / "metrics.jsonl").open("a") as file:
                file.write(line + "\n")
            append(run, METRICS[-1])
        for lines in (3 * len(runs), 0):
            result = convert(folder)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"new lines of metrics.jsonl: {lines}\n", result.stdout)
            errors = result.stderr.splitlines()
            self.assertEqual(len(errors), len(runs), result.stderr)
            for run, error, text in zip(runs, errors, broken.values()):
                self.assertIn(f"error: {run}/metrics.jsonl:4: ", error)
                self.assertIn(text, error)
        for run in runs:
            self.assertEqual(scalars(accumulate(run), "train/loss"), [(10, 2.5)])
            self.assertEqual(scalars(accumulate(run), "dev/loss"), [(10, 2.25)])

    def test_a_transition_without_its_files(self):
        run = make_run(new_folder() / "run")
        (run / "patterns.json").unlink()
        self.fails(run, f"{run}/metrics.jsonl:5: ", "no patterns.json")

    def test_a_broken_file_of_the_transition(self):
        run = make_run(new_folder() / "run")
        (run / "patterns.json").write_text('{"layers": [{}]}')
        self.fails(run, f"{run}/patterns.json: ", "columns_of_row")
        write_transition(run)
        self.converted(run, 2)
        self.check_all(run)

    def test_events_of_another_run(self):
        run = make_run(new_folder() / "run")
        self.converted(run, len(METRICS))
        (run / "metrics.jsonl").write_text(json.dumps(METRICS[0]) + "\n")
        self.fails(run, f"{run}/metrics.jsonl: 1 lines", "events for 6")


class RealRunTest(TestCase):
    def test_shows_what_an_experiment_wrote(self):
        run = new_folder() / "run"
        subprocess.run([EXPERIMENT, "--task=image", "--method=cf", "--preset=quick", "--device=cpu",
                        "--steps=5", "--batch_size=1", "--warmup_steps=1", "--capture_interval=1",
                        "--dense_step_limit=3", "--transition_limit_percent=0", "--dev_examples=8",
                        "--test_examples=8", f"--out_dir={run}"], check=True,
                       stdout=subprocess.DEVNULL)
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        self.converted(run, len(metrics))
        events = accumulate(run)
        trained = [metric for metric in metrics if metric["kind"] == "train"]
        self.assertEqual(len(trained), 5)
        for name in ("loss", "accuracy", "learning_rate", "step_ms"):
            self.assertEqual(scalars(events, f"train/{name}"),
                             [(metric["step"], numpy.float32(metric[name])) for metric in trained
                              if metric[name] is not None])
        for event, metric in zip(events.Scalars("train/loss"), trained):
            self.assertEqual(event.wall_time, metric["time_ms"] / 1e3)
        summary = json.loads((run / "summary.json").read_text())
        patterns = json.loads((run / "patterns.json").read_text())["layers"]
        for layer, (kept, pattern) in enumerate(zip(summary["kept_blocks"], patterns, strict=True)):
            tag = f"transition/kept_blocks/layer_{layer}"
            self.assertEqual(scalars(events, tag), [(summary["transition_step"], kept)])
            step, pixels = picture(events, f"pattern/layer_{layer}")
            self.assertEqual(step, summary["transition_step"])
            side = len(pattern["columns_of_row"])
            scale = len(pixels) // side
            self.assertEqual(pixels.shape, (side * scale, side * scale))
            cells = pixels[::scale, ::scale]
            self.assertEqual(int((cells == 0).sum()), kept)
            self.assertTrue((numpy.diag(cells) == 0).all())
            self.assertEqual(picture(events, f"attention_map/layer_{layer}")[1].shape, pixels.shape)


class ServeTest(TestCase):
    """TensorBoard itself, on this machine's own address."""

    def get(self, address, path, **query):
        url = f"{address}data/plugin/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def wait_for(self, question, expected):
        """TensorBoard reads anew every few seconds."""
        end = time.monotonic() + WAIT_S
        while (answer := question()) != expected and time.monotonic() < end:
            time.sleep(0.2)
        self.assertEqual(answer, expected)

    def test_serves_a_run_while_it_goes_on(self):
        folder = new_folder()
        make_run(folder / "finished")
        live = folder / "live"
        live.mkdir()
        append(live, METRICS[0])
        broken = folder / "broken"
        broken.mkdir()
        append(broken, METRICS[0], {"kind": "torn"})
        with subprocess.Popen([PROGRAM, f"--logdir={folder}", "--port=0"], stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, text=True) as program:
            address, log = None, ""
            while address is None and (line := program.stderr.readline()):
                log += line
                found = re.search(r"http://localhost:\d+/", line)
                address = found and found[0]
            try:
                self.assertIsNotNone(address, log)
                self.wait_for(lambda: sorted(self.get(address, "scalars/tags")),
                              ["broken", "finished", "live"])
                self.assertIn("pattern/layer_1",
                              self.get(address, "images/tags")["finished"])

                def losses():
                    return [(step, value) for _, step, value in
                            self.get(address, "scalars/scalars", run="live", tag="train/loss")]
                self.wait_for(losses, [(10, 2.5)])
                append(live, METRICS[-1])
                self.wait_for(losses, [(10, 2.5), (40, 1.5)])
            finally:
                program.send_signal(signal.SIGTERM)
                log += program.stderr.read()
            self.assertEqual(program.wait(), 130)
        self.assertEqual(log.count(f"error: {broken}/metrics.jsonl:2: "), 1, log)


if __name__ == "__main__":
    PROGRAM, EXPERIMENT = map(os.path.abspath, (sys.argv.pop(1), sys.argv.pop(1)))
    assert shutil.which(PROGRAM) and shutil.which(EXPERIMENT)
    unittest.main()
