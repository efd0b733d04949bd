"""All formats show the same, and a page needs nothing but itself."""

import csv
import html.parser
import os
import pathlib
import re
import tempfile
import unittest

import report
from cells import Cell, Result, State
from page import BEST, FAILED, Entry, Grid, Note, Page, Picture

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
                if not path.name.startswith(".")}

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

    def test_a_failed_cell_is_shown_with_its_error(self):
        files = self.write()
        self.assertIn('<td class="number failed">failed</td>', files["html"])
        self.assertIn("text reformer, seed 1001", files["html"])
        self.assertIn("error: &lt;no&gt; room", files["html"])
        self.assertIn("1 failed, 1 not run", files["md"])

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


if __name__ == "__main__":
    unittest.main()
