"""Prints SPION's attention beside its peers.

    python3 benchmarks/peers/table.py OURS.json PEERS.json [--markdown]

OURS.json: bazel run //benchmarks:sparse_attention -- --benchmark_out=OURS.json
PEERS.json: benchmarks/peers/attention.py --out=PEERS.json

Times are medians in milliseconds. "ratio" is the fastest peer's time over SPION's: above 1, SPION
is faster. "floor" is the time that the pass's fewest bytes take at the copy bandwidth of OURS.
Both runs should be of one GPU: a difference is said. Exits with 2 if the files don't fit.
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


def split(name):
    """(implementation, the rest) of <implementation>/<device>/<dtype>/<case>/<pass>."""
    implementation, _, rest = name.partition("/")
    return implementation, rest


def peer_table(peers):
    """{the rest of the name: {implementation: Benchmark}}."""
    table = {}
    for name, benchmark in peers.benchmarks.items():
        implementation, rest = split(name)
        table.setdefault(rest, {})[implementation] = benchmark
    return table


def milliseconds(benchmark):
    if benchmark is None:
        return "-"
    return "error" if benchmark.error else f"{benchmark.median * 1e3:.4f}"


def rows(ours, peers):
    """(header, rows) of text; a row for each of our benchmarks that has a peer."""
    table = peer_table(peers)
    implementations = list(dict.fromkeys(split(name)[0] for name in peers.benchmarks))
    bandwidth = float(ours.context.get("copy_bandwidth_bytes_per_second", "nan"))
    lines = []
    for name, mine in ours.benchmarks.items():
        implementation, rest = split(name)
        if implementation != OURS or rest not in table:
            continue
        others = table[rest]
        timed = [b.median for b in others.values() if not b.error]
        ratio = f"{min(timed) / mine.median:.2f}" if timed and not mine.error else "-"
        floor = mine.counters.get("bytes", float("nan")) / bandwidth * 1e3
        _, dtype, case, pass_name = rest.split("/")
        lines.append([case, dtype, pass_name, milliseconds(mine)] +
                     [milliseconds(others.get(peer)) for peer in implementations] +
                     [ratio, f"{floor:.4f}" if floor == floor else "-"])
    return ["case", "dtype", "pass", OURS, *implementations, "ratio", "floor"], lines


def errors(ours, peers):
    """What is behind each "error" of the table."""
    table = peer_table(peers)
    for name, mine in ours.benchmarks.items():
        implementation, rest = split(name)
        if implementation != OURS:
            continue
        for other, benchmark in {OURS: mine, **table.get(rest, {})}.items():
            if rest in table and benchmark.error:
                yield f"{other}/{rest}: {benchmark.error}"


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
    parser.add_argument("ours", metavar="OURS.json")
    parser.add_argument("peers", metavar="PEERS.json")
    parser.add_switch("markdown", help="a table in Markdown")
    options = parser.parse_args(arguments)
    directory = os.environ.get("BUILD_WORKING_DIRECTORY", "")
    try:
        ours, peers = (results.read_results(os.path.join(directory, path))
                       for path in (options.ours, options.peers))
    except results.BadInput as error:
        print(f"table.py: {error}", file=sys.stderr)
        return 2
    header, lines = rows(ours, peers)
    if not lines:
        print(f"table.py: no {OURS}/... benchmark of {ours.path} has a peer in {peers.path}",
              file=sys.stderr)
        return 2
    for key in ("gpu", "l2_cache"):
        if ours.context.get(key) != peers.context.get(key):
            print(f"warning: {key} is {ours.context.get(key)} in {ours.path} and "
                  f"{peers.context.get(key)} in {peers.path}: the ratios mean little",
                  file=sys.stderr)
    print("\n".join((markdown if options.markdown else plain)(header, lines)))
    for error in errors(ours, peers):
        print(f"error: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
