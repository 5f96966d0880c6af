"""The compile cache: one folder for each kernel, complete and checked, or not there at all.

An entry holds ``kernel.py`` (the generated source), ``kernel.json`` (how to call it), the binaries that Numba
wrote in ``__pycache__``, and ``files.json``, the SHA-256 of each of these. It is made in a temporary folder beside
the others and renamed into place when it is complete, so another process sees all of it or nothing, and of two
processes that compile the same kernel the second keeps the entry of the first.

Binaries are code and, being pickles, can run code when read. They are left to Numba inside the cache directory,
and what protects them is the directory: it is created for its owner alone (mode 0700), and refused if it is a
symbolic link, belongs to someone else, or can be written by others. The hashes guard against accidents, not
against someone who can write there.

Nothing here is needed to work: a cache that cannot be used costs one ``CacheWarning``, and kernels are then
compiled in memory. ``PGMC_CACHE_DIR`` names another directory; ``PGMC_CACHE=off`` turns the cache off.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pgmc.errors import CacheWarning
from pgmc.ir.signatures import Argument, KernelModule, Result, Role

MAX_BYTES = 512 * 2**20
"""Size of all entries together, above which those not used for the longest time are removed."""

STALE_SECONDS = 3600.0
"""Age at which a temporary folder must have been left by a process that died."""

SOURCE, FIELDS, FILES = "kernel.py", "kernel.json", "files.json"
_TEMPORARY = "tmp-"


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified entry: the kernel, and the folder its source can be imported from."""

    module: KernelModule
    folder: Path


class Cache:
    """Compiled kernels in a directory; ``None`` for none.

    Parameters
    ----------
    directory
        Where entries are kept. Created, for the owner alone, when first needed.
    max_bytes
        Size of all entries together.
    """

    def __init__(self, directory: Path | None, *, max_bytes: int = MAX_BYTES) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.loaded: dict[str, tuple[KernelModule, Callable[..., None]]] = {}
        self.lock = threading.RLock()
        self._warned: set[str] = set()

    def fetch(self, key: str) -> Entry | None:
        """The entry of that key, or None if there is none that is whole and unchanged."""
        if self.directory is None or not os.path.lexists(self.directory / key):
            return None
        folder = self.directory / key
        try:
            _check_secure(self.directory)
        except OSError as error:
            self.unusable(error)
            return None
        try:
            module = _read_entry(folder)
            os.utime(folder)  # the time of last use, for eviction
        except Exception as error:  # whatever a damaged file may cause: the kernel is built again
            if os.path.lexists(folder):  # if not, another process has just evicted it
                self.reject(key, error)
            return None
        return Entry(module, folder)

    def reject(self, key: str, reason: Exception) -> None:
        """Removes an entry that cannot be used."""
        text = f"{type(reason).__name__}: {reason}"
        self.warn("damaged", f"An entry of the compile cache is damaged ({text}); the kernel is compiled again.")
        if self.directory is not None:
            _remove(self.directory / key)

    @contextmanager
    def staging(self) -> Iterator[Path | None]:
        """A new folder in which to make an entry, removed at the end if unpublished; None if that is impossible."""
        folder = None
        if self.directory is not None:
            try:
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                _check_secure(self.directory)
                folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=self.directory))
            except OSError as error:
                self.unusable(error)
        try:
            yield folder
        finally:
            if folder is not None:
                _remove(folder)

    def publish(self, key: str, folder: Path) -> None:
        """Puts a complete folder of ``staging`` in its place and keeps the directory within its size."""
        if self.directory is None:
            return
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        sums = {path.relative_to(folder).as_posix(): _sha256(path.read_bytes()) for path in files}
        write_file(folder / FILES, json.dumps(sums))
        for path in files:
            _sync(path)
        with suppress(OSError):  # the place is taken: another process was faster, and its entry is as good
            os.rename(folder, self.directory / key)
        self._evict()

    def clear(self) -> None:
        """Removes every entry."""
        for folder in self._folders():
            _remove(folder)
        self.loaded.clear()

    def size(self) -> int:
        """Bytes that the entries take."""
        return sum(map(_folder_size, self._folders()))

    def unusable(self, error: Exception) -> None:
        """Says, once, that kernels are compiled in memory."""
        self.warn(
            "unusable",
            f"The compile cache {self.directory} cannot be used ({error}); kernels are compiled in memory. "
            "Set PGMC_CACHE_DIR to a directory of your own, or PGMC_CACHE=off.",
        )

    def warn(self, kind: str, message: str) -> None:
        """A ``CacheWarning``, the first time something of this kind happens."""
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(message, CacheWarning, stacklevel=2)

    def _folders(self) -> list[Path]:
        try:
            return [] if self.directory is None else [p for p in self.directory.iterdir() if p.is_dir()]
        except OSError:
            return []

    def _evict(self) -> None:
        """Removes what dead processes left, then the entries unused for the longest time."""
        entries = []
        for folder in self._folders():
            with suppress(OSError):  # another process may remove it meanwhile
                used = folder.stat().st_mtime
                if not folder.name.startswith(_TEMPORARY):
                    entries.append((used, folder, _folder_size(folder)))
                elif used < time.time() - STALE_SECONDS:
                    _remove(folder)
        excess = sum(size for _, _, size in entries) - self.max_bytes
        for _, folder, size in sorted(entries):
            if excess <= 0:
                break
            _remove(folder)
            excess -= size


