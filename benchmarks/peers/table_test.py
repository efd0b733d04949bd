import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import table  # pylint: disable=wrong-import-position


def runs(name, milliseconds, **counters):
    return [{"name": name, "run_name": name, "run_type": "iteration", "repetition_index": i,
             "iterations": 1, "real_time": time, "time_unit": "ms", **counters}
            for i, time in enumerate(milliseconds)]


def failed(name, message):
    return [{"name": name, "run_name": name, "run_type": "iteration", "error_occurred": True,
             "error_message": message}]


# 4e9 bytes take 1 ms at 4e12 bytes a second.
CONTEXT = {"gpu": "NVIDIA H200", "l2_cache": "warm", "copy_bandwidth_bytes_per_second": "4e+12"}
OURS = (runs("dense/cuda/bf16/image/fwd", [9.0], bytes=4e9) +
        runs("spion/cuda/bf16/image/fwd", [2.0, 2.5, 9.0], bytes=4e9) +
        runs("spion/cuda/bf16/text/fwd", [4.0], bytes=2e9) +
        runs("spion/cuda/fp16/text/fwd", [4.0], bytes=2e9))
PEERS = (runs("sdpa_flash/cuda/bf16/image/fwd", [20.0, 10.0, 15.0]) +
         failed("flex32/cuda/bf16/image/fwd", "failed: no such block") +
         runs("flex128/cuda/bf16/image/fwd", [5.0]) +
         runs("sdpa_flash/cuda/bf16/text/fwd", [1.0], launched_plainly="RuntimeError: not now"))
REASONS = ["- flex32 failed: no such block (image bf16 fwd)",
           "- sdpa_flash *: plain launches; no CUDA graph: RuntimeError: not now (text bf16 fwd)"]


class TableTest(unittest.TestCase):

    def setUp(self):
        self.directory = tempfile.mkdtemp()

    def write(self, name, benchmarks, context=None):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"context": context or CONTEXT, "benchmarks": benchmarks}, file)
        return path

    def run_main(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = table.main(list(arguments))
        return code, out.getvalue(), err.getvalue()

    def cells(self, *arguments):
        code, out, err = self.run_main(*arguments)
        self.assertEqual(code, 0, err)
        lines, _, below = out.partition("\n\n")
        return [line.split() for line in lines.splitlines()], below.splitlines()

    def test_medians_ratio_and_floor_by_hand(self):
        lines, below = self.cells(self.write("ours", OURS), self.write("peers", PEERS))
        self.assertEqual(lines, [
            ["case", "dtype", "pass", "spion", "dense", "sdpa_flash", "flex32", "flex128",
             "best/spion", "floor"],
            ["image", "bf16", "fwd", "2.5000", "9.0000", "15.0000", "failed", "5.0000", "2.00",
             "1.0000"],
            ["text", "bf16", "fwd", "4.0000", "-", "1.0000*", "-", "-", "0.25", "0.5000"],
        ])
        self.assertEqual(below, REASONS)

    def test_one_file_of_the_package_and_its_peers(self):
        peers = PEERS + runs("spion/cuda/bf16/text/fwd", [2.0])
        lines, _ = self.cells(self.write("peers", peers))
        self.assertEqual(lines[1:], [["text", "bf16", "fwd", "2.0000", "1.0000*", "0.50", "-"]])

    def test_a_time_counts_more_than_an_earlier_word_and_the_first_time_more_than_others(self):
        first = (failed("spion/cuda/bf16/text/fwd", "absent: spion is not installed") +
                 runs("fa4/cuda/bf16/text/fwd", [3.0]))
        second = (runs("spion/cuda/bf16/text/fwd", [2.0], bytes=8e9) +
                  runs("fa4/cuda/bf16/text/fwd", [9.0]))
        lines, below = self.cells(self.write("first", first), self.write("second", second))
        self.assertEqual(lines[1:], [["text", "bf16", "fwd", "2.0000", "3.0000", "1.50", "2.0000"]])
        self.assertEqual(below, [])

    def test_a_reason_is_said_once(self):
        absent = "absent: flash-attn-4 is not installed"
        peers = (failed("fa4/cuda/bf16/image/fwd", absent) + failed("fa4/cuda/bf16/text/fwd", absent))
        lines, below = self.cells(self.write("ours", OURS), self.write("peers", peers))
        self.assertEqual([line[5] for line in lines[1:]], ["absent", "absent"])
        self.assertEqual(below, ["- fa4 absent: flash-attn-4 is not installed (everywhere)"])
        _, below = self.cells(self.write("ours", OURS), self.write("peers", peers[:1] + runs(
            "fa4/cuda/bf16/text/fwd", [1.0])))
        self.assertEqual(below, ["- fa4 absent: flash-attn-4 is not installed (image bf16 fwd)"])

    def test_markdown(self):
        _, out, _ = self.run_main("--markdown", self.write("ours", OURS),
                                  self.write("peers", PEERS))
        lines = out.splitlines()
        self.assertEqual(lines[1], "|---|---|---|---:|---:|---:|---:|---:|---:|---:|")
        self.assertEqual(lines[2], "| image | bf16 | fwd | 2.5000 | 9.0000 | 15.0000 | failed | "
                                   "5.0000 | 2.00 | 1.0000 |")
        self.assertEqual(lines[4:], ["", *REASONS])

    def test_any_order_has_a_ratio_of_its_own_and_is_no_peer(self):
        ours = OURS + runs("spion_any_order/cuda/bf16/image/fwd", [2.0])
        lines, _ = self.cells(self.write("ours", ours), self.write("peers", PEERS))
        self.assertEqual(lines[0][3:5] + lines[0][-3:],
                         ["spion", "spion_any_order", "best/spion", "best/any", "floor"])
        self.assertEqual(lines[1][3:5] + lines[1][-3:], ["2.5000", "2.0000", "2.00", "2.50", "1.0000"])
        self.assertEqual(lines[2][3:5] + lines[2][-3:], ["4.0000", "-", "0.25", "0.25", "0.5000"])
        alone = self.write("alone", ours[4:] + runs("spion_any_order/cuda/fp16/text/fwd", [2.0]))
        self.assertEqual(self.run_main(alone)[0], 2)

    def test_an_error_of_ours_is_shown(self):
        lines, below = self.cells(
            self.write("ours", failed("spion/cuda/bf16/image/fwd", "no memory")),
            self.write("peers", PEERS))
        self.assertEqual(lines[1][3:], ["error", "15.0000", "failed", "5.0000", "-", "-"])
        self.assertIn("- spion error: no memory (everywhere)", below)

    def test_another_gpu_is_said(self):
        peers = self.write("peers", PEERS, {**CONTEXT, "gpu": "NVIDIA H100"})
        _, _, err = self.run_main(self.write("ours", OURS), peers)
        self.assertIn("gpu is NVIDIA H200", err)

    def test_files_that_do_not_fit_are_errors(self):
        ours = self.write("ours", OURS[1:4])
        for peers, message in ((os.path.join(self.directory, "none"), "cannot read"),
                               (self.write("other", runs("flex128/cuda/bf16/other/fwd", [1.0])),
                                "has a peer in")):
            code, out, err = self.run_main(ours, peers)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(message, err)


if __name__ == "__main__":
    unittest.main()
