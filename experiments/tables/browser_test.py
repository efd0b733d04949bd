"""The whole report in a real browser, from disk and without a network.

Its cells are invented. Screenshots of all pages are left among the test's outputs.
"""

import csv
import os
import pathlib
import tempfile
import unittest
import urllib.parse

import chromium
import fabricated
import pages
import report
import shown
from cells import with_requirements
from page import Grid, Picture
from presets import PAPER, QUICK
from store import Store
from tables import TABLES

INSPECT = (pathlib.Path(__file__).parent / "inspect_page.js").read_text(encoding="utf-8")
# A desk's window and a telephone's, in CSS pixels.
WIDTHS = {"wide": 1280, "narrow": 390}
# Of each colour scheme the least and the highest luminance of the page's ground.
SCHEMES = {"light": (0.8, 1.0), "dark": (0.0, 0.1)}
MANIFEST = ("cells", "commit", "device", "driver", "LibTorch", "CUDA", "precision", "data", "seeds",
            "dates", "command", "written")


def new_folder():
    return pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))


def path_of(url):
    return pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(url).path))


def complaints(events):
    """What went wrong while a page was opened, as the browser tells it."""
    for event in events:
        told = event["params"]
        if event["method"] == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"):
            yield f"console: {[argument.get('value') for argument in told['args']]}"
        elif event["method"] == "Runtime.exceptionThrown":
            yield f"exception: {told['exceptionDetails']['text']}"
        elif event["method"] == "Log.entryAdded" and told["entry"]["level"] == "error":
            yield f"log: {told['entry']['text']}"
        elif event["method"] == "Network.loadingFailed":
            yield f"not loaded: {told['errorText']}"
        elif event["method"] == "Network.requestWillBeSent":
            url = told["request"]["url"]
            if not url.startswith(("file:", "data:")):
                yield f"request: {url}"


def faults(seen, width):
    """What is wrong with a page that inspect_page.js has looked at."""
    for name in ("pale", "undrawn"):
        if seen[name]:
            yield f"{name}: {seen[name][:5]}"
    for name in ("emptyPictures", "brokenImages"):
        if seen[name]:
            yield f"{name}: {seen[name]}"
    if seen["width"] > width or seen["viewport"] > width:
        yield f"{max(seen['width'], seen['viewport'])} pixels wide in a window of {width}"
    for link in seen["links"]:
        if not path_of(link).is_file():
            yield f"leads nowhere: {link}"


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(chromium.start())

    def look(self, path, width="wide", scheme="light", media="screen"):
        """(what the page shows, what is wrong with it)"""
        self.browser.show_as(WIDTHS[width], scheme=scheme, media=media, phone=width == "narrow")
        self.browser.open(path.as_uri())
        seen = self.browser.evaluate(INSPECT)
        return seen, [*complaints(self.browser.events), *faults(seen, WIDTHS[width])]


