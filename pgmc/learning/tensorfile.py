"""Files of named arrays and text in the safetensors format: written atomically, read with suspicion.

No pickle is involved. The header is parsed here, strictly, before a single array is allocated, and a
SHA-256 digest of everything guards against files that are damaged but well formed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import CheckpointError

Array: TypeAlias = npt.NDArray[Any]

MAX_HEADER = 1 << 20
FORMAT_VERSION = 1

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "BOOL": np.dtype("?"),
}
_NAME = re.compile(r"[A-Za-z0-9_.]{1,256}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,6}", re.ASCII)


# ---- writing ---------------------------------------------------------------------------------------------


def write_tensors(
    path: str | os.PathLike[str], kind: str, tensors: Mapping[str, Array], text: Mapping[str, str]
) -> None:
    """Write arrays and texts, or leave what is there untouched.

    The bytes go to a temporary file in the same directory, which takes the place of ``path`` only when
    all of it has reached the disk.

    Raises
    ------
    CheckpointError
        If an array has another type than float32, float64, int64 or bool, or the texts exceed 1 MiB.
    OSError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    # safetensors writes the buffer of an array as it lies in memory: strided arrays would be corrupted
    # silently.
    plain = {name: _plain(name, array) for name, array in tensors.items()}
    metadata = {**text, "pgmc_kind": kind, "pgmc_version": str(FORMAT_VERSION)}
    metadata["pgmc_sha256"] = _digest(metadata, plain)
    content = _in_order(save(plain, metadata))
    if int.from_bytes(content[:8], "little") > MAX_HEADER:
        raise CheckpointError(
            f"{os.fspath(path)}: the description of the model exceeds {MAX_HEADER} bytes and would not be read back."
        )
    write_atomically(Path(path), content)


