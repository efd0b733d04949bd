"""What the cells of a page were made with, and whether they can stand side by side."""

import collections
import dataclasses

from cells import cells_text
from origin import DIGITS
from result import State


@dataclasses.dataclass(frozen=True)
class MadeWith:
    """Of one cell that is done; "" or None: it has none, or does not tell. Of a training that was
    gone on with: what its parts were made with, each once, in their order."""

    devices: tuple
    commits: tuple
    torches: tuple
    cudas: tuple
    task: str = ""
    seed: int = None
    precision: str = ""
    data: str = ""
    is_generated: bool = None


def _each_once(values):
    return tuple(dict.fromkeys(value for value in values if value))


def _commit(part):
    return part.get("git_commit", "") + (" with changes" if part.get("git_dirty") else "")


def _of_run(manifest):
    source = manifest["data_source"]
    parts = [manifest, *manifest.get("resumed", [])]
    return MadeWith(_each_once(part.get("device_name") for part in parts),
                    _each_once(map(_commit, parts)),
                    _each_once(part.get("torch_version") for part in parts),
                    _each_once(part.get("cuda_version") for part in parts),
                    manifest.get("task", ""), manifest.get("seed"), manifest.get("precision", ""),
                    f"{source['description']}, sha256 {source['sha256'][:DIGITS]}",
                    source.get("generated"))


def _of_benchmark(context):
    commit = context.get("commit", "")
    if commit.endswith("+"):
        commit = commit[:-1] + " with changes"
    return MadeWith(_each_once([context.get("gpu") or context.get("cpu")]), _each_once([commit]),
                    _each_once([context.get("torch")]), _each_once([context.get("cuda")]))


def of(results):
    """Of those that are done, in their order."""
    return [_of_run(result.json("run/manifest.json")) if result.has("run/manifest.json")
            else _of_benchmark(result.json("benchmark.json")["context"])
            for result in results if result.state == State.DONE]


def _short(commit):
    digits, *changes = commit.split(" ", 1)
    return " ".join([digits[:DIGITS], *changes])


def _counted(values):
    """"A (2 cells); A, then B (1 cell)", where a value has what a cell's parts were made with; "" if
    there are not two different things. An empty value does not tell."""
    counts = collections.Counter(value for value in values if value)
    if len({part for value in counts for part in value}) < 2:
        return ""
    return "; ".join(f"{', then '.join(value)} ({cells_text(count)})"
                     for value, count in counts.items())


def _one(text):
    """For _counted, of what is the same in all parts."""
    return (text,) if text else ()


def mixed(results):
    """A sentence for each thing that cells differ in and that their numbers depend on."""
    done = [result for result in results if result.state == State.DONE]
    made = of(done)
    found = [("devices", _counted(one.devices for one in made),
              "their times and memory do not compare"),
             ("commits", _counted(tuple(map(_short, one.commits)) for one in made),
              "what the program does may have changed in between"),
             ("LibTorch versions", _counted(one.torches for one in made),
              "what it computes, and how fast, may differ"),
             ("data", _counted(
                 _one(f"generated data of {one.task}" if one.is_generated else
                      f"data of {one.task} from files" if result.origin.is_real else "")
                 for one, result in zip(made, done)) if _is_partly_generated(made, done) else "",
              "what is generated compares with nothing published")]
    for task in dict.fromkeys(result.cell.task for result in done):
        found.append((f"data of {task}", _counted(
            _one(result.origin.data_text) for result in done if result.cell.task == task),
                      "their accuracies do not compare"))
    return [f"MIXED {what}: {values}: {consequence}." for what, values, consequence in found
            if values]


def _is_partly_generated(made, done):
    """ListOps without files counts as neither: its generator makes the real data."""
    return (any(one.is_generated for one in made)
            and any(result.origin.is_real for result in done))


def left_out(results):
    """A sentence on results of these cells that are not shown, if there are any: a list."""
    counts = collections.Counter(origin for result in results for origin in result.others)
    told = "; ".join(f"{cells_text(count)} made on {origin}" for origin, count in counts.items())
    return [f"Not shown, though there: {told}."] if told else []


def damaged(results):
    """What of these cells cannot be read, a text for each folder."""
    return list(dict.fromkeys(text for result in results for text in result.damage))
