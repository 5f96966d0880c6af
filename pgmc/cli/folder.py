"""A folder that appears when it is complete, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pgmc.errors import ArgumentError


def check_replaceable(path: Path, names: Collection[str]) -> None:
    """Refuse a place where there is something else than an earlier run.

    Parameters
    ----------
    path
        The folder to come.
    names
        The files that a run writes.

    Raises
    ------
    ArgumentError
        If there is a file, or a folder that holds anything else than these files.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        raise ArgumentError(f"{path} is in the way: it is no folder. Choose another --out.")
    others = sorted(entry.name for entry in path.iterdir() if entry.name not in names)
    if others:
        raise ArgumentError(f"{path} holds {others[0]}, which no run wrote. Choose another --out.")


@contextmanager
def complete_folder(path: Path, names: Collection[str]) -> Iterator[Path]:
    """A new folder to write into, put in the place of ``path`` at the end; removed if writing it fails.

    Raises
    ------
    ArgumentError
        As ``check_replaceable``, or if no folder can be made there.
    """
    check_replaceable(path, names)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written: {error.strerror}. Choose another --out.") from None
    try:
        new, old = staging / "new", staging / "old"
        new.mkdir()
        yield new
        check_replaceable(path, names)
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
