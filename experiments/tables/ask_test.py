"""The program is asked once a task, and what it cannot tell ends the call."""

import os
import pathlib
import tempfile
import unittest

import ask
import fake_programs
from cells import BENCHMARK, Cell
from origin import Origin
from presets import QUICK, inference
from programs import Machine, Programs

GENERATED, REAL = "generated-8-4-2", "sha256-" + "ab" * 32


class AskTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.programs = Programs(*fake_programs.write(self.folder))
        self.said = []

    def where(self, **machine):
        return ask.Where(self.programs, Machine(**machine), self.said.append)

    def test_a_cell_is_placed_on_its_tasks_data_and_the_device(self):
        cell = QUICK.training("image", "cf")
        for machine, origin in (({}, Origin(GENERATED, "cpu")),
                                ({"device": "cuda"}, Origin(GENERATED, "an H200")),
                                ({"data_dir": "/data"}, Origin(REAL, "cpu"))):
            self.assertEqual(self.where(**machine).place(cell), cell.on(origin))
        self.assertEqual(self.where().place(inference(cell)).trains.origin.data, GENERATED)

    def test_several_gpus_are_another_device_but_for_a_benchmark(self):
        where = self.where(device="cuda", gpus_per_cell=4)
        self.assertEqual(where.place(QUICK.training("image", "cf")).origin,
                         Origin(GENERATED, "4 x an H200"))
        benchmark = where.place(Cell("attention", "all", 1, kind=BENCHMARK))
        self.assertEqual(benchmark.origin, Origin("", "an H200"))
        with self.assertRaisesRegex(ask.AskError, "--gpus_per_cell=2: cells here run on the CPU"):
            self.where(gpus_per_cell=2).place(QUICK.training("image", "cf"))

    def test_each_task_is_asked_about_once_and_the_answer_is_said(self):
        where = self.where(data_dir="/data")
        for task in ("image", "text"):
            for method in ("dense", "cf"):
                where.place(QUICK.training(task, method, 7))
        asked = fake_programs.questions(self.folder)
        self.assertEqual([line.split()[0] for line in asked], ["--task=image", "--task=text"])
        for flag in ("--preset=quick", "--device=auto", "--data_dir=/data"):
            self.assertIn(flag, asked[0].split())
        self.assertEqual(self.said, ["image: data of sha256 abababababab, on cpu",
                                     "text: data of sha256 abababababab, on cpu"])

    def test_a_task_may_be_generated_beside_the_files_of_others(self):
        where = self.where(data_dir="/data", generated=("listops",))
        for task, data in (("image", REAL), ("listops", GENERATED)):
            self.assertEqual(where.place(QUICK.training(task, "cf")).origin.data, data)
        asked = fake_programs.questions(self.folder)
        self.assertEqual(["--data_dir=/data" in line for line in asked], [True, False])

    def test_a_benchmark_alone_needs_no_data(self):
        cell = Cell("attention", "all", 1, kind=BENCHMARK)
        placed = self.where(data_dir="/no/such/folder", device="cuda").place(cell)
        self.assertEqual(placed.origin, Origin("", "an H200"))
        self.assertNotIn("--data_dir", fake_programs.questions(self.folder)[0])

    def check_error(self, script, *texts, **machine):
        program = self.folder / "other"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        where = ask.Where(Programs((str(program),), ()), Machine(**machine), self.said.append)
        with self.assertRaises(ask.AskError) as raised:
            where.place(QUICK.training("text", "cf"))
        for text in texts:
            self.assertIn(text, str(raised.exception))
        return str(raised.exception)

    def test_what_the_program_says_is_passed_on(self):
        self.check_error("echo data; echo 'error: /data has no text' >&2; exit 1", "--task=text",
                         "error: /data has no text")
        self.check_error("echo 'error: /data has no text' >&2; exit 1",
                         "error: /data has no text\n--generated=text,image generates the data of text",
                         data_dir="/data", generated=("image",))
        for script in ("echo 'error: no GPU' >&2; exit 1", "echo {}"):
            self.assertNotIn("--generated", self.check_error(script, "", data_dir="/data"))
        self.check_error("kill -9 $$", "SIGKILL")
        self.check_error("echo 'no json'", "its last line is no manifest")
        self.check_error("echo {}", "its last line is no manifest")
        self.check_error("exit 0", "its last line is no manifest")

    def test_a_program_that_is_not_there(self):
        where = ask.Where(Programs.of_bundle("/no/such/bundle"), Machine(), self.said.append)
        with self.assertRaisesRegex(ask.AskError, "/no/such/bundle/run: No such file"):
            where.place(QUICK.training("text", "cf"))


if __name__ == "__main__":
    unittest.main()
