"""All formats show the same, and a page needs nothing but itself."""

import csv
import errno
import html.parser
import multiprocessing
import os
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import report
import small_runs
from cells import Cell
from origin import Origin
from page import BEST, FAILED, Entry, Grid, Note, Page, Picture
from result import Result, State
from store import Store

ROWS = [["SPION-CF", Entry("38.2 ± 0.5", BEST), "0.0412", Entry("12 % & 3 | <b>4")],
        ["a_b", Entry("failed", FAILED), "not published here", "-"]]
COLUMNS = ["method", "accuracy, %", "ms", "odd"]


class _Tables(html.parser.HTMLParser):
    """The texts of all table cells; and every address that the page refers to."""

    def __init__(self):
        super().__init__()
        self.rows, self.addresses, self._text = [], [], None

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._text = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self._text)
            self._text = None

    def handle_data(self, data):
        if self._text is not None:
            self._text += data


def unescaped_latex(text):
    text = re.sub(r"\\text(?:bf|it)\{(.*)\}", r"\1", text)
    return re.sub(r"\\([&%$#_{}])", r"\1", text.replace(r"$\pm$", "±"))


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        failed = Result(Cell("text", "reformer", 1001), State.FAILED, error="error: <no> room")
        missing = Result(Cell("text", "cf", 1001), State.MISSING)
        self.page = Page("accuracy", "Accuracy", "What it is.",
                         [Grid("matrix", "All", COLUMNS, ROWS, "A note."), Note("Told."),
                          Picture("A picture", '<svg id="drawn"></svg>')], [failed, missing])

    def write(self, preset="paper"):
        report.write(self.page, self.folder, preset, "bazel run it")
        return {path.suffix[1:]: path.read_text() for path in self.folder.iterdir()
                if path.suffix[1:] in ("html", "csv", "md", "tex")}

    def test_all_formats_have_the_same_texts(self):
        files = self.write()
        expected = [[cell.text if isinstance(cell, Entry) else cell for cell in row]
                    for row in ROWS]
        in_csv = list(csv.reader(files["csv"].splitlines()))
        self.assertEqual(in_csv, [COLUMNS, *expected])
        page = _Tables()
        page.feed(files["html"])
        self.assertEqual(page.rows, [COLUMNS, *expected])
        in_markdown = [[cell.strip().replace(r"\|", "|").strip("*") for cell in
                        re.split(r"(?<!\\)\|", line)[1:-1]]
                       for line in files["md"].splitlines() if line.startswith("| ")]
        self.assertEqual(in_markdown, [COLUMNS, *expected])
        self.assertIn(r"12 \% \& 3 | <b>4 \\", files["tex"])
        in_latex = [[unescaped_latex(cell) for cell in re.split(r" (?<!\\)& ", line[:-3])]
                    for line in files["tex"].splitlines() if line.endswith(r" \\")]
        self.assertEqual(in_latex, [COLUMNS, *expected])

    def test_grids_of_an_earlier_call_go_and_other_files_stay(self):
        (self.folder / "accuracy.mine.csv").write_text("a user's own")
        self.page.blocks.insert(0, Grid("text", "Of a task", COLUMNS, ROWS))
        self.write()
        self.assertTrue((self.folder / "accuracy.text.csv").exists())
        del self.page.blocks[0]
        self.write()
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.csv")),
                         ["accuracy.matrix.csv", "accuracy.mine.csv"])

    def test_a_failed_cell_is_shown_with_its_error(self):
        files = self.write()
        self.assertIn('<td class="number failed">failed</td>', files["html"])
        self.assertIn("text reformer, seed 1001", files["html"])
        self.assertIn("error: &lt;no&gt; room", files["html"])
        self.assertIn("1 failed, 1 not run", files["md"])

    def test_cells_of_several_commits_are_said_to_be(self):
        store = Store(self.folder / "store")
        for seed, commit in ((1, "c0ffee"), (2, "beef")):
            cell = Cell("image", "cf", seed).on(Origin("generated-8-4-2", "cpu"))
            small_runs.add(store, cell, commit=commit)
            self.page.results.append(store.result(cell))
        said = ("MIXED commits: c0ffee (1 cell); beef (1 cell): what the program does may have "
                "changed in between.")
        files = self.write()
        self.assertIn(f'<p class="warning">{said}</p>', files["html"])
        self.assertIn(f"**{said}**", files["md"])
        self.assertIn(f"% {said}", files["tex"])
        index = report.write_index(self.folder, "paper", ["accuracy"], self.page.results, "do it")
        self.assertIn(f'<p class="warning">{said}</p>', index.read_text())

    def test_what_is_damaged_or_not_shown_is_said(self):
        self.page.results.append(Result(Cell("text", "c", 1), State.MISSING,
                                        damage=("cells/<c>: cell.json is empty",),
                                        others=(Origin("generated-8-4-2", "cpu"),)))
        files = self.write()
        for said in ("Counts as not run, for it cannot be read: cells/{}: cell.json is empty.",
                     "Not shown, though there: 1 cell made on generated data, 8 train, 4 dev, "
                     "2 test, on cpu."):
            self.assertIn(said.format("&lt;c&gt;"), files["html"])
            self.assertIn(said.format("<c>"), files["md"])
            self.assertIn("% " + said.format("<c>"), files["tex"])

    def test_quick_pages_warn_loudly_and_paper_pages_do_not(self):
        self.assertNotIn(report.QUICK_WARNING, "".join(self.write("paper").values()))
        for suffix in ("html", "md", "tex"):
            self.assertIn(report.QUICK_WARNING, self.write("quick")[suffix])

    def test_a_page_needs_nothing_else(self):
        page = _Tables()
        text = self.write()["html"]
        page.feed(text)
        for address in page.addresses:
            self.assertRegex(address, r"^(data:|[\w.]+$)")
        for wanted in ("prefers-color-scheme: dark", "@media print", '<svg id="drawn">'):
            self.assertIn(wanted, text)
        self.assertNotIn("@import", text)
        self.assertNotIn("<script", text)

    def test_no_half_file_is_left_and_the_index_leads_to_the_page(self):
        self.write()
        index = report.write_index(self.folder, "quick", ["memory", "accuracy"],
                                   self.page.results, "bazel run it").read_text()
        self.assertIn('href="accuracy.html"', index)
        self.assertNotIn('href="memory.html"', index)
        self.assertIn("1 failed, 1 not run", index)
        self.assertIn(report.QUICK_WARNING, index)
        self.assertEqual(list(self.folder.glob("*.partial")), [])

    def test_shards_may_write_one_page_at_the_same_time(self):
        shards = [multiprocessing.Process(target=lambda: [self.write() for _ in range(20)])
                  for _ in range(4)]
        for shard in shards:
            shard.start()
        for shard in shards:
            shard.join()
        self.assertEqual([shard.exitcode for shard in shards], [0] * 4)
        self.assertEqual(list(self.folder.glob(".*.partial")), [])

    def test_an_entry_that_the_disk_cannot_read_is_named(self):
        self.write()
        with mock.patch("pathlib.Path.read_text", side_effect=OSError(errno.EIO, "the disk is ill")):
            with self.assertRaises(OSError) as raised:
                report.write_index(self.folder, "quick", ["accuracy"], [], "do it")
        self.assertEqual(raised.exception.filename, str(self.folder / ".accuracy.json"))

    def test_an_index_does_without_a_page_whose_entry_is_damaged(self):
        self.write()
        (self.folder / ".memory.json").write_text("")
        index = report.write_index(self.folder, "quick", ["memory", "accuracy"], [], "do it")
        self.assertIn('href="accuracy.html"', index.read_text())


if __name__ == "__main__":
    unittest.main()
