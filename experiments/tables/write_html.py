"""A page as one HTML file that needs nothing else: styles and pictures are inside."""

import html

from page import Grid, Picture

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fdfdfb; --line: #c9c9c3;
  --soft: #6a6a66; --best: #0b6e4f; --warn: #8a1c1c; --warn-paper: #fbe9e7;
  --s0: #1f6fb4; --s1: #c8641b; --s2: #2f8f4e; --s3: #8a4fb0; --s4: #b03a5b; --s5: #6b6b2a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e1; --paper: #161714; --line: #45463f;
  --soft: #a3a39b; --best: #6fd3ae; --warn: #ffb4a8; --warn-paper: #3a1714;
  --s0: #72b2ee; --s1: #f0a05a; --s2: #7fd198; --s3: #c79be6; --s4: #ee8fa8; --s5: #cfcf7c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 88rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
a { color: var(--s0); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; } td.long { white-space: normal; text-align: left; min-width: 12rem; }
th:first-child, td:first-child { text-align: left; }
th.text, td.text { text-align: left; white-space: normal; }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
td.best { font-weight: 700; color: var(--best); } td.best::after { content: " \\2605"; }
td.near { font-style: italic; color: var(--best); } td.near::after { content: " \\25CB"; }
td.deviates { font-weight: 700; } td.deviates::after { content: " \\2260"; }
td.failed { color: var(--warn); font-weight: 700; } td.missing { color: var(--soft); }
.warning { border: 2px solid var(--warn); background: var(--warn-paper); color: var(--warn);
  padding: .6rem 1rem; font-weight: 700; }
.note, footer { color: var(--soft); font-size: .88rem; }
figure { display: inline-block; margin: 0 1.5rem 1rem 0; vertical-align: top; max-width: 100%; }
figure svg { max-width: 100%; height: auto; } figcaption { font-size: .88rem; }
pre { white-space: pre-wrap; border-left: 3px solid var(--warn); padding-left: .8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } figure, tr { break-inside: avoid; }
  .wide { overflow: visible; } nav { display: none; } }
"""

LEGEND = "★ highest mean, ○ within one spread of it, ≠ differs from what was published"


# Longer texts are sentences, which go over several lines.
_LONGEST_LINE = 32


def _entry(entry):
    kinds = [entry.mark] * bool(entry.mark) + ["long"] * (len(entry.text) > _LONGEST_LINE)
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    return f"<td{kind}>{html.escape(entry.text)}</td>"


def _grid(grid):
    head = "".join(f"<th scope=col>{html.escape(column)}</th>" for column in grid.columns)
    rows = []
    for row in grid.entries():
        rows.append(f"<tr>{''.join(map(_entry, row))}</tr>")
    note = f'<p class="note">{html.escape(grid.note)}</p>' if grid.note else ""
    return (f'<section id="{grid.key}"><h2>{html.escape(grid.title)}</h2>\n'
            f'<div class="wide"><table>'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows)
            + f"\n</tbody></table></div>{note}</section>")


def _picture(picture):
    note = f'<br><span class="note">{html.escape(picture.note)}</span>' if picture.note else ""
    return (f"<figure>{picture.svg}<figcaption>{html.escape(picture.title)}{note}</figcaption>"
            "</figure>")


def _block(block):
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Picture):
        return _picture(block)
    return f"<p>{html.escape(block.text)}</p>"


def document(title, warning, body):
    """A whole HTML document around `body`."""
    banner = f'<p class="warning">{html.escape(warning)}</p>' if warning else ""
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<link rel="icon" href="data:,">\n'
            f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
            f"<h1>{html.escape(title)}</h1>\n{banner}\n{body}\n</body></html>\n")


def definitions(pairs):
    """(what, text) pairs."""
    return "<dl>" + "".join(f"<dt>{html.escape(what)}</dt><dd>{html.escape(text)}</dd>\n"
                            for what, text in pairs) + "</dl>"


def page_text(page, warning, manifest, errors):
    """`manifest` and `errors` are lists of (what, text)."""
    parts = ['<nav><a href="index.html">all tables</a></nav>', f"<p>{html.escape(page.about)}</p>",
             *map(_block, page.blocks)]
    if errors:
        parts.append("<section id=errors><h2>Cells that failed</h2>" + "".join(
            f"<p>{html.escape(what)}</p><pre>{html.escape(text)}</pre>" for what, text in errors)
            + "</section>")
    files = ", ".join(f'<a href="{page.name}.{suffix}">{suffix}</a>' for suffix in
                      [*(f"{block.key}.csv" for block in page.blocks if isinstance(block, Grid)),
                       "md", "tex"])
    parts.append(f"<footer><h2>Where it comes from</h2>{definitions(manifest)}"
                 f"<p>{LEGEND}. The same numbers: {files}.</p></footer>")
    return document(page.title, warning, "\n".join(parts))
