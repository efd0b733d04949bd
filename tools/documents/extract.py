"""Writes the files that a document shows: each block whose first line names one.

  extract.py DOCUMENT OUT_FOLDER FILE ...

    ```cpp baselines/mean/mean_attention.h
    ...
    ```

A FILE that the document does not show is an error.
"""

import pathlib
import re
import sys

_BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files(document):
    """{path: content}. ValueError: one is shown twice."""
    found = {}
    for match in _BLOCK.finditer(document):
        if match[1] in found:
            raise ValueError(f"{match[1]} is shown twice")
        found[match[1]] = match[2]
    return found


def main(document, folder, *wanted):
    shown = files(pathlib.Path(document).read_text(encoding="utf-8"))
    for path in wanted:
        if path not in shown:
            print(f"error: {document} shows no {path}; it shows {', '.join(shown)}",
                  file=sys.stderr)
            return 1
        to = pathlib.Path(folder) / path
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(shown[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
