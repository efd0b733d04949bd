"""How many operations attention takes: counted along a pattern, and by the formulas.

One head with D numbers a token. A multiplication, an addition, an exponential and a division count
as one each; scaling by 1/sqrt(D) and the search for a row's maximum do not count. Of a row that
keeps c entries:

    scores          c (2D - 1)      D products, D - 1 sums each
    softmax         3c - 1          exponentials, c - 1 sums, divisions
    weighted sum    D (2c - 1)      c products and c - 1 sums for each of D numbers
"""


def of_row(kept, head_dim):
    """Of a row with `kept` entries, one or more."""
    scores = kept * (head_dim + head_dim - 1)
    softmax = kept + (kept - 1) + kept
    weighted_sum = head_dim * (kept + kept - 1)
    return scores + softmax + weighted_sum


def counted(columns_of_row, block_size, head_dim):
    """Of a block pattern, row by row of tokens."""
    return sum(block_size * of_row(len(columns) * block_size, head_dim)
               for columns in columns_of_row)


def dense_formula(length, head_dim):
    return 2 * length**2 * (2 * head_dim + 1) - length * (head_dim + 1)


def sparse_formula(kept_entries, length, head_dim):
    return 2 * kept_entries * (2 * head_dim + 1) - length * (head_dim + 1)