class ReportTest(BrowserTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = new_folder()
        store = Store(cls.folder)
        cells = with_requirements(
            cell for table in TABLES.values() for cell in table.cells(PAPER))
        fabricated.fill(store, cells)
        cls.results = shown.Whatever(store, cells)
        pages.write(list(TABLES), PAPER, lambda cells: cls.results.result, cls.folder,
                    "bazel run ...")

    def picture(self, name):
        outputs = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
        if outputs:
            (pathlib.Path(outputs) / name).write_bytes(self.browser.picture())

    def test_pages_have_no_fault_at_any_size_in_any_colours(self):
        for name in ("index", *TABLES):
            for width in WIDTHS:
                for scheme, (darkest, lightest) in SCHEMES.items():
                    with self.subTest(page=name, width=width, scheme=scheme):
                        seen, wrong = self.look(self.folder / f"{name}.html", width, scheme)
                        self.picture(f"{name}-{width}-{scheme}.png")
                        self.assertEqual(wrong, [])
                        self.assertGreaterEqual(seen["paper"], darkest)
                        self.assertLessEqual(seen["paper"], lightest)

    def test_the_index_leads_to_every_page(self):
        seen, _ = self.look(self.folder / "index.html")
        self.assertEqual({path_of(link).name for link in seen["links"]},
                         {f"{name}.html" for name in TABLES})
        self.assertEqual(len(seen["tables"]["tables"]), 1 + len(TABLES))
        self.assertEqual(tuple(seen["manifest"]), MANIFEST)

    def test_every_table_and_picture_is_there(self):
        for name, table in TABLES.items():
            with self.subTest(page=name):
                blocks = table.content(PAPER, self.results.result)
                seen, _ = self.look(self.folder / f"{name}.html")
                keys = [block.key for block in blocks if isinstance(block, Grid)]
                self.assertEqual(list(seen["tables"]), keys)
                for key in keys:
                    with (self.folder / f"{name}.{key}.csv").open(encoding="utf-8") as file:
                        self.assertEqual(seen["tables"][key], list(csv.reader(file)))
                titles = [block.title for block in blocks if isinstance(block, Picture)]
                self.assertEqual(seen["captions"], titles)
                self.assertGreaterEqual(seen["pictures"], len(titles))

    def test_the_manifest_is_complete(self):
        for name in TABLES:
            seen, _ = self.look(self.folder / f"{name}.html")
            # A benchmark has no training's precision, data and seeds.
            expected = set(MANIFEST) - ({"precision", "data", "seeds"} if name == "scaling" else
                                        set())
            self.assertEqual(set(seen["manifest"]), expected, name)

    def test_pages_print_on_white_paper(self):
        for name in ("index", *TABLES):
            with self.subTest(page=name):
                seen, _ = self.look(self.folder / f"{name}.html", scheme="dark", media="print")
                self.assertGreater(seen["paper"], 0.8)
                self.assertEqual(seen["pale"], [])
                printed = self.browser.printed()
                self.assertTrue(printed.startswith(b"%PDF-"))
                self.assertGreater(len(printed), 10_000)


class QuickReportTest(BrowserTest):
    def test_every_page_warns_in_sight(self):
        folder = new_folder()
        pages.write(list(TABLES), QUICK, lambda cells: shown.Whatever(Store(folder), []).result,
                    folder, "bazel run ...")
        for name in ("index", *TABLES):
            for scheme in SCHEMES:
                seen, wrong = self.look(folder / f"{name}.html", "narrow", scheme)
                self.assertEqual(wrong, [], name)
                self.assertEqual(seen["warning"], report.QUICK_WARNING, name)


class FaultyPageTest(BrowserTest):
    """That faults are found."""

    def faults_of(self, body):
        path = new_folder() / "page.html"
        path.write_text("<!DOCTYPE html><meta charset=utf-8>"
                        "<meta name=viewport content='width=device-width, initial-scale=1'>"
                        f"<body>{body}", encoding="utf-8")
        return "\n".join(self.look(path, "narrow")[1])

    def test_each_fault_is_found(self):
        self.assertEqual(self.faults_of("<p>Nothing is wrong.</p>"), "")
        for body, found in (
                ("<script>console.error('no')</script>", "console: ['no']"),
                ("<script>nowhere()</script>", "exception: "),
                ("<img src='missing.png' alt=''>", "brokenImages: 1"),
                ("<img src='missing.png' alt=''>", "not loaded: net::ERR_FILE_NOT_FOUND"),
                ("<img src='https://spion.invalid/a.png' alt=''>", "request: https://spion"),
                ("<svg width=9 height=9><image href='data:image/png;base64,AAAA'/></svg>",
                 "brokenImages: 1"),
                ("<svg width=9 height=9></svg>", "emptyPictures: 1"),
                ("<svg width=0 height=9><rect width=9 height=9 /></svg>", "emptyPictures: 1"),
                ("<p style='width: 500px'>wide</p>", "pixels wide in a window of 390"),
                ("<p style='color: #aaa'>pale", "pale: ['pale']"),
                ("<p style='height: 0'>flat", "undrawn: ['flat']"),
                ("<a href='missing.html'>there</a>", "leads nowhere: ")):
            with self.subTest(body):
                self.assertIn(found, self.faults_of(body))


del BrowserTest  # what the others share, no test of its own

if __name__ == "__main__":
    unittest.main()