def _in_order(content: bytes) -> bytes:
    """The same file with the texts of its header in alphabetical order: safetensors writes them in a random one."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    written = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    written += b" " * (-len(written) % 8)  # arrays stay aligned
    return len(written).to_bytes(8, "little") + written + content[start:]


def _plain(name: str, array: Array) -> Array:
    value = np.asarray(array)
    plain = np.array(value, dtype=value.dtype.newbyteorder("<"), order="C", copy=True)
    if plain.dtype not in DTYPES.values():
        raise CheckpointError(f"{name}: arrays of type {plain.dtype} cannot be saved.")
    return plain


def write_atomically(path: Path, content: bytes) -> None:
    """Put the content under the path such that a crash leaves the old file or the new one, never a mixture."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Make the new directory entry last; systems without directories that can be opened do so by themselves."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(metadata: Mapping[str, str], tensors: Mapping[str, Array]) -> str:
    head = {k: v for k, v in metadata.items() if k != "pgmc_sha256"}
    shapes = {name: [array.dtype.str, list(array.shape)] for name, array in tensors.items()}
    digest = hashlib.sha256(json.dumps([head, shapes], sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return digest.hexdigest()


# ---- reading ---------------------------------------------------------------------------------------------


def read_tensors(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and texts of a file that ``write_tensors`` wrote.

    Raises
    ------
    CheckpointError
        If there is no such file, it is not a regular file (links are not followed), or it is not exactly what
        ``write_tensors`` writes: truncated, damaged, of another kind or of a later version.
    """
    try:
        with _open(path) as file:
            return _read(file, kind)
    except CheckpointError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from None
    except (OSError, ValueError, RecursionError, OverflowError) as error:
        raise CheckpointError(f"{os.fspath(path)}: it cannot be read: {error}") from error


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    # Not following links and not blocking on pipes: a path that an attacker prepared must lead to a plain
    # file.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CheckpointError("it is not a regular file.")
    return os.fdopen(descriptor, "rb")


def _read(file: BinaryIO, kind: str) -> tuple[dict[str, Array], dict[str, str]]:
    length = os.fstat(file.fileno()).st_size
    size = int.from_bytes(file.read(8), "little")
    if length < 8 or size > MAX_HEADER or size > length - 8:
        raise CheckpointError("it is no pgmc file: the length of its header is impossible.")
    header = _parse(file.read(size))
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise CheckpointError("it is no pgmc file: its header has no texts.")
    _check_kind(metadata, kind)
    layout = _check_layout(header, length - 8 - size)
    tensors = {name: _read_array(file, *layout[name]) for name in layout}
    if metadata.pop("pgmc_sha256", None) != _digest(metadata, tensors):
        raise CheckpointError("it is damaged: its digest does not match its content.")
    return tensors, {k: v for k, v in metadata.items() if not k.startswith("pgmc_")}


def _parse(text: bytes) -> dict[str, Any]:
    header = parse_json(text.decode("utf-8"))
    if not isinstance(header, dict):
        raise CheckpointError("it is no pgmc file: its header is not an object.")
    return header


def parse_json(text: str) -> Any:
    """JSON, with repeated keys and numbers that are not finite refused.

    Raises
    ------
    CheckpointError
        If it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"its header is not valid JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    items = dict(pairs)
    if len(items) != len(pairs):
        raise CheckpointError("its header names something twice.")
    return items


def _refuse_constant(name: str) -> None:
    raise CheckpointError(f"its header holds {name}.")


def _check_kind(metadata: Mapping[str, str], kind: str) -> None:
    version = metadata.get("pgmc_version", "")
    if _VERSION.fullmatch(version) is None:
        raise CheckpointError("it is no pgmc file: it has no format version.")
    if int(version) > FORMAT_VERSION:
        raise CheckpointError(
            f"it has format version {int(version)}, written by a later pgmc; this one reads up to {FORMAT_VERSION}. "
            "Upgrade pgmc."
        )
    if metadata.get("pgmc_kind") != kind:
        raise CheckpointError(f"it does not hold a {kind}.")


def _check_layout(header: Mapping[str, Any], length: int) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """Type and shape of each array in the order of the file, where they fill it without gap, overlap or rest."""
    entries: list[tuple[int, int, str, np.dtype[Any], tuple[int, ...]]] = []
    for name, entry in header.items():
        if _NAME.fullmatch(name) is None:
            raise CheckpointError("the name of an array is not allowed.")
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise CheckpointError(f"array {name}: its description is not complete.")
        shape, offsets = entry["shape"], entry["data_offsets"]
        if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
            raise CheckpointError(f"array {name}: its type is not allowed.")
        if not _naturals(shape) or len(shape) > 32 or not _naturals(offsets) or len(offsets) != 2:
            raise CheckpointError(f"array {name}: its shape or its place is not valid.")
        entries.append((offsets[0], offsets[1], name, DTYPES[entry["dtype"]], tuple(shape)))
    place = 0
    for begin, end, name, dtype, shape in sorted(entries, key=lambda entry: entry[:3]):
        if begin != place or end - begin != math.prod(shape) * dtype.itemsize or end > length:
            raise CheckpointError(f"array {name}: its place in the file does not fit its shape.")
        place = end
    if place != length:
        raise CheckpointError("its length does not fit its header: it is truncated, or has something appended.")
    return {name: (dtype, shape) for _, _, name, dtype, shape in sorted(entries, key=lambda entry: entry[:3])}


def _naturals(item: Any) -> bool:
    return isinstance(item, list) and all(type(k) is int and 0 <= k < 2**62 for k in item)


def _read_array(file: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    size = math.prod(shape) * dtype.itemsize
    content = file.read(size)
    if len(content) != size:
        raise CheckpointError("it ends too early.")
    if dtype.kind == "b" and any(byte > 1 for byte in set(content)):
        raise CheckpointError("a boolean array holds other numbers than 0 and 1.")
    return np.frombuffer(content, dtype=dtype).astype(dtype.newbyteorder("=")).reshape(shape)
