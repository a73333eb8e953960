"""Creates an array with somebody else's library and takes its values region by region."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numcodecs
import numpy as np
import tensorstore
import zarr

from catalogue import ArraySet

# Stores values at an origin of the array; may be called from several threads for different chunks.
Write = Callable[[tuple[int, ...], np.ndarray], None]

NAMES = ["time", "latitude", "longitude"]


def writer_version(writer: str) -> str:
    """The library and its version, as the manifest names them."""
    return f"{writer} {version('zarr' if writer == 'zarr-python' else writer)}"


def create(array: ArraySet, location: Path) -> Write:
    """An empty array in a new folder."""
    make = {"zarr-python": zarr_python_array, "tensorstore": tensorstore_array}[array.writer]
    target = make(array, location)

    def write(origin: tuple[int, ...], values: np.ndarray) -> None:
        region = tuple(slice(at, at + length) for at, length in zip(origin, values.shape, strict=True))
        target[region] = values

    return write


def zarr_python_array(array: ArraySet, location: Path) -> zarr.Array:
    """Written by zarr-python."""
    if array.zarr_format == 2:
        encoding = {"compressors": numcodecs.get_codec(array.codec)}
    else:
        encoding = {"compressors": [array.codec] if array.codec else None, "dimension_names": NAMES}
    return zarr.create_array(
        str(location),
        shape=array.shape,
        chunks=array.chunks,
        shards=array.shards,
        dtype=array.dtype,
        zarr_format=array.zarr_format,
        fill_value=0,
        **encoding,
    )


def tensorstore_array(array: ArraySet, location: Path) -> tensorstore.TensorStore:
    """Written by tensorstore (format 3 only)."""
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
    codecs += [array.codec] if array.codec else []
    if array.shards:
        index = [codecs[0], {"name": "crc32c"}]
        sharding = {"chunk_shape": array.chunks, "codecs": codecs, "index_codecs": index}
        codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    metadata = {
        "shape": array.shape,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": array.shards or array.chunks},
        },
        "chunk_key_encoding": {"name": "default"},
        "data_type": array.dtype,
        "fill_value": 0,
        "codecs": codecs,
        "dimension_names": NAMES,
    }
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(location)},
        "metadata": metadata,
        # Can be made again at any time, so nothing waits until a file has reached the device.
        "context": {"file_io_sync": False},
    }
    return tensorstore.open(spec, create=True).result()
