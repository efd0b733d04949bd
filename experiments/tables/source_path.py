"""Where modules of other folders lie, for a program that is started from the source, as in a bundle.

    import source_path    # before those modules

Bazel has its own way to them, which comes first.
"""

import pathlib
import sys

sys.path += [str(pathlib.Path(__file__).parents[2] / folder)
             for folder in ("benchmarks", "tools/archive", "tools/command_line", "tools/processes")]
