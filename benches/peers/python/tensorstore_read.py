"""tensorstore: python tensorstore_read.py NAME TASK DATASET ROUNDS [unit=chunk|shard] [window=N].

NAME is `tensorstore` (as it comes) or `tensorstore-direct` (its direct I/O mode). Seen under strace, that
mode of version 0.1.86 goes past the page cache for single chunks of a shard only; whole files (chunks that
are files, shards that are read as a whole) it reads buffered all the same.
Tasks: whole, chunks, crops-many (one batch), crops-concurrent (as many reads as crops, all at once).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import tensorstore

import regions
from checksum import ShardSum, block_sum, row_sum
from measure import Arguments, Outcome, measure

# Reads under way while chunks are taken one by one. On 2 cores, chunks of 1 MB (zstd-3): 0.18 s with four,
# 0.16 s with 16 or 32. Shards of 64 chunks: 0.13 s chunk by chunk, 0.23 s shard by shard.
WINDOW = 16


def open_array(arguments: Arguments) -> tensorstore.TensorStore:
    """The array of a folder, in either format."""
    is_v3 = (Path(arguments.dataset) / "zarr.json").exists()
    spec = {
        "driver": "zarr3" if is_v3 else "zarr",
        "kvstore": {"driver": "file", "path": arguments.dataset},
    }
    if arguments.name == "tensorstore-direct":
        spec["context"] = {"file_io_mode": {"mode": "direct"}}
    return tensorstore.open(spec, open=True, read=True).result()


arguments = Arguments.parse(("unit", "window"))
array = open_array(arguments)
itemsize = array.dtype.numpy_dtype.itemsize
places = regions.crops(array.shape)


def whole() -> Outcome:
    result = array.read().result()
    return lambda: {"decodedBytes": result.nbytes, "checksum": block_sum(result)}


def in_window(blocks: Iterator[regions.Region], window: int) -> Iterator:
    """What the reads of blocks give, in order, with several of them under way."""
    under_way = deque()
    for block in blocks:
        under_way.append(array[block].read())
        if len(under_way) == window:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def chunks() -> Outcome:
    chunk_shape = array.chunk_layout.read_chunk.shape
    by_shard = arguments.settings.get("unit", "chunk") == "shard"
    unit = array.chunk_layout.write_chunk.shape if by_shard else chunk_shape
    sum_of = ShardSum(chunk_shape, itemsize) if by_shard else block_sum
    checksum = decoded = 0
    for values in in_window(regions.blocks(array.shape, unit), int(arguments.settings.get("window", WINDOW))):
        checksum += sum_of(values)
        decoded += values.nbytes
    return lambda: {"decodedBytes": decoded, "checksum": checksum, "unit": unit}


def crops_outcome(results: list) -> Outcome:
    return lambda: {
        "decodedBytes": sum(crop.nbytes for crop in results),
        "checksum": sum(map(row_sum, results)),
    }


def crops_many() -> Outcome:
    with tensorstore.Batch() as batch:
        reads = [array[place].read(batch=batch) for place in places]
    return crops_outcome([read.result() for read in reads])


def crops_concurrent() -> Outcome:
    reads = [array[place].read() for place in places]
    return crops_outcome([read.result() for read in reads])


measure(
    arguments,
    {"whole": whole, "chunks": chunks, "crops-many": crops_many, "crops-concurrent": crops_concurrent},
)
