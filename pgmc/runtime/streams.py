"""Counter-based random numbers: streams, and the law of the generated samplers in NumPy.

A number is a pure function of (stream, chain, sweep, site): nothing depends on the number of chains, on the
order of work, or on what was drawn before. ``pgmc.codegen.prelude`` has the same law for generated code, and the
reference for the mixing function.
"""

from __future__ import annotations

import hashlib
import math
import operator
import secrets
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError

Words: TypeAlias = npt.NDArray[np.uint64]
Array: TypeAlias = npt.NDArray[Any]

_STEP = 0x9E3779B97F4A7C15
_GRID_BITS = {"float32": 24, "float64": 53}


def check_seed(seed: int | None) -> int:
    """The seed itself, or one drawn from the operating system if it is None.

    Raises
    ------
    ArgumentError
        If it is not an integer in [0, 2^64).
    """
    if seed is None:
        return secrets.randbits(64)
    try:
        value = operator.index(seed)
    except TypeError:
        value = -1
    if isinstance(seed, bool | np.bool_) or not 0 <= value < 2**64:
        raise ArgumentError(f"seed={seed!r}: expected an integer from 0 to 2**64 - 1, or None for a fresh one.")
    return value


@dataclass(frozen=True, slots=True, init=False)
class Stream:
    """Random numbers for one purpose.

    Two streams of different seeds or purposes share no numbers: the key is a hash of both.

    Parameters
    ----------
    seed
        An integer in [0, 2^64), or None for one drawn from the operating system; ``Stream.seed`` tells it.
    purpose
        What the numbers are for.
    """

    seed: int
    purpose: str
    key: tuple[int, int] = field(repr=False)

    def __init__(self, seed: int | None, purpose: str) -> None:
        checked = check_seed(seed)
        object.__setattr__(self, "seed", checked)
        object.__setattr__(self, "purpose", purpose)
        object.__setattr__(self, "key", _hash_key(checked, purpose))

    def child(self, name: str) -> Stream:
        """The stream of a part of this purpose."""
        return Stream(self.seed, f"{self.purpose}/{name}")

    def generator(self) -> np.random.Generator:
        """NumPy's generator for work on the host, such as shuffling; independent of what kernels draw."""
        key = np.array(_hash_key(self.seed, f"{self.purpose}/generator"), dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))


def _hash_key(seed: int, purpose: str) -> tuple[int, int]:
    digest = hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=16, person=b"pgmc stream").digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


# ---- the law of generated samplers -----------------------------------------------------------------------


