"""The checksums that every program reports: sums over the raw bits of some elements, as unsigned integers."""

from __future__ import annotations

from math import prod

import numpy as np

# Every element that begins a block of so many bytes counts.
BLOCK_BYTES = 4096


def bits_of(values: np.ndarray) -> np.ndarray:
    """The raw bits of the elements; no copy."""
    return values.view(f"u{values.itemsize}")


def total(bits: np.ndarray) -> int:
    """The exact sum of few elements."""
    return int(bits.sum(dtype=np.uint64))


def block_sum(values: np.ndarray) -> int:
    """One element for each 4 KiB of an array in C order."""
    if not values.flags.c_contiguous:
        raise ValueError("the elements are not in C order")
    return total(bits_of(values).reshape(-1)[:: BLOCK_BYTES // values.itemsize])


def row_sum(crop: np.ndarray) -> int:
    """The first element of each row."""
    return total(bits_of(crop[..., 0]))


class ShardSum:
    """The sum of `block_sum` over all chunks of a shard, without taking the shard apart."""

    def __init__(self, chunk_shape: tuple[int, ...], itemsize: int) -> None:
        self.chunk_shape = chunk_shape
        elements = np.arange(0, prod(chunk_shape), BLOCK_BYTES // itemsize)
        # Numbers of chunks and places within them take turns as axes; all chunks count.
        self.places = []
        for axis in np.unravel_index(elements, chunk_shape):
            self.places += [slice(None), axis]

    def __call__(self, shard: np.ndarray) -> int:
        split = []
        for length, chunk in zip(shard.shape, self.chunk_shape, strict=True):
            split += [length // chunk, chunk]
        return total(bits_of(shard).reshape(split)[tuple(self.places)])
