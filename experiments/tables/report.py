"""Writes pages and their index: HTML, CSV, Markdown, LaTeX, each file whole or not at all."""

import datetime
import html
import json
import os
import pathlib

import write_html
import write_text
from cells import INFERENCE, State
from page import Grid

QUICK_WARNING = ("QUICK: a few dozen steps at short lengths. These numbers show that the machinery "
                 "works and mean nothing else.")


def warning_of(preset_name):
    return QUICK_WARNING if preset_name == "quick" else ""


def _some(values, most=6):
    """The different ones, in order, in one text."""
    unique = list(dict.fromkeys(str(value) for value in values if value not in (None, "")))
    more = len(unique) - most
    return "; ".join(unique[:most]) + (f"; and {more} more" if more > 0 else "")


def _manifests(results):
    return [result.json("run/manifest.json") for result in results
            if result.has("run/manifest.json")]


def _benchmark_contexts(results):
    return [result.json("benchmark.json")["context"] for result in results
            if result.has("benchmark.json")]


def manifest(results, command):
    """What the numbers were made with, and by which command the page: (what, text) pairs."""
    runs = _manifests(results)
    contexts = _benchmark_contexts(results)
    states = [result.state for result in results]
    counts = ", ".join(f"{states.count(state)} {state.value}" for state in State
                       if states.count(state))
    pairs = [("cells", counts or "none"),
             ("commit", _some([m["git_commit"] + (" with changes" if m["git_dirty"] else "")
                               for m in runs] + [c.get("commit") for c in contexts])),
             ("device", _some([m["device_name"] for m in runs]
                              + [c.get("gpu") or c.get("cpu") for c in contexts])),
             ("driver", _some(result.info.get("driver") for result in results)),
             ("LibTorch", _some([m["torch_version"] for m in runs]
                                + [c.get("torch") for c in contexts])),
             ("CUDA", _some([m["cuda_version"] for m in runs]
                            + [c.get("cuda") for c in contexts])),
             ("precision", _some(m["precision"] for m in runs)),
             ("data", _some((f"{m['task']}: {m['data_source']['description']}, "
                             f"sha256 {m['data_source']['sha256'][:12]}" for m in runs), 12)),
             ("seeds", _some(sorted({m["seed"] for m in runs}))),
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


def _write(path, text):
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)


def write(page, folder, preset_name, command):
    """All files of a page, which `command` gives again; returns the HTML file."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    warning, made_of = warning_of(preset_name), manifest(page.results, command)
    for block in page.blocks:
        if isinstance(block, Grid):
            _write(folder / f"{page.name}.{block.key}.csv", write_text.csv_text(block))
    _write(folder / f"{page.name}.md", write_text.markdown(page, warning, made_of))
    _write(folder / f"{page.name}.tex", write_text.latex(page, warning, made_of))
    target = folder / f"{page.name}.html"
    _write(target, write_html.page_text(page, warning, made_of, errors(page.results)))
    states = [result.state for result in page.results]
    _write(folder / f".{page.name}.json", json.dumps(
        {"name": page.name, "title": page.title, "about": page.about,
         "cells": {state.value: states.count(state) for state in State}}))
    return target


def write_index(folder, preset_name, order, results, command):
    """The page that leads to those that are there; `results` are of all their cells."""
    folder = pathlib.Path(folder)
    rows = []
    for name in order:
        entry = folder / f".{name}.json"
        if not entry.exists():
            continue
        told = json.loads(entry.read_text())
        states = ", ".join(f"{count} {state}" for state, count in told["cells"].items() if count)
        rows.append(f'<tr><td><a href="{name}.html">{html.escape(told["title"])}</a></td>'
                    f'<td class="long">{html.escape(told["about"])}</td>'
                    f"<td>{html.escape(states)}</td></tr>")
    body = ('<table id="tables"><thead><tr><th scope=col>table</th><th scope=col>about</th>'
            "<th scope=col>cells</th></tr></thead><tbody>\n" + "\n".join(rows)
            + "</tbody></table>\n" + write_html.footer(manifest(results, command)))
    target = folder / "index.html"
    _write(target, write_html.document(f"SPION: tables, preset {preset_name}",
                                       warning_of(preset_name), body))
    return target


def user_path(text):
    """A path from where the user stands: bazel run starts programs elsewhere."""
    return pathlib.Path(os.path.normpath(os.path.join(
        os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), text)))