def _mix(z: Words) -> Words:
    """A bijection of 64-bit words in which every input bit moves every output bit."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def row_keys(key: tuple[int, int], chains: Array, sweep: int) -> tuple[Words, Words]:
    """The keys (r0, r1) of the chains in one sweep."""
    chain_steps = np.atleast_1d(chains).astype(np.uint64) * np.uint64(_STEP)
    halves = np.array([(half + sweep * _STEP) % 2**64 for half in key], dtype=np.uint64)
    r0, r1 = (_mix(half + chain_steps) for half in _mix(halves))
    return r0, r1


def random_words(key: tuple[int, int], chains: Array, sweep: int, sites: Array) -> Words:
    """64 random bits for each chain and each unit, shape ``(chains, sites)``."""
    return unit_words(*row_keys(key, chains, sweep), sites)


def unit_words(r0: Words, r1: Words, sites: Array) -> Words:
    """64 random bits for each chain, of those row keys, and each unit."""
    z = r0[:, None] + np.atleast_1d(sites).astype(np.uint64) * np.uint64(_STEP)
    z = ((z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)) ^ r1[:, None]
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def uniforms(words: Words, dtype: str = "float64") -> Array:
    """Uniform numbers in (0, 1): odd multiples of 2^-24 or 2^-53, as float64."""
    bits = _GRID_BITS[dtype]
    return ((words >> np.uint64(64 - bits)) | np.uint64(1)).astype(np.float64) * 2.0**-bits


def draw_on(logits: Array, words: Words, dtype: str) -> npt.NDArray[np.bool_]:
    """True with probability sigmoid(logits)."""
    size = 2.0 ** _GRID_BITS[dtype]
    u = uniforms(words, dtype) * size
    with np.errstate(over="ignore"):
        return np.asarray(u + u * np.exp(-logits.astype(np.float64)) < size)


def unit_normals(key: tuple[int, int], chains: Array, sweep: int, sites: Array, dtype: str) -> Array:
    """Normal numbers of mean 0 and variance 1 for each chain and each unit, shape ``(chains, sites)``, as float64.

    By Box and Muller: sqrt(-2 log u) · sin(π a) with u uniform in (0, 1) and a in [-1/2, 1/2). In float32 programs one
    word gives both, 31 bits and 32 bits; in float64 programs a has a word of its own, of the keys exchanged.
    """
    return row_normals(row_keys(key, chains, sweep), sites, dtype)


def row_normals(row: tuple[Words, Words], sites: Array, dtype: str) -> Array:
    """The same from the row keys of the chains."""
    r0, r1 = row
    words = unit_words(r0, r1, sites)
    if dtype == "float32":
        u = ((words & np.uint64(0x7FFFFFFF)) | np.uint64(1)).astype(np.float64) * 2.0**-31
        angle = (words.view(np.int64) >> np.int64(32)).astype(np.float64) * 2.0**-32
    else:
        u = uniforms(words)
        angle = (unit_words(r1, r0, sites).view(np.int64) >> np.int64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(np.sqrt(-2.0 * np.log(u)) * np.sin(np.pi * angle))


def draw_joint_normal(field: Array, precision: Array, normals: Array) -> Array:
    """Rows of the density exp(field · x - ½ x · precision · x): ``(n, size)`` from ``(n, size)`` normal numbers.

    With precision = UᵀU, U upper triangular, x = U⁻¹ (U⁻ᵀ field + z). NaN where the precision is not positive definite.
    """
    drawn = np.full(field.shape, np.nan)
    for n, (pull, matrix, z) in enumerate(zip(field, precision, normals, strict=True)):
        try:
            lower = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            continue
        drawn[n] = np.linalg.solve(lower.T, np.linalg.solve(lower, pull) + z)
    return drawn


ATTEMPTS = 128
"""Most proposals of a draw by rejection; more than 30 % are accepted."""


def draw_gamma(row: tuple[Words, Words], sites: Array, shape: Array, rate: Array) -> Array:
    """Gamma numbers by the method of Marsaglia and Tsang, ``(chains, sites)``; NaN unless both are positive.

    ``row`` are the keys of the chains in the sweep, ``shape`` and ``rate`` are ``(chains, sites)``.
    """
    shape, rate = np.broadcast_arrays(shape, rate)
    d = np.where(shape >= 1.0, shape, shape + 1.0) - 1.0 / 3.0
    value, left = d.copy(), np.ones(d.shape, dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        for attempt in range(1, ATTEMPTS + 1):
            z = _wide_normals(*draw_keys(row, 2 * attempt), sites)
            u = uniforms(unit_words(*draw_keys(row, 2 * attempt + 1), sites))
            v = (1.0 + z / np.sqrt(9.0 * d)) ** 3
            taken = left & (v > 0.0) & (np.log(u) < 0.5 * z * z + d - d * v + d * np.log(v))
            value, left = np.where(taken, d * v, value), left & ~taken
            if not left.any():
                break
        small = uniforms(unit_words(*row, sites)) ** (1.0 / shape)
        drawn = np.maximum(np.where(shape < 1.0, value * small, value) / rate, 1e-37)
    return np.where((shape > 0.0) & (rate > 0.0), drawn, np.nan)


def draw_truncated_normal(row: tuple[Words, Words], sites: Array, mean: Array, precision: Array) -> Array:
    """Normal numbers above 0, ``(chains, sites)``, by rejection from normal or exponential ones; NaN as above."""
    mean, precision = np.broadcast_arrays(mean, precision)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = -mean * np.sqrt(precision)
        alpha = 0.5 * (low + np.sqrt(low * low + 4.0))
        above, left = np.zeros(low.shape), np.ones(low.shape, dtype=bool)
        for attempt in range(1, ATTEMPTS + 1):
            first, second = (draw_keys(row, 2 * attempt + k) for k in range(2))
            near = _wide_normals(*first, sites) - low
            far = -np.log(uniforms(unit_words(*first, sites))) / alpha
            accepted = np.log(uniforms(unit_words(*second, sites))) < -0.5 * (low + far - alpha) ** 2
            taken = left & np.where(low < 0.45, near > 0.0, accepted)
            above, left = np.where(taken, np.where(low < 0.45, near, far), above), left & ~taken
            if not left.any():
                break
        return np.where(precision > 0.0, np.maximum(above / np.sqrt(precision), 1e-37), np.nan)


def draw_keys(row: tuple[Words, Words], draw: int) -> tuple[Words, Words]:
    """The row keys of another draw of the same units."""
    step = np.uint64(draw * _STEP % 2**64)
    return _mix(row[0] + step), _mix(row[1] + step)


def _wide_normals(r0: Words, r1: Words, sites: Array) -> Array:
    angle = (unit_words(r1, r0, sites).view(np.int64) >> np.int64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(np.sqrt(-2.0 * np.log(uniforms(unit_words(r0, r1, sites)))) * np.sin(np.pi * angle))


def draw_codes(logits: Array, words: Words) -> npt.NDArray[np.int64]:
    """State k with probability proportional to exp(logits[..., k])."""
    top = logits.max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        weights = np.where(logits == top, 1.0, np.exp(logits - top))
    running = np.cumsum(weights, axis=-1)
    above = running > (uniforms(words) * running[..., -1])[..., None]
    last = weights.shape[-1] - 1 - np.argmax(weights[..., ::-1] > 0, axis=-1)
    return np.asarray(np.where(above.any(axis=-1), above.argmax(axis=-1), last))


def draw_exclusive(logits: Array, words: Words) -> npt.NDArray[np.bool_]:
    """At most one true along the last axis: number k with probability exp(logits[..., k]) / (1 + Σ exp(logits))."""
    off = np.zeros((*logits.shape[:-1], 1))
    codes = draw_codes(np.concatenate([off, logits.astype(np.float64)], axis=-1), words)
    return np.asarray(codes[..., None] == 1 + np.arange(logits.shape[-1]))


def draw_multinomial(logits: Array, totals: Array, words: Words) -> npt.NDArray[np.int64]:
    """Counts along the last axis: ``totals`` draws of place k with probability proportional to exp(logits[..., k]).

    Draw d takes the word d steps after the first of the group, as a splitmix64 stream that starts there.
    """
    top = logits.max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        weights = np.where(logits == top, 1.0, np.exp(logits - top))
    running = np.cumsum(weights, axis=-1)
    last = weights.shape[-1] - 1 - np.argmax(weights[..., ::-1] > 0, axis=-1)
    counts = np.zeros(logits.shape, dtype=np.int64)
    for draw in range(int(np.max(totals, initial=0))):
        threshold = uniforms(_mix(words + np.uint64(draw * _STEP % 2**64))) * running[..., -1]
        above = running > threshold[..., None]
        place = np.where(above.any(axis=-1), above.argmax(axis=-1), last)
        counts += (place[..., None] == np.arange(logits.shape[-1])) & (draw < totals)[..., None]
    return counts


def draw_poisson(log_rates: Array, words: Words) -> npt.NDArray[np.int64]:
    """Counts k with probability proportional to exp(log_rate · k) / k!, by inversion from the mode outwards."""
    draw = np.vectorize(_invert_poisson, otypes=[np.int64])
    return np.asarray(draw(log_rates.astype(np.float64), uniforms(words)), dtype=np.int64)


def _invert_poisson(log_rate: float, u: float) -> int:
    """The count at which the probabilities, added up in the order mode, mode + 1, mode - 1, …, exceed u."""
    rate = math.exp(log_rate)
    up = down = mode = int(rate)
    above = below = math.exp(mode * log_rate - rate - math.lgamma(mode + 1.0)) if mode else math.exp(-rate)
    left = u - above
    while left >= 0.0 and (above > 0.0 or below > 0.0):
        up += 1
        above *= rate / up
        left -= above
        if left < 0.0:
            return up
        below *= down / rate if down > 0 else 0.0
        down -= 1
        left -= below
        if left < 0.0:
            return down
    return mode
