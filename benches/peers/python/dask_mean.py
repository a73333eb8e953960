"""dask over zarr-python: python dask_mean.py NAME TASK DATASET ROUNDS. Its task is mean."""

from __future__ import annotations

import dask.array
import zarr

from measure import Arguments, Outcome, measure

arguments = Arguments.parse()
array = zarr.open_array(arguments.dataset, mode="r")
lazy = dask.array.from_zarr(array, chunks=array.shards or array.chunks)


def mean() -> Outcome:
    result = float(lazy.mean(dtype="float64").compute())
    return lambda: {"decodedBytes": array.nbytes, "checksum": None, "mean": result}


measure(arguments, {"mean": mean})
