"""What an NVTX tool hears of the ranges of ranges_program.cc."""

import subprocess
import sys
import unittest

from spion.profiling import nvtx_record

PROGRAM = RECORDER = None


class RangeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.result, cls.events = nvtx_record.run(RECORDER, [PROGRAM])

    def test_runs(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)

    def test_names_nesting_categories_and_payloads(self):
        ranges = [tuple(range_) for range_ in nvtx_record.nested_ranges(self.events)]
        self.assertEqual(ranges, [
            ("dense_step", (), None, None),
            ("data", ("dense_step",), None, None),
            ("forward", ("dense_step",), None, None),
            ("attention_forward", ("dense_step", "forward"), "layer 1", 70),
            ("backward", (), None, None),
            ("attention_backward", ("backward",), "layer 1", None),
            ("attention_backward", ("backward", "attention_backward"), None, 0),
        ])

    def test_phases_overlap(self):
        (dense, dense_start, dense_end), (sparse, sparse_start, sparse_end) = nvtx_record.phases(
            self.events)
        self.assertEqual((dense, sparse), ("dense_phase", "sparse_phase"))
        self.assertTrue(dense_start < sparse_start < dense_end < sparse_end)
        self.assertEqual(self.events[sparse_start]["category"], "layer 0")

    def test_the_domain_its_strings_and_a_category_are_made_once(self):
        made = [(event["event"], event.get("name")) for event in self.events
                if event["event"] in ("domain", "string", "category")]
        self.assertEqual(len(made), len(set(made)))
        self.assertIn(("domain", None), made)
        self.assertIn(("string", "attention_map"), made)

    def test_runs_without_a_tool(self):
        self.assertEqual(subprocess.run([PROGRAM], check=False).returncode, 0)


class ReaderTest(unittest.TestCase):
    """The reader itself must see what is wrong."""

    PUSH = {"event": "push", "thread": 1, "name": "data"}

    def test_an_open_range_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "never closed"):
            nvtx_record.nested_ranges([self.PUSH])

    def test_a_second_close_is_an_error(self):
        pop = {"event": "pop", "thread": 1}
        with self.assertRaisesRegex(ValueError, "not open"):
            nvtx_record.nested_ranges([self.PUSH, pop, pop])

    def test_an_open_phase_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "never ended"):
            nvtx_record.phases([{"event": "start", "id": 1, "name": "dense_phase"}])


if __name__ == "__main__":
    PROGRAM, RECORDER = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
