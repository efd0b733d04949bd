"""Which commands are found in a document."""

import unittest

import commands

_DOCUMENT = """# Title

```sh
tools/bazel run //a:b -- --filter='#1' '/x #/'   # a comment
pip install it && python -m it

#SBATCH --requeue
```

Text with `bazel run //c:d -- --out=DIR`, `bazel run`, `tools/bazel` and `python`.

```python
import this
```

1. A step

   ```sh
   bazel test //...
   ```
"""


class CommandsTest(unittest.TestCase):
    def test_every_line_of_shell_is_one_or_several(self):
        self.assertEqual([(command.line, command.text) for command in commands.of(_DOCUMENT)], [
            (4, "tools/bazel run //a:b -- --filter='#1' '/x #/'"), (5, "pip install it"),
            (5, "python -m it"), (10, "bazel run //c:d -- --out=DIR"), (19, "bazel test //...")])

    def test_words_are_the_shells(self):
        self.assertEqual(commands.of(_DOCUMENT)[0].words,
                         ("tools/bazel", "run", "//a:b", "--", "--filter=#1", "/x #/"))

    def test_a_block_without_end_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "no end"):
            commands.of("```sh\nbazel test //...\n")


if __name__ == "__main__":
    unittest.main()
