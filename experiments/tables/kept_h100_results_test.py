"""The cells of docs/results that a version without origins made are cells still, and have the numbers
of the document."""

import csv
import pathlib
import re
import shutil
import unittest

import ask
import fake_programs
import kept_section
from presets import PAPER
from programs import Machine, Programs
from result import State
from shown import OnOrigin
from store import Store
from tables import TABLES

SHA256 = "025eeda33d1241a16d8e5c6f6f46536f00437a926f691bc5c765193e0a6c09fb"  # as the run said


class H100Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = kept_section.cells_of("image_h100")

    def report(self, folder, *flags):
        code, said = kept_section.report(folder, "--preset=paper", "--tasks=image", *flags)
        self.assertEqual(code, 0)
        return said

    def test_all_pages_have_the_numbers_of_the_document(self):
        said = self.report(self.folder)
        for text in ("MIXED", "Not shown", "not run"):
            self.assertNotIn(text, said)
        for name in TABLES:
            text = (self.folder / f"paper/{name}.html").read_text(encoding="utf-8")
            self.assertNotIn('class="warning"', text, name)
            self.assertNotIn('class="remark"', text, name)
        with (self.folder / "paper/accuracy.matrix.csv").open(encoding="utf-8") as file:
            accuracy = dict(list(csv.reader(file))[1:])
        first_table = kept_section.section("Image on H100s")
        told = dict(re.findall(r"^\| ([^|]+) \| ([\d.]+(?: ± [\d.]+)?) \|", first_table, re.M))
        self.assertEqual(told["SPION-CF"], "38.4 ± 1.1")
        self.assertGreater(len(told), 8)
        for method, percent in told.items():
            self.assertEqual(accuracy[method].split(" (")[0], percent, method)

    def test_one_cell_is_there_for_its_data_and_device_and_for_no_other(self):
        folder = kept_section.cells_of()
        name = "image-cf-seed1001-5a20a9cf"
        shutil.copytree(self.folder / "paper/cells" / name, folder / "paper/cells" / name)
        cell = PAPER.training("image", "cf", 1001)
        self.assertEqual(cell.plan_id, name)
        programs = Programs(*fake_programs.write(folder))
        lra = pathlib.Path(programs.lra[0])
        text = lra.read_text().replace('"ab" * 32', repr(SHA256))
        for gpu, state in (("NVIDIA H100 80GB HBM3", State.DONE), ("NVIDIA H200", State.MISSING)):
            lra.write_text(text.replace("an H200", gpu))
            for data_dir, of_data in (("/data", state), ("", State.MISSING)):
                where = ask.Where(programs, Machine(data_dir, "cuda"), lambda text: None)
                result = OnOrigin(Store(folder / "paper"), where.place).result(cell)
                self.assertEqual(result.state, of_data)
        self.report(folder, "--table=accuracy", "--methods=cf", "--seeds=1001")
        with (folder / "paper/accuracy.matrix.csv").open(encoding="utf-8") as file:
            self.assertEqual(list(csv.reader(file))[1], ["SPION-CF", "38.0"])


if __name__ == "__main__":
    kept_section.main()
