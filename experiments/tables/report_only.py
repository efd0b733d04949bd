"""Pages of whatever is there, and nothing is run: what --report_only asks for.

    report_only.write(options, "bazel run ...", print)    # options: as of choice.py

Where there is nothing of the preset, they are of what the repository keeps (kept.py).
"""

import dataclasses

import choice
import command_line
import kept
import pages
import shown
from presets import PRESETS
from store import Store
from tables import TABLES
from there import There


def _write_whatever(options, preset, store, folder, command, say, is_kept=False):
    """The pages of what is in the store, into `folder`; kept results were made on one card after
    the other."""
    def whatever(cells, judge=None):
        return shown.Whatever(store, cells, options.device, choice.real_tasks(options),
                              options.generated, judge)

    judge = whatever(choice.cells(TABLES, preset)) if is_kept else None

    def results_for(cells):
        return whatever(cells, judge).result
    pages.write(choice.table_names(options), preset, results_for, folder, command, say,
                shows_done_alone=is_kept)


def _with_seeds_there(options, preset, there, own=()):
    """The preset with the seeds of all cells that are there, and `own` ones, unless the user says
    which."""
    if options.seeds:
        return preset
    return dataclasses.replace(preset, task_seeds=tuple(
        (task, tuple(sorted({*own, *there.seeds(task)}))) for task in preset.tasks))


def _kept_presets(options, folder):
    """{name: (preset, There)}: of the preset asked for, or all, what there are cells of."""
    names = sorted(path.name for path in folder.iterdir())
    found = {}
    for name in [options.preset] if options.preset in names else names:
        there, preset = There(folder / name), PRESETS[name]
        tasks = [task for task in options.tasks or preset.tasks if task in there.tasks]
        methods = options.methods or [name for name in preset.methods if name in there.methods]
        if tasks:
            found[name] = dataclasses.replace(preset, tasks=tuple(tasks), methods=tuple(methods),
                                              seeds=options.seeds or preset.seeds), there
    if not found:
        raise kept.KeptError(f"there are no results of {', '.join(options.tasks)}, neither your own "
                             "nor in docs/results")
    return found


def _write_kept(options, own, command, say):
    """The same of what the repository keeps."""
    with kept.unpacked() as (folder, again):
        presets = _kept_presets(options, folder)
        say(f"{own / options.preset} has no results: these are those that the repository keeps, "
            f"docs/results, of {' and '.join(f'--preset={name}' for name in presets)}")
        if again:
            say(again)
        for name, (preset, there) in presets.items():
            _write_whatever(options, _with_seeds_there(options, preset, there),
                            Store(folder / name, say), own / "kept" / name, command, say,
                            is_kept=True)


def write(options, command, say):
    """Raises KeptError; OSError."""
    own = command_line.user_path(options.results_dir)
    folder = own / options.preset
    there = There(folder)
    if there.is_empty:
        _write_kept(options, own, command, say)
        return
    preset = choice.preset(options)
    if not any(set(options.seeds or there.seeds(task)) & set(there.seeds(task))
               for task in preset.tasks):
        say(f"{folder} has no cells of these tasks and seeds, so nothing has run on the pages; it has "
            + "; ".join(f"{task}, seeds {', '.join(map(str, there.seeds(task)))}"
                        for task in sorted(there.tasks)))
    _write_whatever(options, _with_seeds_there(options, preset, there, own=preset.seeds),
                    Store(folder, say), folder, command, say)
