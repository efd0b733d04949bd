"""What the experiment program really leaves, and what the tables make of it."""

import os
import pathlib
import sys
import tempfile
import unittest

import breakdown
import breakdown_by_order
import real_cells
import table_breakdown

PROGRAM = RESULTS = None


class BreakdownTest(unittest.TestCase):
    """Against the time of operators by their names, in the same trace."""

    def traces(self):
        return {cell.method: RESULTS[cell].json("trace.json")
                for cell in table_breakdown.cells(real_cells.PRESET)}

    def test_a_part_is_its_operators_and_what_lies_between(self):
        for method, trace in self.traces().items():
            told, operators = breakdown.shares(trace), breakdown_by_order.shares(trace)
            self.assertAlmostEqual(told["step"], operators["step"])
            for part in breakdown_by_order.PARTS[:-1]:
                # An operator that is taken for another part's is missing here.
                self.assertGreater(told[part], operators[part] - 1e-9, f"{method}: {part}")
            # Which the operators leave to "other".
            self.assertGreater(told["residual stream"], 0, method)
            self.assertGreater(told["other"], 0, method)

    def test_an_attention_is_fused_or_told_apart(self):
        for method, trace in self.traces().items():
            told = breakdown.shares(trace)
            apart = [told[part] > 0 for part in ("scores", "softmax", "weighted sum")]
            self.assertEqual(apart, [method == "dense"] * 3, method)
            self.assertEqual(told["fused attention"] > 0, method != "dense", method)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        RESULTS = real_cells.run(PROGRAM, folder, table_breakdown.cells(real_cells.PRESET))
        unittest.main()
