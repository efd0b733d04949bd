"""tools/profile with a stand-in for Bazel, and one for nsys."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROFILE = None

# Stands for `bazel run --script_path=FILE TARGET`: the program writes down its arguments, and a
# trace if it is asked for one.
BAZEL = """#!/bin/bash
script=${2#--script_path=}
[[ $3 != //experiments:broken ]] || exit 1
cat > "$script" <<'END'
#!/bin/bash
printf '%s\\n' "$BUILD_WORKING_DIRECTORY" "$@" > "$RECORD"
for argument; do
  case $argument in
    --fail) exit 7 ;;
    --trace=*) cp "$TRACE" "${argument#--trace=}" ;;
  esac
done
END
chmod +x "$script"
"""

# Runs the program as `nsys profile` does, and notes what it was asked for.
NSYS = """#!/bin/bash
printf '%s ' "$@" >> "$NSYS_RECORD"
echo >> "$NSYS_RECORD"
[[ $1 == profile ]] || { echo "a table"; exit 0; }
while [[ $1 != -o ]]; do shift; done
touch "$2.nsys-rep"
exec "${@:3}"
"""

TRACE = {"traceEvents": [{"name": "spion:forward", "cat": "user_annotation", "ph": "X",
                          "ts": 0, "dur": 2500}]}


class ProfileTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        tools = self.folder / "tools"
        (tools / "profiling").mkdir(parents=True)
        shutil.copy(PROFILE, tools / "profile")
        shutil.copy(pathlib.Path(PROFILE).parent / "profiling/range_table.py", tools / "profiling")
        self.write(tools / "bazel", BAZEL)
        self.user = self.folder / "user"
        self.user.mkdir()
        self.trace = self.folder / "canned.json"
        self.trace.write_text(json.dumps(TRACE))
        self.path = "/usr/bin:/bin"

    @staticmethod
    def write(path, text):
        path.write_text(text)
        path.chmod(0o755)

    def add_nsys(self):
        (self.folder / "bin").mkdir()
        self.write(self.folder / "bin/nsys", NSYS)
        self.path = f"{self.folder}/bin:{self.path}"

    def run_profile(self, *arguments):
        return subprocess.run(
            [sys.executable, str(self.folder / "tools/profile"), *arguments], cwd=self.user,
            env={"PATH": self.path, "RECORD": str(self.folder / "record"),
                 "NSYS_RECORD": str(self.folder / "nsys"), "TRACE": str(self.trace)},
            capture_output=True, text=True, check=False)

    def recorded(self):
        return (self.folder / "record").read_text().splitlines()

    def test_without_nsys_the_table_comes_from_the_trace(self):
        result = self.run_profile("//experiments:lra_image_cf", "--", "--steps=50")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("nsys was not found", result.stderr)
        table = [line.split() for line in result.stdout.splitlines()]
        self.assertIn(["forward", "1", "2.50", "2.500", "100.0%"], table)
        (report,) = (self.user / "profiles").iterdir()
        self.assertIn(f"report: {report}", result.stdout)
        run = str(report).replace(".trace.json", ".run")
        self.assertEqual(self.recorded(), [str(self.user), "--steps=50", f"--out_dir={run}",
                                           f"--trace={report}"])

    def test_with_nsys_it_runs_under_it(self):
        self.add_nsys()
        result = self.run_profile("//benchmarks:sparse_attention", "--", "--flag")
        self.assertEqual(result.returncode, 0, result.stderr)
        profile, stats = (self.folder / "nsys").read_text().splitlines()
        for flag in ("--trace=cuda,nvtx", "--cuda-graph-trace=node"):
            self.assertIn(flag, profile.split())
        self.assertIn("nvtx_sum", stats)
        (report,) = (self.user / "profiles").iterdir()
        self.assertEqual(stats.split()[-1], str(report))
        self.assertIn(f"report: {report}", result.stdout)
        self.assertEqual(self.recorded()[1:], ["--flag"])

    def test_under_nsys_an_experiment_runs_part_by_part_unless_told(self):
        self.add_nsys()
        result = self.run_profile("//experiments:lra_image_cf", "--", "--steps=50")
        self.assertIn("part by part", result.stderr)
        (report,) = (self.user / "profiles").iterdir()
        run = str(report).replace(".nsys-rep", ".run")
        self.assertEqual(self.recorded()[1:], ["--steps=50", f"--out_dir={run}",
                                               "--cuda_graph=false"])
        self.run_profile("//experiments:lra_image_cf", "--", "--cuda_graph=true",
                         "--out_dir=elsewhere")
        self.assertEqual(self.recorded()[1:], ["--cuda_graph=true", "--out_dir=elsewhere"])

    def test_runs_keep_out_of_the_users_results(self):
        for tool in ("trace", "nsys"):
            with self.subTest(tool):
                if tool == "nsys":
                    self.add_nsys()
                self.run_profile("//experiments:lra_image_cf")
                (out_dir,) = [flag for flag in self.recorded() if flag.startswith("--out_dir=")]
                self.assertTrue(out_dir.startswith(f"--out_dir={self.user}/profiles/"), out_dir)

    def check(self, code, expected, *arguments):
        result = self.run_profile(*arguments)
        self.assertEqual(result.returncode, code)
        (line,) = result.stderr.strip().splitlines()[-1:]
        self.assertIn(expected, line)
        self.assertNotIn("Traceback", result.stderr)

    def test_bad_usage_is_one_clear_line(self):
        self.check(2, "no target")
        self.check(2, "is not one target", "//...")
        self.check(2, "is not one target", "lra")
        self.check(2, 'stands before "--"', "//experiments:lra_image_cf", "--steps=50")
        self.check(2, "leave it out", "//experiments:lra_image_cf", "--", "--trace=x")

    def test_failures_say_what_failed(self):
        self.check(1, "could not be built", "//experiments:broken")
        self.check(7, "exit code 7", "//experiments:lra_image_cf", "--", "--fail")
        self.check(1, "writes no trace of its own", "//benchmarks:sparse_attention")
        self.trace.write_text('{"traceEvents": []}')
        self.check(1, "has no ranges", "//experiments:lra_image_cf")


if __name__ == "__main__":
    PROFILE = sys.argv.pop(1)
    unittest.main()
