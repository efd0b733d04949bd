"""Grids as CSV, Markdown and LaTeX: the same texts as on the page."""

import csv
import io

from page import BEST, DEVIATES, NEAR, Grid, Note

_MARKDOWN_MARK = {BEST: "**{}**", NEAR: "*{}*", DEVIATES: "**{}**"}
_LATEX_MARK = {BEST: r"\textbf{{{}}}", NEAR: r"\textit{{{}}}", DEVIATES: r"\textbf{{{}}}"}
_LATEX_SPECIAL = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#",
                  "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
                  "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "²": r"$^2$"}


def csv_text(grid):
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(grid.columns)
    for row in grid.entries():
        writer.writerow([entry.text for entry in row])
    return buffer.getvalue()


def _markdown_cell(text):
    return text.replace("|", r"\|").replace("\n", " ")


def markdown_grid(grid):
    lines = ["| " + " | ".join(map(_markdown_cell, grid.columns)) + " |",
             "|" + "".join("---:|" if numeric else "---|" for numeric in grid.numeric())]
    for row in grid.entries():
        lines.append("| " + " | ".join(
            _MARKDOWN_MARK.get(entry.mark, "{}").format(_markdown_cell(entry.text))
            for entry in row) + " |")
    return "\n".join(lines) + "\n"


def _latex_cell(text):
    return "".join(_LATEX_SPECIAL.get(letter, letter) for letter in text.replace("\n", " "))


def latex_grid(grid):
    lines = [r"\begin{tabular}{" + "".join("r" if numeric else "l" for numeric in grid.numeric())
             + "}", r"\hline",
             " & ".join(map(_latex_cell, grid.columns)) + r" \\", r"\hline"]
    for row in grid.entries():
        lines.append(" & ".join(
            _LATEX_MARK.get(entry.mark, "{}").format(_latex_cell(entry.text))
            for entry in row) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"


def markdown(page, frame):
    parts = [f"# {page.title}", *(f"**{warning}**" for warning in frame.warnings), page.about,
             *frame.remarks]
    for block in page.blocks:
        if isinstance(block, Grid):
            parts += [f"## {block.title}", markdown_grid(block).rstrip()]
            parts += [block.note] if block.note else []
        elif isinstance(block, Note):
            parts.append(block.text)
    parts += ["## Where it comes from",
              "\n".join(f"- {what}: {_markdown_cell(text)}" for what, text in frame.manifest)]
    return "\n\n".join(parts) + "\n"


def latex(page, frame):
    """Tables to be included; what stands around them as comments above."""
    lines = [f"% {page.title}"]
    lines += [f"% {text}".replace("\n", " ") for text in (*frame.warnings, *frame.remarks)]
    lines += [f"% {what}: {text}".replace("\n", " ") for what, text in frame.manifest]
    for block in page.blocks:
        if isinstance(block, Grid):
            lines += ["", f"% {block.title}", latex_grid(block).rstrip()]
            lines += [f"% {block.note}".replace("\n", " ")] if block.note else []
    return "\n".join(lines) + "\n"
