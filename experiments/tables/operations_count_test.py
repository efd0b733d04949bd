"""Counted by numbers that count, by rows, and by formula: the same."""

import random
import unittest

import operations_count


class Counting:
    """A number that counts what is done with it."""

    done = 0

    def __init__(self, value):
        self.value = value

    def _made(self, value):
        Counting.done += 1
        return Counting(value)

    def __add__(self, other):
        return self._made(self.value + other.value)

    def __mul__(self, other):
        return self._made(self.value * other.value)

    def __truediv__(self, other):
        return self._made(self.value / other.value)

    def exp(self):
        return self._made(2.718281828459045**self.value)


def total(numbers):
    result = numbers[0]
    for number in numbers[1:]:
        result = result + number
    return result


def attend(q, k, v, kept_columns):
    """Sparse attention in plain loops."""
    for row, columns in enumerate(kept_columns):
        scores = [total([a * b for a, b in zip(q[row], k[column])]) for column in columns]
        powers = [score.exp() for score in scores]
        whole = total(powers)
        shares = [power / whole for power in powers]
        for i in range(len(v[0])):
            total([share * v[column][i] for share, column in zip(shares, columns)])


def matrix(rows, columns, source):
    return [[Counting(source.uniform(-1, 1)) for _ in range(columns)] for _ in range(rows)]


class OperationsTest(unittest.TestCase):
    def check(self, columns_of_row, block_size, head_dim):
        length = len(columns_of_row) * block_size
        source = random.Random(1)
        q, k, v = (matrix(length, head_dim, source) for _ in range(3))
        kept = [[block * block_size + i for block in columns for i in range(block_size)]
                for columns in columns_of_row for _ in range(block_size)]
        Counting.done = 0
        attend(q, k, v, kept)
        entries = sum(map(len, kept))
        self.assertEqual(operations_count.counted(columns_of_row, block_size, head_dim),
                         Counting.done)
        self.assertEqual(operations_count.sparse_formula(entries, length, head_dim), Counting.done)
        return Counting.done

    def test_a_pattern(self):
        self.check([[0], [0, 1], [2], [0, 1, 2, 3]], block_size=2, head_dim=3)

    def test_the_diagonal_alone(self):
        self.check([[0], [1], [2]], block_size=1, head_dim=1)

    def test_all_blocks_are_dense_attention(self):
        done = self.check([[0, 1, 2]] * 3, block_size=2, head_dim=4)
        self.assertEqual(operations_count.dense_formula(6, 4), done)


if __name__ == "__main__":
    unittest.main()
