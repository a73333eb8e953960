"""Peers in Python over object stores: python stores.py NAME whole URL ROUNDS inflight=N.

NAME is `zarr-python+obstore` or `tensorstore`. URL is s3://BUCKET/PATH, with the server and the keys in the usual
variables of the environment, or http://HOST:PORT/PATH.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2] / "peers/python"))

import numpy as np
from checksum import block_sum
from measure import Arguments, Outcome, measure


def obstore_reader(url: str, in_flight: int) -> Callable[[], np.ndarray]:
    """Reads by zarr-python over obstore's store."""
    import zarr
    from obstore.store import HTTPStore, S3Store
    from zarr.storage import ObjectStore

    parts = urlsplit(url)
    if parts.scheme == "s3":
        store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=os.environ["AWS_ENDPOINT_URL"],
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )
    else:
        store = HTTPStore.from_url(url, client_options={"allow_http": True})
    zarr.config.set({"async.concurrency": in_flight})
    array = zarr.open_array(ObjectStore(store, read_only=True), mode="r")
    return lambda: array[:]


def tensorstore_reader(url: str, in_flight: int) -> Callable[[], np.ndarray]:
    """Reads by tensorstore's own drivers."""
    import tensorstore

    parts = urlsplit(url)
    if parts.scheme == "s3":
        kvstore = {
            "driver": "s3",
            "bucket": parts.netloc,
            "path": f"{parts.path.strip('/')}/",
            "endpoint": os.environ["AWS_ENDPOINT_URL"],
            "aws_region": os.environ["AWS_REGION"],
        }
    else:
        kvstore = {"driver": "http", "base_url": f"{url}/"}
    context = {
        "s3_request_concurrency": {"limit": in_flight},
        "http_request_concurrency": {"limit": in_flight},
    }
    spec = {"driver": "zarr3", "kvstore": kvstore, "context": context}
    array = tensorstore.open(spec, open=True, read=True).result()
    return lambda: array.read().result()


READERS = {"zarr-python+obstore": obstore_reader, "tensorstore": tensorstore_reader}

arguments = Arguments.parse(("inflight",))
read = READERS[arguments.name](arguments.dataset, int(arguments.settings["inflight"]))


def whole() -> Outcome:
    """The whole array."""
    result = read()
    return lambda: {"decodedBytes": result.nbytes, "checksum": block_sum(result)}


measure(arguments, {"whole": whole})
