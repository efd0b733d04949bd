"""A page says whatever its cells differ in."""

import json
import os
import pathlib
import tempfile
import unittest

import provenance
import small_runs
from cells import BENCHMARK, Cell
from origin import Origin
from result import Result, State
from store import Store

GENERATED = Origin("generated-8-4-2", "cpu")
REAL = Origin("sha256-" + "ab" * 32, "cpu")
IMAGE, TEXT = Cell("image", "cf", 1), Cell("text", "cf", 1)


class ProvenanceTest(unittest.TestCase):
    def setUp(self):
        self.store = Store(pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))))

    def result(self, cell, origin, **made_with):
        small_runs.add(self.store, cell.on(origin), **made_with)
        return self.store.result(cell.on(origin))

    def test_cells_of_one_kind_are_not_mixed(self):
        results = [self.result(Cell("image", "cf", seed), GENERATED) for seed in (1, 2)]
        results += [self.result(TEXT, GENERATED), Result(TEXT, State.MISSING),
                    Result(TEXT, State.FAILED, error="error: no")]
        self.assertEqual(provenance.mixed(results), [])
        self.assertEqual(provenance.mixed([]), [])

    def test_devices(self):
        gpu = self.result(IMAGE, Origin(REAL.data, "NVIDIA H200"))
        cpu = [self.result(Cell("image", "cf", seed), REAL, device_name="a CPU") for seed in (1, 2)]
        self.assertEqual(provenance.mixed([gpu, *cpu]), [
            "MIXED devices: NVIDIA H200 (1 cell); a CPU (2 cells): their times and memory do not "
            "compare."])
        other_cpu = self.result(TEXT, REAL, device_name="another CPU")
        self.assertIn("a CPU (1 cell); another CPU (1 cell)",
                      provenance.mixed([cpu[0], other_cpu])[0])

    def test_a_benchmark_has_a_device_and_a_commit_too(self):
        run = self.result(IMAGE, Origin(REAL.data, "NVIDIA H200"))
        same, other = (self.result(Cell("attention", "all", 1, kind=BENCHMARK), Origin("", name))
                       for name in ("NVIDIA H200", "NVIDIA H100"))
        self.assertEqual(provenance.mixed([run, same]), [])
        self.assertIn("MIXED devices", provenance.mixed([run, other])[0])
        told = same.json("benchmark.json")
        told["context"].update(commit=small_runs.COMMIT + "+", torch=small_runs.TORCH)
        (same.folder / "benchmark.json").write_text(json.dumps(told))
        self.assertIn("c0ffeec0ffee with changes (1 cell)", provenance.mixed([run, same])[0])

    def test_commits_and_libtorch(self):
        results = [self.result(IMAGE, REAL), self.result(TEXT, REAL, commit="beef" * 10),
                   self.result(Cell("text", "cf", 2), REAL, torch="2.12.0")]
        told = provenance.mixed(results)
        self.assertEqual(len(told), 2)
        self.assertIn("MIXED commits: c0ffeec0ffee (2 cells); beefbeefbeef (1 cell)", told[0])
        self.assertIn("MIXED LibTorch versions: 2.11.0 (2 cells); 2.12.0 (1 cell)", told[1])

    def go_on(self, result, **changes):
        """As the program tells of a part that another process did."""
        path = result.folder / "run/manifest.json"
        told = json.loads(path.read_text())
        part = {key: told[key] for key in ("device_name", "git_commit", "git_dirty",
                                           "torch_version", "cuda_version")}
        told.setdefault("resumed", []).append({**part, "step": 7, **changes})
        path.write_text(json.dumps(told))

    def test_parts_of_one_cell_made_with_the_same_are_not_mixed(self):
        result = self.result(IMAGE, REAL)
        self.go_on(result)
        self.assertEqual(provenance.mixed([result, self.result(TEXT, REAL)]), [])

    def test_parts_of_one_cell_made_with_others(self):
        result = self.result(IMAGE, REAL)
        self.go_on(result, git_commit="beef" * 10, git_dirty=True)
        self.go_on(result, torch_version="2.12.0")
        self.go_on(result, device_name="another CPU")
        commits = "c0ffeec0ffee, then beefbeefbeef with changes (1 cell)"
        for results, others in (([result], ""),
                                ([result, self.result(TEXT, REAL)], "; c0ffeec0ffee (1 cell)")):
            told = provenance.mixed(results)
            self.assertEqual([text.split(":")[0] for text in told],
                             ["MIXED devices", "MIXED commits", "MIXED LibTorch versions"])
            self.assertIn(f"MIXED commits: {commits}{others}:", told[1])
            self.assertIn("2.11.0, then 2.12.0 (1 cell)", told[2])
        self.assertEqual(provenance.of([result])[0].torches, ("2.11.0", "2.12.0"))

    def test_real_and_generated_data(self):
        told = provenance.mixed([self.result(IMAGE, REAL), self.result(TEXT, GENERATED)])
        self.assertEqual(told, [
            "MIXED data: data of image from files (1 cell); generated data of text (1 cell): what "
            "is generated compares with nothing published."])

    def test_data_of_one_task(self):
        told = provenance.mixed([
            self.result(IMAGE, GENERATED),
            self.result(Cell("image", "f", 1), Origin("generated-9-4-2", "cpu"))])
        self.assertEqual(told, [
            "MIXED data of image: generated data, 8 train, 4 dev, 2 test (1 cell); generated data, "
            "9 train, 4 dev, 2 test (1 cell): their accuracies do not compare."])

    def test_what_is_left_out(self):
        other = Origin(REAL.data, "NVIDIA H200")
        results = [Result(IMAGE, State.MISSING, others=(GENERATED,)),
                   Result(TEXT, State.DONE, others=(GENERATED, other))]
        self.assertEqual(provenance.left_out(results), [
            "Not shown, though there: 2 cells made on generated data, 8 train, 4 dev, 2 test, on "
            "cpu; 1 cell made on data of sha256 abababababab, on NVIDIA H200."])
        self.assertEqual(provenance.left_out([Result(IMAGE, State.MISSING)]), [])

    def test_what_is_damaged(self):
        result = Result(IMAGE, State.MISSING, damage=("cells/a: it is empty",))
        self.assertEqual(provenance.damaged([result, result]), ["cells/a: it is empty"])


if __name__ == "__main__":
    unittest.main()
