"""Which parts of an array are read: the blocks of its grid, and the crops, the same in every language."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

CROPS = 2000
# Elements along each side of a crop.
SIDE = 64

Region = tuple[slice, ...]


def blocks(shape: tuple[int, ...], block: tuple[int, ...]) -> Iterator[Region]:
    """All blocks of a grid (chunks or shards), in C order."""
    origins = product(*(range(0, length, step) for length, step in zip(shape, block, strict=True)))
    for origin in origins:
        yield tuple(slice(at, at + step) for at, step in zip(origin, block, strict=True))


def draws() -> Iterator[int]:
    """A linear congruential generator; each draw gives the upper 24 of its 32 bits."""
    state = 1
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state >> 8


def crops(shape: tuple[int, ...]) -> list[tuple[int, slice, slice]]:
    """The crops of a three-dimensional array: 64 x 64 elements at one index of the first axis each."""
    numbers = draws()
    limits = (shape[0], shape[1] - SIDE + 1, shape[2] - SIDE + 1)
    places = []
    for _ in range(CROPS):
        z, y, x = (next(numbers) % limit for limit in limits)
        places.append((z, slice(y, y + SIDE), slice(x, x + SIDE)))
    return places
