"""The Mann-Whitney U test: do two samples come from one distribution?

    p = p_value([1.1, 1.2, 1.3], [2.1, 2.2, 2.3])

Two-sided. Source: Mann and Whitney, "On a test of whether one of two random variables is
stochastically larger than the other", 1947.
"""

import math
import statistics

# Up to this size of either sample the exact distribution is counted: above, the normal one is as
# good.
_LARGEST_EXACT = 20


def p_value(first, second):
    """The probability that samples of one distribution differ in rank at least as much as these.

    Exact for up to 20 values a side without ties; else by the normal approximation, corrected for
    ties and continuity. Raises ValueError if a sample is empty.
    """
    if not first or not second:
        raise ValueError("the Mann-Whitney test needs at least one value on each side")
    u = u_statistic(first, second)
    merged = list(first) + list(second)
    ties = len(set(merged)) < len(merged)
    if not ties and max(len(first), len(second)) <= _LARGEST_EXACT:
        return _exact(u, len(first), len(second))
    return _normal(u, len(first), len(second), merged)


def ratio_interval(first, second, alpha):
    """(low, high) between which the ratio of a value of `second` to one of `first` lies, with a
    confidence of 1 - alpha: the ratios that the test would not refuse. All values above 0.

    Order statistics of all pairs' ratios (Hodges and Lehmann, "Estimates of location based on rank
    tests", 1963). Raises ValueError if a sample is empty.
    """
    ratios = sorted(after / before for before in first for after in second)
    if not ratios:
        raise ValueError("an interval needs at least one value on each side")
    if max(len(first), len(second)) <= _LARGEST_EXACT:
        counts = orderings(len(first), len(second))
        below, left_out = 0, 0
        while (below + counts[left_out]) / sum(counts) <= alpha / 2:
            below += counts[left_out]
            left_out += 1
    else:
        deviation = math.sqrt(len(ratios) * (len(first) + len(second) + 1) / 12)
        far = statistics.NormalDist().inv_cdf(1 - alpha / 2) * deviation
        left_out = max(0, math.floor(len(ratios) / 2 - far))
    # Of so few that none may be left out, the ends are the confidence that there is.
    left_out = max(0, left_out - 1)
    return ratios[left_out], ratios[-1 - left_out]


def smallest_p(first_size, second_size):
    """The least p that samples of these sizes without ties can have."""
    return min(1.0, 2 / math.comb(first_size + second_size, first_size))


def u_statistic(first, second):
    """How many pairs have their smaller value in `second`; equal pairs count half."""
    return sum((a > b) + (a == b) / 2 for a in first for b in second)


def orderings(first_size, second_size):
    """counts[u]: in how many orderings of distinct values the statistic is u."""
    # Counted by the largest value: if it is of the first sample, it is above all of the second.
    table = {}
    for m in range(first_size + 1):
        for n in range(second_size + 1):
            if m == 0 or n == 0:
                table[m, n] = [1]
                continue
            counts = [0] * (m * n + 1)
            for u, ways in enumerate(table[m - 1, n]):
                counts[u + n] += ways
            for u, ways in enumerate(table[m, n - 1]):
                counts[u] += ways
            table[m, n] = counts
    return table[first_size, second_size]


def _exact(u, first_size, second_size):
    counts = orderings(first_size, second_size)
    extreme = int(min(u, first_size * second_size - u))
    return min(1.0, 2 * sum(counts[:extreme + 1]) / sum(counts))


def _normal(u, first_size, second_size, merged):
    pairs = first_size * second_size
    total = first_size + second_size
    tied = sum(count**3 - count for count in (merged.count(value) for value in set(merged)))
    variance = pairs / 12 * (total + 1 - tied / (total * (total - 1)))
    if variance == 0:
        return 1.0  # all values are equal
    distance = max(0.0, abs(u - pairs / 2) - 0.5)
    return math.erfc(distance / math.sqrt(2 * variance))
