"""A page as one HTML file that needs nothing else: styles and pictures are inside."""

import html
import re

from page import BEST, DEVIATES, NEAR, Grid, Picture

_STYLE = """
:root { color-scheme: light; --ink: #1c1c1c; --paper: #fdfdfb; --line: #d4d4ce;
  --soft: #62625d; --link: #1a5f9e; --best: #0b6e4f; --warn: #a3161a; --shade: #0003;
  --s0: #1f6fb4; --s1: #c8641b; --s2: #2f8f4e; --s3: #8a4fb0; --s4: #b03a5b; --s5: #6b6b2a; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --ink: #e6e6e1;
  --paper: #161714; --line: #3a3b35; --soft: #a8a8a0; --link: #86bdf2;
  --best: #6fd3ae; --warn: #ffab9e; --shade: #fff4;
  --s0: #72b2ee; --s1: #f0a05a; --s2: #7fd198; --s3: #c79be6; --s4: #ee8fa8; --s5: #cfcf7c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 84rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .25rem 0 .75rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
body > p { max-width: 52rem; }
a { color: var(--link); }
nav { font-size: .9rem; } nav a { display: inline-block; margin: 0 1rem .25rem 0; }
.warning { margin: 0 0 1rem; padding: .7rem 1rem; max-width: none; background: var(--warn);
  color: var(--paper); font-weight: 700; border-radius: .25rem; overflow-wrap: anywhere; }
.warning:first-child { position: sticky; top: 0; z-index: 2; }
.remark { overflow-wrap: anywhere; }

/* A table wider than the window scrolls in its own frame: its first column stays, and a shade at an
   edge tells that there is more. */
.wide { overflow-x: auto; background:
  linear-gradient(90deg, var(--paper) 1rem, transparent) local 0 / 2rem 100% no-repeat,
  linear-gradient(270deg, var(--paper) 1rem, transparent) local 100% / 2rem 100% no-repeat,
  linear-gradient(90deg, var(--shade), transparent) 0 / .75rem 100% no-repeat,
  linear-gradient(270deg, var(--shade), transparent) 100% / .75rem 100% no-repeat; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .25rem .6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 1.2rem; }
.number { text-align: right; }
td:not(:first-child, .long, .failed, .deviates), td span, #tables a { white-space: nowrap; }
td.long { min-width: 14rem; overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
.wide :is(th, td):first-child { position: sticky; left: 0; background: var(--paper); }
td.best, td.near { color: var(--best); font-weight: 700; } td.near { font-weight: 400; }
td.deviates { font-weight: 700; }
td.failed { color: var(--warn); font-weight: 700; } td.missing { color: var(--soft); }
/* Marks hang beside the numbers, which stay aligned. */
td:is(.best, .near, .deviates)::after { display: inline-block; width: 1.2em; margin-right: -1.2em;
  text-align: right; font-weight: 400; }
td.best::after { content: "\\2605"; } td.near::after { content: "\\25CB"; }
td.deviates::after { content: "\\2260"; }

.note, footer { color: var(--soft); font-size: .88rem; }
.note { margin: .5rem 0; max-width: 52rem; }
figure { display: inline-block; margin: 1.25rem 0 .5rem; padding-right: 2rem; max-width: 100%;
  vertical-align: top; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; margin-right: .5rem; }
figure svg.chart { min-width: 22rem; }
/* A map and its pattern, side by side. */
figure svg:not(.chart) { max-width: calc(50% - .5rem); outline: 1px solid var(--line);
  outline-offset: -1px; }
/* As wide as the picture above it, however long its text. */
figcaption { width: 0; min-width: 100%; font-size: .88rem; }
figcaption b { font-weight: 600; }
pre { white-space: pre-wrap; border-left: 3px solid var(--warn); padding-left: .8rem; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); }
summary { margin: 1rem 0 .5rem; font-weight: 700; cursor: pointer; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }

@media screen and (max-width: 45rem) {
  body { padding: 1rem; } figure { padding-right: 0; }
  .wide :is(th, td):first-child { min-width: 6rem; max-width: 9rem; overflow-wrap: break-word; }
  #tables :is(tr, td) { display: block; padding: 0; border: 0; } #tables thead { display: none; }
  #tables tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  #tables td:first-child { font-weight: 600; } #tables td:last-child { color: var(--soft); } }
@media print { :root { --paper: #fff; } @page { size: A4 landscape; margin: 12mm; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  .warning:first-child { position: static; }
  .wide { overflow: visible; background: none; } .wide :is(th, td):first-child { position: static; }
  nav { display: none; }
  h2 { break-after: avoid; } figure, tr, dl { break-inside: avoid; } }
"""

