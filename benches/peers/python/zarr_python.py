"""zarr-python: python zarr_python.py NAME TASK DATASET ROUNDS [unit=chunk|shard] [window=N].

NAME is `zarr-python` (as it comes) or `zarr-python+zarrs` (with the codec pipeline of the zarrs package).
Tasks: whole, chunks, crops-many. It has no call for several regions: crops are read one by one, some at
the same time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable

import numpy as np
import zarr

import regions
from checksum import ShardSum, block_sum, row_sum
from measure import Arguments, Outcome, measure

# Reads under way while chunks or crops are taken one by one. On 2 cores, chunks of 1 MB (zstd-3): 0.33 s with
# one, 0.19 s with four, 0.21 s with eight; with the zarrs pipeline 0.21 s, 0.16-0.26 s, 0.18 s.
WINDOW = 4

arguments = Arguments.parse(("unit", "window"))
if arguments.name == "zarr-python+zarrs":
    zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
array = zarr.open_array(arguments.dataset, mode="r")
window = int(arguments.settings.get("window", WINDOW))


def whole() -> Outcome:
    result = array[:]
    return lambda: {"decodedBytes": result.nbytes, "checksum": block_sum(result)}


async def in_window(selections: Iterable) -> AsyncIterator[np.ndarray]:
    """What the reads of selections give, in order, with several of them under way."""
    under_way = deque()
    for selection in selections:
        under_way.append(asyncio.ensure_future(array.async_array.getitem(selection)))
        if len(under_way) == window:
            yield await under_way.popleft()
    while under_way:
        yield await under_way.popleft()


async def collect(selections: Iterable, reduce: Callable[[np.ndarray], object]) -> list:
    """What `reduce` makes of each, in order."""
    return [reduce(values) async for values in in_window(selections)]


def chunks() -> Outcome:
    by_shard = arguments.settings.get("unit", "shard" if array.shards else "chunk") == "shard"
    unit = array.shards if by_shard else array.chunks
    sum_of = ShardSum(array.chunks, array.dtype.itemsize) if by_shard else block_sum
    sums = asyncio.run(collect(regions.blocks(array.shape, unit), sum_of))
    return lambda: {"decodedBytes": array.nbytes, "checksum": sum(sums), "unit": unit}


def crops_many() -> Outcome:
    # A slice of one, not a number: with that, zarrs 0.2.3 fails for some crops over the edge of a shard.
    places = ((slice(z, z + 1), y, x) for z, y, x in regions.crops(array.shape))
    results = asyncio.run(collect(places, np.asarray))
    return lambda: {
        "decodedBytes": sum(crop.nbytes for crop in results),
        "checksum": sum(map(row_sum, results)),
    }


measure(arguments, {"whole": whole, "chunks": chunks, "crops-many": crops_many})
