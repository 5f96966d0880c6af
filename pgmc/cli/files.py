"""A user's own data: arrays in ``.npy``, ``.npz`` and ``.csv`` files."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError

Array: TypeAlias = npt.NDArray[Any]

SUFFIXES = (".npy", ".npz", ".csv")
NAMES = ("data", "x", "X", "images", "train")
"""What the array of examples may be called in an ``.npz`` file that holds several."""

LABELS = ("labels", "y", "target")


def is_data_file(name: str) -> bool:
    """Whether the command line means a file, not packaged data."""
    return Path(name).suffix in SUFFIXES


def read_examples(path: Path) -> tuple[Array, Array, tuple[int, int]]:
    """The examples ``(n, pixels)`` in [0, 1], their classes ``(n,)`` (zeros if there are none), rows and columns.

    Examples are ``(n, pixels)`` or ``(n, rows, columns)``; a square number of pixels is taken for a square image.

    Raises
    ------
    ArgumentError
        If the file cannot be read, or its numbers are not in [0, 1]; the message names the first bad one.
    """
    try:
        values, labels = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}[path.suffix](path)
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path} cannot be read: {error}.") from None
    if values.ndim not in (2, 3) or not values.size:
        raise ArgumentError(f"{path}: examples must be (n, pixels) or (n, rows, columns), not {values.shape}.")
    shape = values.shape[1:] if values.ndim == 3 else _shape(values.shape[1])
    flat = _check_range(path, values.reshape(len(values), -1))
    if labels is None:
        labels = np.zeros(len(flat), dtype=np.int64)
    if labels.shape != (len(flat),):
        raise ArgumentError(f"{path}: {len(flat)} examples, but labels of shape {labels.shape}.")
    return flat, labels.astype(np.int64), (int(shape[0]), int(shape[1]))


def _read_npy(path: Path) -> tuple[Array, None]:
    return np.load(path, allow_pickle=False), None


def _read_npz(path: Path) -> tuple[Array, Array | None]:
    with np.load(path, allow_pickle=False) as file:
        found = [name for name in file.files if name in NAMES] or [n for n in file.files if n not in LABELS]
        if len(found) != 1:
            raise ValueError(f"it holds {', '.join(file.files)}; call the examples data and their classes labels")
        labels = next((file[name] for name in LABELS if name in file.files), None)
        return file[found[0]], labels


def _read_csv(path: Path) -> tuple[Array, Array | None]:
    """One example a line; a first line of names is allowed, and a column ``labels``."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    if not rows:
        raise ValueError("it is empty")
    header = [name.strip() for name in rows[0]] if not _is_number(rows[0][0]) else []
    if uneven := [k for k, row in enumerate(rows) if len(row) != len(rows[0])]:
        raise ValueError(f"line {uneven[0] + 1} has {len(rows[uneven[0]])} columns, the first one {len(rows[0])}")
    values = np.array([[float(cell) for cell in row] for row in rows[bool(header) :]])
    column = next((k for k, name in enumerate(header) if name in LABELS), None)
    if column is None:
        return values, None
    return np.delete(values, column, axis=1), values[:, column]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shape(pixels: int) -> tuple[int, int]:
    side = math.isqrt(pixels)
    return (side, side) if side * side == pixels else (1, pixels)


def _check_range(path: Path, values: Array) -> Array:
    if values.dtype.kind not in "biuf":
        raise ArgumentError(f"{path}: examples are numbers, not {values.dtype}.")
    numbers = values.astype(np.float64)
    bad = np.argwhere(~((numbers >= 0) & (numbers <= 1)))
    if len(bad):
        row, column = bad[0]
        raise ArgumentError(
            f"{path}: example {row} has {numbers[row, column]:g} in column {column}. Numbers must lie in [0, 1]; "
            "divide grey levels by their maximum."
        )
    return numbers
