import unittest

from tools.profiling import range_table


def event(name, ts, dur, cat="user_annotation", ph="X"):
    return {"name": name, "ts": ts, "dur": dur, "cat": cat, "ph": ph}


TRACE = {"traceEvents": [
    event("spion:step", 1000, 4000),
    event("spion:forward", 1000, 1000),
    event("spion:forward", 2000, 3000),
    event("spion:forward", 9000, 2000),
    event("spion:forward", 1500, 500, cat="gpu_user_annotation"),
    event("aten::mm", 0, 9999, cat="cpu_op"),
    event("Optimizer.step", 0, 50000),
    event("spion:mark", 0, 0, ph="i"),
    {"name": "process_name", "ph": "M"},
]}


class RangeTableTest(unittest.TestCase):
    def test_counts_totals_medians_and_shares(self):
        # The ranges reach from 1 ms to 11 ms.
        self.assertEqual(range_table.rows(TRACE), [
            range_table.Row("forward", 3, 6.0, 2.0, 0.6),
            range_table.Row("step", 1, 4.0, 4.0, 0.4),
        ])

    def test_the_gpus_ranges_are_counted_apart(self):
        self.assertEqual(range_table.rows(TRACE, range_table.GPU),
                         [range_table.Row("forward", 1, 0.5, 0.5, 1.0)])

    def test_a_trace_without_ranges_has_no_rows(self):
        self.assertEqual(range_table.rows({"traceEvents": []}), [])

    def test_the_text_lines_up(self):
        lines = range_table.format_rows(range_table.rows(TRACE)).splitlines()
        self.assertEqual(lines[1].split(), ["forward", "3", "6.00", "2.000", "60.0%"])
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})


if __name__ == "__main__":
    unittest.main()
