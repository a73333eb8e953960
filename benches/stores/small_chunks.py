"""Writes the data set `plain` again, as small chunks in shards: python small_chunks.py PLAIN TARGET.

63 KiB is what object stores are slow with, unless requests are merged.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import tensorstore

CHUNK = [2, 90, 180]
SHARD = [16, 720, 720]


def spec(folder: Path) -> dict:
    """Where an array is."""
    return {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(folder)}}


def write(plain: Path, target: Path) -> None:
    """Copies shard by shard; the folder has its name once it is complete."""
    source = tensorstore.open(spec(plain), open=True, read=True).result()
    incomplete = target.with_suffix(".new")
    shutil.rmtree(incomplete, ignore_errors=True)
    copy = tensorstore.open(
        spec(incomplete),
        create=True,
        dtype=source.dtype,
        shape=source.shape,
        chunk_layout=tensorstore.ChunkLayout(read_chunk_shape=CHUNK, write_chunk_shape=SHARD),
        codec=tensorstore.CodecSpec({
            "driver": "zarr3",
            "codecs": [
                {
                    "name": "sharding_indexed",
                    "configuration": {
                        "chunk_shape": CHUNK,
                        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                    },
                }
            ],
        }),
    ).result()
    for start in range(0, source.shape[0], SHARD[0]):
        rows = slice(start, start + SHARD[0])
        copy[rows].write(source[rows]).result()
    shutil.rmtree(target, ignore_errors=True)
    incomplete.rename(target)


write(Path(sys.argv[1]), Path(sys.argv[2]))
