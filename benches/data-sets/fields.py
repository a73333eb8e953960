"""The values of the data sets: each field is computed region by region from a fixed seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SEED = 20_261_123
WAVES = 6
# Width of the noise in kelvin: zstd-3 then makes chunks of 1 MB 2.8 times smaller, blosc-lz4 with shuffle 3.1.
NOISE = 1.0
# Steps of the rounding of temperatures: 1/64 K, finer than any station measures.
PER_KELVIN = 64
# What packed integers count from, in kelvin.
PACKED_OFFSET = 288

Field = Callable[[tuple[int, ...], tuple[int, ...]], np.ndarray]


def climate(latitudes: int, longitudes: int) -> Field:
    """A made-up near-surface temperature in kelvin (float32, time x latitude x longitude).

    Warm at the equator, seasons, waves that travel around the globe, noise at the precision of
    measurements, rounded to 1/64 K as archives do. zstd makes it two to three times smaller.
    """

    def region(origin: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
        time, row, column = (np.arange(at, at + length) for at, length in zip(origin, shape, strict=True))
        day = time / 4
        latitude = np.pi * (0.5 - row / (latitudes - 1))
        longitude = 2 * np.pi * column / longitudes
        number = np.arange(1, WAVES + 1)
        heights = 6 / number * np.sin(latitude[:, None] * (1 + number))
        season = np.cos(2 * np.pi * day / 365.25)
        noise = np.random.default_rng([SEED, *origin])
        values = np.empty(shape, np.float32)
        for step in range(shape[0]):
            waves = np.cos(
                number[:, None] * longitude - day[step] * (0.2 + 0.1 * number[:, None]) + number[:, None]
            )
            base = 253 + 48 * np.cos(latitude) ** 2 - 14 * season[step] * np.sin(latitude)
            smooth = base[:, None] + heights @ waves
            grain = noise.random(shape[1:], np.float32) - np.float32(0.5)
            exact = smooth.astype(np.float32) + np.float32(NOISE) * grain
            values[step] = np.rint(exact * PER_KELVIN) / PER_KELVIN
        return values

    return region


def packed(values: np.ndarray) -> np.ndarray:
    """Temperatures as int16: how many 1/64 K they are above 288 K. Exact."""
    return np.rint((values - PACKED_OFFSET) * PER_KELVIN).astype(np.int16)


def counted(values: np.ndarray) -> np.ndarray:
    """Temperatures as uint16: how many 1/64 K they are. Exact."""
    return np.rint(values * PER_KELVIN).astype(np.uint16)


def zarr_benchmarks(origin: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """The array of github.com/zarrs/zarr_benchmarks: (x + y*y/32 + z*z*z) mod 65536, whole numbers only."""
    z, y, x = (np.arange(at, at + length, dtype=np.uint64) for at, length in zip(origin, shape, strict=True))
    # Sums of uint16 wrap at 65536, which is the formula's remainder.
    planes = (z**3).astype(np.uint16)[:, None, None]
    rows = (y * y // 32).astype(np.uint16)[None, :, None]
    return planes + rows + x.astype(np.uint16)[None, None, :]


def random_bytes(number: int, length: int) -> bytes:
    """The content of the file with this number: nothing that a codec or a device could make smaller."""
    return np.random.default_rng([SEED, number]).bytes(length)
