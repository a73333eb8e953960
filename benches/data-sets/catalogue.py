"""Which data sets there are: their shapes at each size, how they are stored, who writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import numpy as np

import fields

FULL, QUICK = "full", "quick"


@dataclass(frozen=True)
class ArraySet:
    """One array. `chunks` are the inner chunks when there are `shards`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    codec: dict | None
    writer: str = "zarr-python"
    shards: tuple[int, ...] | None = None
    zarr_format: int = 3
    note: str = ""
    # Turns the family's values into those that are stored.
    convert: Callable[[np.ndarray], np.ndarray] | None = field(default=None, compare=False)

    @property
    def decoded_bytes(self) -> int:
        return prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def chunk_count(self) -> int:
        return prod(n // c for n, c in zip(self.shape, self.chunks, strict=True))


@dataclass(frozen=True)
class Family:
    """Arrays of one shape that are written from the same values, tile by tile.

    A tile holds whole chunks (whole shards) of every member, so no chunk is written twice.
    """

    values: fields.Field
    tile: tuple[int, ...]
    members: tuple[ArraySet, ...]


@dataclass(frozen=True)
class RawSet:
    """Files of random bytes."""

    name: str
    files: int
    file_bytes: int
    note: str


ZSTD_3 = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}
ZSTD_0 = {"name": "zstd", "configuration": {"level": 0, "checksum": False}}
BLOSC_LZ4 = {
    "name": "blosc",
    "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "shuffle", "typesize": 4, "blocksize": 0},
}
BLOSC_ZSTD = {
    "name": "blosc",
    "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "bitshuffle", "typesize": 2, "blocksize": 0},
}
GZIP = {"id": "gzip", "level": 5}


def climate(size: str) -> Family:
    shape = (128 if size == FULL else 32, 720, 1440)
    return Family(
        values=fields.climate(720, 1440),
        tile=(16, 720, 1440),
        members=(
            ArraySet("climate-zstd", "float32", shape, (8, 180, 180), ZSTD_3),
            ArraySet("climate-blosc-lz4", "float32", shape, (8, 180, 180), BLOSC_LZ4),
            ArraySet("packed-blosc-zstd", "int16", shape, (16, 180, 180), BLOSC_ZSTD, convert=fields.packed),
            ArraySet("gzip-v2", "int16", shape, (16, 180, 180), GZIP, zarr_format=2, convert=fields.packed),
            ArraySet("small-chunks", "float32", shape, (4, 90, 90), ZSTD_3, writer="tensorstore"),
        ),
    )


def plain(size: str) -> Family:
    shape = (512 if size == FULL else 128, 720, 720)
    return Family(
        values=fields.climate(720, 720),
        tile=(16, 720, 720),
        members=(ArraySet("plain", "uint16", shape, (16, 180, 360), None, convert=fields.counted),),
    )


def zarr_benchmarks(size: str) -> Family:
    length = 1024 if size == FULL else 512
    note = "a formula of whole numbers, not measured values: it compresses far better than real data"
    shape, block = (length,) * 3, (256,) * 3
    return Family(
        values=fields.zarr_benchmarks,
        tile=(256, 256, length),
        members=(
            ArraySet("benchmarks-zstd", "uint16", shape, block, ZSTD_0, writer="tensorstore", note=note),
            ArraySet(
                "benchmarks-sharded",
                "uint16",
                shape,
                (64,) * 3,
                ZSTD_0,
                writer="tensorstore",
                shards=block,
                note=note,
            ),
        ),
    )


def tiny_sharded(size: str) -> Family:
    shape = (100 if size == FULL else 10, 3200, 3200)
    tiny = ArraySet(
        "tiny-sharded",
        "float32",
        shape,
        (1, 32, 32),
        ZSTD_3,
        writer="tensorstore",
        shards=(10, 320, 320),
    )
    return Family(values=fields.climate(3200, 3200), tile=(10, 320, 3200), members=(tiny,))


def tiny_files(size: str) -> Family:
    shape = (10 if size == FULL else 1, 3200, 3200)
    tiny = ArraySet("tiny-files", "float32", shape, (1, 32, 32), None, writer="tensorstore")
    return Family(values=fields.climate(3200, 3200), tile=(1, 320, 3200), members=(tiny,))


def families(size: str) -> list[Family]:
    """All arrays of a size, by the values that they share."""
    return [make(size) for make in (climate, plain, zarr_benchmarks, tiny_sharded, tiny_files)]


def raw_ranges(size: str) -> RawSet:
    """The files for reads of byte ranges."""
    note = "random bytes: nothing is decoded"
    return RawSet("raw-ranges", files=24 if size == FULL else 8, file_bytes=41_000_000, note=note)
