"""Says which benchmarks changed between two runs.

    bazel run //benchmarks:sparse_attention -- --benchmark_out=before.json
    bazel run //benchmarks:compare -- before.json after.json

For each benchmark: the medians, their ratio (above 1: the second run is slower), p of a two-sided
Mann-Whitney U test over the repetitions, and a verdict. Exits with 0, or 1 with
--fail_on_regression if a benchmark became slower; 2 if the files cannot be compared.
"""

import os
import sys

import command_line
import mann_whitney
import results

FASTER = "faster"
SLOWER = "slower"
SAME = "no difference"
# Context entries that must agree for times to be comparable.
_MACHINE = ("gpu", "cpu", "l2_cache")


def verdict(before, after, alpha):
    """(p, verdict) of two lists of times."""
    if mann_whitney.smallest_p(len(before), len(after)) > alpha:
        return None, f"too few repetitions ({len(before)} and {len(after)})"
    p = mann_whitney.p_value(before, after)
    if p > alpha:
        return p, SAME
    # The side that the ranks favour: medians can tie where the ranks don't.
    pairs = len(before) * len(after)
    return p, FASTER if mann_whitney.u_statistic(before, after) > pairs / 2 else SLOWER


def time_text(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            break
    return f"{seconds * factor:.4g} {unit}"


def _row(name, before, after, alpha):
    times = [time_text(b.median) if b and b.seconds else "-" for b in (before, after)]
    if before is None or after is None:
        return [name, *times, "-", "-", "only in " + ("AFTER" if before is None else "BEFORE")]
    if before.error or after.error:
        where = [side for side, b in (("BEFORE", before), ("AFTER", after)) if b.error]
        return [name, *times, "-", "-", "error in " + " and ".join(where)]
    p, text = verdict(before.seconds, after.seconds, alpha)
    ratio = f"{after.median / before.median:.3f}" if before.median > 0 else "-"
    return [name, *times, ratio, "-" if p is None else f"{p:.4f}", text]


def compare(before, after, alpha):
    """Rows of text: name, median before, median after, ratio, p, verdict."""
    names = list(before.benchmarks)
    names += [name for name in after.benchmarks if name not in before.benchmarks]
    return [
        _row(name, before.benchmarks.get(name), after.benchmarks.get(name), alpha) for name in names
    ]


def warnings(before, after):
    for key in _MACHINE:
        first, second = before.context.get(key), after.context.get(key)
        if first != second:
            yield f"warning: {key} is {first} in {before.path} and {second} in {after.path}"


def print_table(rows):
    header = ["benchmark", "before", "after", "after/before", "p", "verdict"]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:5], widths[1:5])]
        print("  ".join(cells + [row[5]]))


def main(arguments):
    parser = command_line.Parser(prog="compare", description=__doc__)
    parser.add_argument("before", metavar="BEFORE.json")
    parser.add_argument("after", metavar="AFTER.json")
    parser.add_argument("--alpha", type=float, default=0.05,
                        help="a difference counts if p is not above this (default 0.05)")
    parser.add_switch("fail_on_regression", help="exit with 1 if a benchmark became slower")
    options = parser.parse_args(arguments)
    if not 0 < options.alpha < 1:
        parser.error(f"--alpha={options.alpha} must lie between 0 and 1")

    # Where the user stands, which is not where `bazel run` starts a program.
    directory = os.environ.get("BUILD_WORKING_DIRECTORY", "")
    try:
        before, after = (results.read_results(os.path.join(directory, path))
                         for path in (options.before, options.after))
    except results.BadInput as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    if not set(before.benchmarks) & set(after.benchmarks):
        print(f"compare: {before.path} and {after.path} have no benchmark in common",
              file=sys.stderr)
        return 2
    for warning in warnings(before, after):
        print(warning, file=sys.stderr)
    rows = compare(before, after, options.alpha)
    print_table(rows)
    slower = sum(row[5] == SLOWER for row in rows)
    return 1 if options.fail_on_regression and slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
