"""Writes the data sets of the benchmark with other people's writers.

    python generate.py --size quick|full --cache FOLDER [--only NAME]

Each data set is FOLDER/SIZE/NAME. FOLDER/SIZE/manifest.json lists those that are complete. What is there
already, made by the same generator with the same parameters, stays; anything else is written anew.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import array_writers
import catalogue
import fields
from catalogue import ArraySet, Family, RawSet

HERE = Path(__file__).resolve().parent
SOURCES = ["array_writers.py", "catalogue.py", "fields.py", "generate.py", "requirements.txt"]


class Cache:
    """The folder of one size: the data sets and the manifest of those that are complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "manifest.json"
        self.manifest = json.loads(self.path.read_text()) if self.path.exists() else {}
        sources = b"".join((HERE / name).read_bytes() for name in SOURCES)
        self.generator = hashlib.sha256(sources).hexdigest()

    def stamp(self, data_set: ArraySet | RawSet) -> str:
        """Changes with the generator and with what a data set is."""
        return hashlib.sha256(f"{self.generator} {data_set!r}".encode()).hexdigest()

    def is_complete(self, data_set: ArraySet | RawSet) -> bool:
        entry = self.manifest.get(data_set.name)
        there = (self.folder / data_set.name).is_dir()
        return there and entry is not None and entry["stamp"] == self.stamp(data_set)

    def begin(self, data_set: ArraySet | RawSet) -> Path:
        """The path to write to; from now on the data set counts as not there."""
        if self.manifest.pop(data_set.name, None):
            self.save()
        location = self.folder / data_set.name
        shutil.rmtree(location, ignore_errors=True)
        return location

    def finish(self, data_set: ArraySet | RawSet, entry: dict) -> None:
        """Lists a data set as complete."""
        stored = sum(
            file.stat().st_size for file in (self.folder / data_set.name).rglob("*") if file.is_file()
        )
        size = {"storedBytes": stored, "ratio": round(entry["decodedBytes"] / stored, 3)}
        self.manifest[data_set.name] = {**entry, **size, "note": data_set.note, "stamp": self.stamp(data_set)}
        self.save()

    def save(self) -> None:
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(self.manifest, indent=2) + "\n")
        scratch.rename(self.path)


def write_family(cache: Cache, family: Family, missing: list[ArraySet]) -> None:
    """Computes the values once, tile by tile on all cores, and stores them in every missing member."""
    writes = [(array, array_writers.create(array, cache.begin(array))) for array in missing]

    def write_tile(origin: tuple[int, ...]) -> None:
        values = family.values(origin, family.tile)
        for array, write in writes:
            write(origin, array.convert(values) if array.convert else values)

    shape = missing[0].shape
    origins = product(*(range(0, n, step) for n, step in zip(shape, family.tile, strict=True)))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(write_tile, origins):
            pass
    for array in missing:
        entry = {
            "kind": f"zarr{array.zarr_format}",
            "decodedBytes": array.decoded_bytes,
            "chunks": array.chunk_count,
            "shape": array.shape,
            "chunkShape": array.chunks,
            "shardShape": array.shards,
            "dataType": array.dtype,
            "codec": array.codec,
            "writer": array_writers.writer_version(array.writer),
        }
        cache.finish(array, entry)


def write_raw(cache: Cache, raw: RawSet) -> None:
    """Writes the files of random bytes."""
    location = cache.begin(raw)
    location.mkdir()

    def write_file(number: int) -> None:
        (location / f"{number:02}.bin").write_bytes(fields.random_bytes(number, raw.file_bytes))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(write_file, range(raw.files)):
            pass
    entry = {
        "kind": "files",
        "decodedBytes": raw.files * raw.file_bytes,
        "chunks": raw.files,
        "writer": "numpy",
    }
    cache.finish(raw, entry)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the data sets of the benchmark.")
    parser.add_argument("--size", choices=[catalogue.QUICK, catalogue.FULL], required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--only", metavar="NAME", help="this data set and no other")
    options = parser.parse_args()
    folder = options.cache / options.size
    folder.mkdir(parents=True, exist_ok=True)
    families, raw = catalogue.families(options.size), catalogue.raw_ranges(options.size)
    names = [array.name for family in families for array in family.members] + [raw.name]
    if options.only not in (None, *names):
        parser.error(f"there is no data set {options.only}; there are {', '.join(names)}")

    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache = Cache(folder)

        def is_missing(data_set: ArraySet | RawSet) -> bool:
            return options.only in (None, data_set.name) and not cache.is_complete(data_set)

        for family in families:
            missing = [array for array in family.members if is_missing(array)]
            if missing:
                report(missing, lambda family=family, missing=missing: write_family(cache, family, missing))
        if is_missing(raw):
            report([raw], lambda: write_raw(cache, raw))


def report(data_sets: list[ArraySet] | list[RawSet], write: Callable[[], None]) -> None:
    """Says what is written and how long it took."""
    started = time.monotonic()
    write()
    names = ", ".join(data_set.name for data_set in data_sets)
    print(f"wrote {names} in {time.monotonic() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