def default_cache() -> Cache:
    """The cache that the environment variables name."""
    return _cache_of(os.environ.get("PGMC_CACHE", ""), os.environ.get("PGMC_CACHE_DIR", ""))


@cache
def _cache_of(switch: str, directory: str) -> Cache:
    if switch.lower() == "off":
        return Cache(None)
    if directory:
        return Cache(Path(directory).absolute())
    try:
        return Cache(_platform_directory() / "pgmc")
    except RuntimeError as error:  # no home directory
        homeless = Cache(None)
        homeless.unusable(error)
        return homeless


def _platform_directory() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    configured = os.environ.get("XDG_CACHE_HOME", "")
    return Path(configured) if os.path.isabs(configured) else Path.home() / ".cache"


def _check_secure(directory: Path) -> None:
    """Raises PermissionError unless the directory is ours alone to write."""
    status = os.lstat(directory)
    if stat.S_ISLNK(status.st_mode):
        raise PermissionError("it is a symbolic link")
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError("it is not a directory")
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid != os.geteuid():
        raise PermissionError("it belongs to another user")
    if status.st_mode & 0o022:
        raise PermissionError("others can write in it: chmod 700 would make it safe")


def write_entry(folder: Path, module: KernelModule) -> None:
    """Writes source and fields. Numba recognises a source by its size and time of change, so the time is fixed."""
    write_file(folder / SOURCE, module.source)
    os.utime(folder / SOURCE, (1_000_000_000, 1_000_000_000))
    fields = {name: value for name, value in asdict(module).items() if name != "source"}
    write_file(folder / FIELDS, json.dumps(fields, default=lambda role: role.value))


def _read_entry(folder: Path) -> KernelModule:
    """The kernel of a folder in which every file is as it was published."""
    sums = json.loads((folder / FILES).read_bytes())
    contents: dict[str, bytes] = {}
    for name, expected in sums.items():
        content = contents[name] = (folder / name).read_bytes()
        if _sha256(content) != expected:
            raise ValueError(f"{name} has changed")
    fields: Mapping[str, Any] = json.loads(contents[FIELDS])
    return KernelModule(
        name=fields["name"],
        kind=fields["kind"],
        source=contents[SOURCE].decode(),
        arguments=tuple(Argument(**{**a, "role": Role(a["role"])}) for a in fields["arguments"]),
        results=tuple(
            Result(**{**r, "axes": tuple((str(name), int(axis)) for name, axis in r["axes"])})
            for r in fields["results"]
        ),
    )


def write_file(path: Path, text: str) -> None:
    """Writes a file of the entry."""
    path.write_bytes(text.encode())


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _folder_size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total


def _remove(path: Path) -> None:
    """Removes a folder, or what stands in its place, as far as that is possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
