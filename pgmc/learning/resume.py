"""Checkpoints of a running fit: one file per epoch in a directory, the last two kept, and an exact resume.

A fit that is resumed ends with the same bits as one that was never interrupted: the files hold the
coordinates of the parameters, the optimiser's and the objective's memory and the counters that key every
random draw.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import ArgumentError, CheckpointError
from pgmc.ir.model import Model
from pgmc.ir.serialise import model_to_data
from pgmc.learning.run_state import RunState
from pgmc.learning.tensorfile import parse_json, read_tensors, write_tensors

Array: TypeAlias = npt.NDArray[Any]

KIND = "run"
KEPT = 2
_FILE = re.compile(r"epoch-([0-9]{6})\.pgmc-run", re.ASCII)


@dataclass(frozen=True)
class RunFiles:
    """The checkpoints of one fit.

    ``fingerprint`` tells what the fit is about: model, data, objective, optimiser, batch size, seed,
    type. A fit is resumed only from checkpoints with the same one.
    """

    directory: Path
    fingerprint: Mapping[str, str]

    def save(self, state: RunState) -> None:
        """Write the checkpoint of the epoch just done, then remove all but the last two."""
        tensors = {
            f"{part}.{name}": array
            for part in ("values", "memory", "objective")
            for name, array in getattr(state, part).items()
        }
        columns = {f"history.{name}": np.asarray(column, np.float64) for name, column in state.history.items()}
        about = {"step": state.step, "epoch": state.epoch, "columns": list(state.history)}
        text = {"about": json.dumps(about), "fingerprint": json.dumps(dict(self.fingerprint), sort_keys=True)}
        write_tensors(self.directory / f"epoch-{state.epoch:06d}.pgmc-run", KIND, tensors | columns, text)
        for path in self._paths()[:-KEPT]:
            path.unlink(missing_ok=True)

    def load(self, start: RunState) -> RunState:
        """The last checkpoint that can be read, or ``start`` if there is none.

        Raises
        ------
        CheckpointError
            If the checkpoints belong to another fit, or none of them can be read.
        """
        paths = self._paths()
        for path in reversed(paths):
            try:
                tensors, text = read_tensors(path, KIND)
                self._check_fingerprint(path, text)
                return _restore(path, tensors, text, start)
            except _OtherFit:
                raise
            except CheckpointError as error:
                if path == paths[0]:
                    raise
                warnings.warn(f"{error} Falling back to the checkpoint before it.", UserWarning, stacklevel=4)
        return start

    def _paths(self) -> list[Path]:
        names = sorted(name for name in os.listdir(self.directory) if _FILE.fullmatch(name))
        return [self.directory / name for name in names]

    def _check_fingerprint(self, path: Path, text: Mapping[str, str]) -> None:
        found = parse_json(text.get("fingerprint", ""))
        wanted = dict(self.fingerprint)
        if found == wanted:
            return
        if not isinstance(found, dict):
            raise CheckpointError(f"{path}: it does not say which fit it belongs to.")
        differing = sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
        listed = "; ".join(f"{k}: {found.get(k)} there, {wanted.get(k)} here" for k in differing)
        raise _OtherFit(
            f"{path}: it belongs to another fit ({listed}). Give another directory, or remove the checkpoints."
        )


class _OtherFit(CheckpointError):
    """A checkpoint that is whole, of a fit with other settings: an older one is no better."""


def open_run(directory: str | os.PathLike[str], fingerprint: Mapping[str, str]) -> RunFiles:
    """The checkpoints in a directory, which is made if there is none.

    Raises
    ------
    ArgumentError
        If the path is there and not a directory.
    """
    path = Path(directory)
    if path.exists() and not path.is_dir():
        raise ArgumentError(f"checkpoint={os.fspath(directory)!r} must be a directory, and it is a file.")
    path.mkdir(parents=True, exist_ok=True)
    return RunFiles(path, fingerprint)


def describe_model(model: Model) -> str:
    """A digest of the specification and its arrays."""
    data, arrays = model_to_data(model)
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode())
    return _digest_arrays(arrays, digest)


def describe_arrays(arrays: Mapping[str, Array]) -> str:
    """A digest of named arrays."""
    return _digest_arrays(arrays, hashlib.sha256())


def _digest_arrays(arrays: Mapping[str, Array], digest: Any) -> str:
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.data)
    return str(digest.hexdigest()[:16])


def describe_setting(setting: object) -> str:
    """The text of a settings object, without the address at which a function happens to lie."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(setting))


def _restore(path: Path, tensors: Mapping[str, Array], text: Mapping[str, str], start: RunState) -> RunState:
    about = parse_json(text.get("about", ""))
    parts = {
        part: {n[len(part) + 1 :]: a for n, a in tensors.items() if n.startswith(f"{part}.")}
        for part in ("values", "memory", "objective", "history")
    }
    for part in ("values", "memory", "objective"):
        expected = {n: (a.shape, a.dtype) for n, a in getattr(start, part).items()}
        if {n: (a.shape, a.dtype) for n, a in parts[part].items()} != expected:
            raise CheckpointError(f"{path}: its arrays are not those of this fit.")
    if not isinstance(about, dict) or set(about) != {"step", "epoch", "columns"}:
        raise CheckpointError(f"{path}: it does not say how far the fit was.")
    step, epoch, columns = about["step"], about["epoch"], about["columns"]
    if type(step) is not int or type(epoch) is not int or not isinstance(columns, list):
        raise CheckpointError(f"{path}: it does not say how far the fit was.")
    if set(columns) != set(parts["history"]) or any(len(c) != epoch for c in parts["history"].values()):
        raise CheckpointError(f"{path}: its history does not fit its epoch.")
    history = parts["history"]
    rows = [
        {str(name): float(history[name][k]) for name in columns if not np.isnan(history[name][k])} for k in range(epoch)
    ]
    return RunState(parts["values"], parts["memory"], parts["objective"], step, epoch, rows)
