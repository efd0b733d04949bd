"""The README's examples run as they stand."""

import contextlib
import io
import pathlib
import re
import sys
import unittest


class ReadmeTest(unittest.TestCase):
    def test_examples(self):
        text = README.read_text(encoding="utf-8")
        examples = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        self.assertEqual(len(examples), 3)
        printed = []
        for example in examples:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(example, str(README), "exec"), {"__name__": "example"})
            printed.append(output.getvalue())
        self.assertIn("of the blocks, result [8, 4, 1024, 64]", printed[0])
        self.assertRegex(printed[1], r"sparse from here on \(.*keeping .* % of the blocks")
        self.assertIn("replaced 2 of 2 attentions, 2 of them without the dropout", printed[2])
        self.assertTrue(printed[2].endswith("sparse\n"))
        print(*printed, sep="\n")


if __name__ == "__main__":
    README = pathlib.Path(sys.argv.pop(1))
    unittest.main()