_MEANING = {BEST: "★ highest mean", NEAR: "○ within one spread of the highest",
            DEVIATES: "≠ differs from what was published"}

# Longer texts are sentences, which go over several lines.
_LONGEST_LINE = 32


def _entry(entry, numeric):
    kinds = [kind for kind, holds in (
        ("number", numeric), (entry.mark, entry.mark),
        ("long", not numeric and len(entry.text) > _LONGEST_LINE)) if holds]
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    # What stands in parentheses at the end stays on one line.
    text = re.sub(r"(\([^()]*\))$", r"<span>\1</span>", html.escape(entry.text))
    # Long names of flags may go over two lines.
    text = text.replace("_", "_<wbr>")
    return f"<td{kind}>{text}</td>"


def _head(column, numeric):
    return f"<th scope=col{' class=number' * numeric}>{html.escape(column)}</th>"


def _grid(grid):
    numeric, entries = grid.numeric(), grid.entries()
    marks = {entry.mark for row in entries for entry in row}
    legend = ", ".join(text for mark, text in _MEANING.items() if mark in marks)
    notes = "".join(f'<p class="note">{html.escape(note)}</p>'
                    for note in (legend, grid.note) if note)
    rows = "\n".join(f"<tr>{''.join(map(_entry, row, numeric))}</tr>" for row in entries)
    return (f'<section id="{grid.key}"><h2>{html.escape(grid.title)}</h2>\n'
            f'<div class="wide"><table>'
            f"<thead><tr>{''.join(map(_head, grid.columns, numeric))}</tr></thead>\n"
            f"<tbody>\n{rows}\n</tbody></table></div>{notes}</section>")


def _picture(picture):
    note = f'<br><span class="note">{html.escape(picture.note)}</span>' if picture.note else ""
    return (f"<figure>{picture.svg}<figcaption><b>{html.escape(picture.title)}</b>{note}"
            "</figcaption></figure>")


def _block(block):
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Picture):
        return _picture(block)
    return f"<p>{html.escape(block.text)}</p>"


def _document(title, frame, parts):
    """A whole HTML document."""
    warnings = "".join(f'<p class="warning">{html.escape(warning)}</p>\n'
                       for warning in frame.warnings)
    body = "\n".join(parts)
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<link rel="icon" href="data:,">\n'
            f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
            f"{warnings}<h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n")


def _remarks(frame):
    return [f'<p class="remark">{html.escape(remark)}</p>' for remark in frame.remarks]


def _footer(manifest, links=""):
    """The manifest unfolded, so that it is printed too."""
    pairs = "".join(f"<dt>{html.escape(what)}</dt><dd>{html.escape(text)}</dd>\n"
                    for what, text in manifest)
    return (f"<footer><details open><summary>Where it comes from</summary><dl>{pairs}</dl>"
            f"</details>{links}</footer>")


def _navigation(grids):
    """To the other pages, and to the tables of this one where there are several."""
    places = [(f"#{grid.key}", grid.title) for grid in grids if len(grids) > 1]
    links = "".join(f'<a href="{address}">{html.escape(text)}</a>'
                    for address, text in [("index.html", "← all tables"), *places])
    return f"<nav>{links}</nav>"


def page_text(page, frame):
    grids = [block for block in page.blocks if isinstance(block, Grid)]
    parts = [f"<p>{html.escape(page.about)}</p>", *_remarks(frame), _navigation(grids),
             *map(_block, page.blocks)]
    if frame.errors:
        parts.append("<section id=errors><h2>Cells that failed</h2>" + "".join(
            f"<p>{html.escape(what)}</p><pre>{html.escape(text)}</pre>"
            for what, text in frame.errors) + "</section>")
    files = ", ".join(f'<a href="{page.name}.{suffix}">{suffix}</a>'
                      for suffix in [*(f"{grid.key}.csv" for grid in grids), "md", "tex"])
    parts.append(_footer(frame.manifest, f"<p>The same numbers: {files}.</p>"))
    return _document(page.title, frame, parts)


def index_text(title, frame, table):
    """`table` is HTML: what leads to the pages."""
    return _document(title, frame, [*_remarks(frame), table, _footer(frame.manifest)])
