"""This machine's share of the cells is run, by stand-ins for the programs, and pages are written."""

import os
import pathlib
import tempfile
import unittest

import choice
import command_line
import fake_programs
import run_tables


class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.workspace = self.folder / "workspace"
        fake_programs.write(self.folder)
        (self.folder / "run").write_text(f'#!/bin/bash\nexec "{self.folder}/$@"\n')
        (self.folder / "run").chmod(0o755)

    def run_tables(self, *flags):
        """How many failed."""
        parser = command_line.Parser()
        choice.add_flags(parser, table_help="")
        for name in ("cells_only", "estimate_only"):
            parser.add_switch(name, help="")
        parser.add_argument("--bundle", default=str(self.folder))
        options = parser.parse_args(["--table=accuracy", "--seeds=1001",
                                     f"--results_dir={self.folder}/results", *flags])
        return run_tables.run(options, self.workspace, "a command", lambda text: None)

    def tasks_asked_and_run(self):
        """In the order of the calls: a task that is asked about with a question mark."""
        return [line.split("--task=")[1].split()[0] + "?" * ("--mode=manifest" in line)
                for line in (self.folder / "calls.txt").read_text().splitlines()]

    def pages(self):
        return sorted(path.name for path in (self.folder / "results/quick").glob("*.html"))

    def test_those_that_failed_are_counted_with_and_without_pages(self):
        flags = ("--tasks=text", "--methods=cf,reformer,linformer")
        self.assertEqual(self.run_tables(*flags, "--cells_only"), 2)
        self.assertEqual(self.pages(), [])
        self.assertEqual(self.run_tables(*flags), 2)
        self.assertEqual(self.pages(), ["accuracy.html", "index.html"])

    def test_of_other_shares_pages_alone_ask_and_before_anything_runs(self):
        flags = ("--tasks=image,text", "--methods=cf", "--shard_index=0", "--shard_count=2")
        self.assertEqual(self.run_tables(*flags, "--cells_only"), 0)
        self.assertEqual(self.tasks_asked_and_run(), ["text?", "text"])
        (self.folder / "calls.txt").unlink()
        self.assertEqual(self.run_tables(*flags, "--seeds=1002"), 0)
        self.assertEqual(self.tasks_asked_and_run(), ["text?", "image?", "text"])

    def test_of_variants_those_alone_run_and_pages_say_that_the_others_did_not(self):
        flags = ("--table=ablation", "--tasks=text", "--methods=cf", "--seeds=1001",
                 "--variants=shared,excluded")
        self.assertEqual(self.run_tables(*flags), 0)
        self.assertEqual([[flag for flag in call.split() if flag.startswith(("--excluded", "--shared"))]
                          for call in fake_programs.calls(self.folder)],
                         [["--excluded_pruned=yes"], ["--shared_pattern=yes"]])
        self.assertIn("2 done, 3 not run", (self.folder / "results/quick/ablation.md").read_text())

    def test_without_a_bundle_the_programs_are_those_of_the_workspace(self):
        (self.workspace / "experiments").mkdir(parents=True)
        (self.folder / "lra").rename(self.workspace / "experiments/lra")
        self.assertEqual(self.run_tables("--bundle=", "--tasks=text", "--methods=cf",
                                         "--cells_only"), 0)
        self.assertEqual(self.tasks_asked_and_run(), ["text?", "text"])

    def test_an_estimate_runs_nothing(self):
        self.assertEqual(self.run_tables("--tasks=text", "--methods=reformer", "--estimate_only"), 0)
        self.assertEqual(self.tasks_asked_and_run(), ["text?"])
        self.assertFalse((self.folder / "results").exists())


if __name__ == "__main__":
    unittest.main()
