"""Reads a table of the project's own documents, so that a fact stands in one place."""

import html
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def _cells(line):
    texts = re.split(r"(?<!\\)\|", line.strip()[1:-1])
    # Bold, code and links as plain text.
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text.replace("**", "").replace("`", ""))
             for text in texts]
    return [html.unescape(text).strip() for text in plain]


def parse(text, begins, where):
    """(columns, rows) of the first table whose heading begins so. ValueError if there is none."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith(begins):
            continue
        rows = []
        for row in lines[number + 2:]:
            if not row.startswith("|"):
                break
            rows.append(_cells(row))
        return _cells(line), rows
    raise ValueError(f'{where} has no table that begins with "{begins}"')


def read(path, begins):
    """The same of a file below the workspace's root."""
    return parse((ROOT / path).read_text(encoding="utf-8"), begins, path)
