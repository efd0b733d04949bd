"""Writes pages and their index: HTML, CSV, Markdown, LaTeX, each file whole or not at all."""

import datetime
import html
import json
import pathlib

import durable
import provenance
import write_html
import write_text
from cells import INFERENCE
from page import Frame, Grid
from result import State

QUICK_WARNING = ("QUICK: a few dozen steps at short lengths. These numbers show that the machinery "
                 "works and mean nothing else.")


def warnings_of(preset_name, results):
    """What a reader must know before the numbers: sentences."""
    return [*([QUICK_WARNING] if preset_name == "quick" else []), *provenance.mixed(results)]


def remarks_on(results):
    """What is there and not shown: sentences."""
    return [*provenance.left_out(results),
            *(f"Counts as not run, for it cannot be read: {text}."
              for text in provenance.damaged(results))]


def _some(values, most=6):
    """The different ones, in order, in one text."""
    unique = list(dict.fromkeys(str(value) for value in values if value not in (None, "")))
    more = len(unique) - most
    return "; ".join(unique[:most]) + (f"; and {more} more" if more > 0 else "")


def manifest(results, command):
    """What the numbers were made with, and by which command the page: (what, text) pairs."""
    made = provenance.of(results)
    states = [result.state for result in results]
    counts = ", ".join(f"{states.count(state)} {state.value}" for state in State
                       if states.count(state))
    pairs = [("cells", counts or "none"),
             ("commit", _some(value for one in made for value in one.commits)),
             ("device", _some(value for one in made for value in one.devices)),
             ("driver", _some(result.info.get("driver") for result in results)),
             ("LibTorch", _some(value for one in made for value in one.torches)),
             ("CUDA", _some(value for one in made for value in one.cudas)),
             ("precision", _some(one.precision for one in made)),
             ("data", _some((f"{one.task}: {one.data}" for one in made if one.task), 12)),
             ("seeds", _some(sorted({one.seed for one in made if one.seed is not None}))),
             ("dates", _dates(result.info.get("finished") for result in results)),
             ("command", command),
             ("written", _now().strftime("%Y-%m-%d %H:%M UTC"))]
    return [(what, text) for what, text in pairs if text]


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _dates(times):
    days = sorted({time[:10] for time in times if time})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else ""


def errors(results):
    """(cell, error) of those that failed."""
    return [(f"{result.cell.task} {result.cell.method}, seed {result.cell.seed}"
             + (f", {result.cell.variant}" if result.cell.variant else "")
             + (", inference" if result.cell.kind == INFERENCE else "") + f" ({result.cell.id})",
             result.error) for result in results if result.state == State.FAILED]


def _told(folder, name):
    """What the last call that wrote this page told of it; {} of no page, or one that is damaged."""
    path = folder / f".{name}.json"
    try:
        with durable.naming(path):
            told = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def write(page, folder, preset_name, command):
    """All files of a page, which `command` gives again; returns the HTML file. Grids that an earlier
    call wrote and this page has not are removed."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    frame = Frame(warnings_of(preset_name, page.results), remarks_on(page.results),
                  manifest(page.results, command), errors(page.results))
    grids = {f"{page.name}.{block.key}.csv": block for block in page.blocks
             if isinstance(block, Grid)}
    for name, grid in grids.items():
        durable.write_text(folder / name, write_text.csv_text(grid))
    durable.write_text(folder / f"{page.name}.md", write_text.markdown(page, frame))
    durable.write_text(folder / f"{page.name}.tex", write_text.latex(page, frame))
    target = folder / f"{page.name}.html"
    durable.write_text(target, write_html.page_text(page, frame))
    for name in set(_told(folder, page.name).get("grids", [])) - set(grids):
        (folder / pathlib.Path(name).name).unlink(missing_ok=True)  # as of another task
    states = [result.state for result in page.results]
    durable.write_text(folder / f".{page.name}.json", json.dumps(
        {"title": page.title, "about": page.about, "grids": list(grids),
         "cells": {state.value: states.count(state) for state in State}}))
    return target


def _index_row(folder, name):
    """Of a page that is there; "" of another."""
    told = _told(folder, name)
    try:
        states = ", ".join(f"{count} {state}" for state, count in told["cells"].items() if count)
        return (f'<tr><td><a href="{name}.html">{html.escape(told["title"])}</a></td>'
                f'<td class="long">{html.escape(told["about"])}</td>'
                f"<td>{html.escape(states)}</td></tr>\n")
    except KeyError:
        return ""


def write_index(folder, preset_name, order, results, command):
    """The page that leads to those that are there; `results` are of all their cells."""
    folder = pathlib.Path(folder)
    frame = Frame(warnings_of(preset_name, results), remarks_on(results),
                  manifest(results, command))
    body = ('<table id="tables"><thead><tr><th scope=col>table</th><th scope=col>about</th>'
            "<th scope=col>cells</th></tr></thead><tbody>\n"
            + "".join(_index_row(folder, name) for name in order) + "</tbody></table>")
    target = folder / "index.html"
    durable.write_text(target, write_html.index_text(f"SPION: tables, preset {preset_name}", frame,
                                                     body))
    return target
