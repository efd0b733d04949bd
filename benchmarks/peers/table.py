"""Prints SPION's attention beside its peers.

    python3 benchmarks/peers/table.py FILE.json [FILE.json ...] [--markdown]

The files: what benchmarks/peers/attention.py --out=FILE.json wrote, of SPION's Python package and of
the peers, and what bazel run //benchmarks:sparse_attention -- --benchmark_out=FILE.json wrote. Of a
name that is in several files the first time counts.

Times are medians in milliseconds. "best/spion" is the fastest peer's time over SPION's: above 1,
SPION is faster. Where some of its runs are without deterministic gradients ("spion_any_order"),
"best/any" is the same for the faster of the two. "floor" is the time that the pass's fewest bytes
take at the copy bandwidth of its file; the benchmark in C++ counts them. A word stands where there
is no time, and a star at one of plain launches in place of a CUDA graph; below the table is why.

All runs should be of one GPU: a difference is said. Exits with 2 if the files don't fit.
"""

import os
import sys

# These lie elsewhere in the repository, for other programs too; this one needs no installation.
_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(_HERE, os.pardir),
                os.path.join(_HERE, os.pardir, os.pardir, "tools", "command_line")]
import command_line  # pylint: disable=wrong-import-position
import results  # pylint: disable=wrong-import-position

OURS = "spion"
ANY_ORDER = "spion_any_order"
WORDS = ("absent", "unfit", "wrong", "failed")  # as attention.py writes them before the reason


def split(name):
    """(implementation, the rest) of <implementation>/<device>/<dtype>/<case>/<pass>."""
    implementation, _, rest = name.partition("/")
    return implementation, rest


def joined(files):
    """{the rest of the name: {implementation: (Benchmark, its file)}}, in the files' order, of names
    that SPION and a peer have."""
    table = {}
    for file in files:
        for name, benchmark in file.benchmarks.items():
            implementation, rest = split(name)
            there = table.setdefault(rest, {})
            if implementation not in there or there[implementation][0].error and not benchmark.error:
                there[implementation] = benchmark, file
    return {rest: runs for rest, runs in table.items()
            if OURS in runs and runs.keys() - {OURS, ANY_ORDER}}


def word_and_reason(benchmark):
    """What stands in place of a time, and why; ("", "") of a time from a CUDA graph."""
    if benchmark.error:
        word, _, reason = benchmark.error.partition(": ")
        return (word, reason) if word in WORDS else ("error", benchmark.error)
    plainly = benchmark.counters.get("launched_plainly", "")
    return ("*", f"plain launches; no CUDA graph: {plainly}") if plainly else ("", "")


def shown(benchmark):
    if benchmark is None:
        return "-"
    word, _ = word_and_reason(benchmark)
    return word if benchmark.error else f"{benchmark.median * 1e3:.4f}{word}"


def floor_of(benchmark, file):
    """"-" where the file has no bytes, as that of the Python programs."""
    bandwidth = float(file.context.get("copy_bandwidth_bytes_per_second", "nan"))
    floor = benchmark.counters.get("bytes", float("nan")) / bandwidth * 1e3
    return f"{floor:.4f}" if floor == floor else "-"


def fastest(benchmarks, names):
    """The least median of those that have times, or None."""
    return min((b.median for name, b in benchmarks.items() if name in names and not b.error),
               default=None)


def rows(table):
    """(header, rows) of text."""
    present = dict.fromkeys(name for runs in table.values() for name in runs)
    peers = [name for name in present if name not in (OURS, ANY_ORDER)]
    ours = [name for name in (OURS, ANY_ORDER) if name in present]
    lines = []
    for rest, runs in table.items():
        benchmarks = {name: benchmark for name, (benchmark, _) in runs.items()}
        best = fastest(benchmarks, peers)
        mine = [fastest(benchmarks, ours[:i + 1]) for i in range(len(ours))]
        _, dtype, case, pass_name = rest.split("/")
        lines.append([case, dtype, pass_name] +
                     [shown(benchmarks.get(name)) for name in ours + peers] +
                     [f"{best / time:.2f}" if best and time else "-" for time in mine] +
                     [floor_of(*runs[OURS])])
    ratios = [f"best/{OURS}", "best/any"][:len(ours)]
    return ["case", "dtype", "pass", *ours, *peers, *ratios, "floor"], lines


def reasons(table):
    """Lines: the word, the implementation, the reason, and for which names it stands."""
    of_reason = {}
    for rest, runs in table.items():
        for implementation, (benchmark, _) in runs.items():
            word, reason = word_and_reason(benchmark)
            if word:
                _, dtype, case, pass_name = rest.split("/")
                of_reason.setdefault((word, implementation, reason), []).append(
                    f"{case} {dtype} {pass_name}")
    for (word, implementation, reason), names in of_reason.items():
        where = "everywhere" if len(names) == len(table) else ", ".join(names)
        yield f"{implementation} {word}: {reason} ({where})"


def plain(header, lines):
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    for line in [header, *lines]:
        cells = [cell.ljust(width) if i < 3 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths))]
        yield "  ".join(cells).rstrip()


def markdown(header, lines):
    yield "| " + " | ".join(header) + " |"
    yield "|" + "|".join("---" if i < 3 else "---:" for i in range(len(header))) + "|"
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def main(arguments):
    parser = command_line.Parser(prog="table.py", description=__doc__)
    parser.add_argument("files", metavar="FILE.json", nargs="+")
    parser.add_switch("markdown", help="a table in Markdown")
    options = parser.parse_args(arguments)
    try:
        files = [results.read_results(command_line.user_path(path)) for path in options.files]
    except results.BadInput as error:
        print(f"table.py: {error}", file=sys.stderr)
        return 2
    table = joined(files)
    header, lines = rows(table)
    if not lines:
        print(f"table.py: no {OURS}/... benchmark has a peer in {', '.join(options.files)}",
              file=sys.stderr)
        return 2
    for key in ("gpu", "l2_cache"):
        for file in files[1:]:
            if file.context.get(key) != files[0].context.get(key):
                print(f"warning: {key} is {files[0].context.get(key)} in {files[0].path} and "
                      f"{file.context.get(key)} in {file.path}: the ratios mean little",
                      file=sys.stderr)
    print("\n".join((markdown if options.markdown else plain)(header, lines)))
    below = list(reasons(table))
    if below:
        print("\n" + "\n".join(f"- {line}" for line in below))
    return 0


if __name__ == "__main__":
    command_line.end(main)
