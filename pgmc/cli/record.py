"""What a run remembers of how it was made, beside the model: enough to measure and to report it again."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pgmc.errors import CheckpointError

RECORD, MODEL, HISTORY = "run.json", "model.pgmc", "history.csv"


@dataclass(frozen=True)
class RunRecord:
    """How a run was made.

    Attributes
    ----------
    command
        What repeats it.
    data
        What ``load_images`` was asked for.
    seed
        Of every part of it.
    training
        How it was trained, in words.
    settings
        Fields of ``Settings``.
    spec
        The Python that declares the model.
    """

    command: str
    data: str
    seed: int
    training: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    spec: str = ""

    def text(self) -> str:
        """The record as JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def read_record(folder: Path) -> RunRecord:
    """The record of a folder that ``pgmc train`` wrote.

    Raises
    ------
    CheckpointError
        If there is none, or it cannot be read.
    """
    path = folder / RECORD
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return RunRecord(**found)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{folder} is no folder of a run: {path.name} cannot be read ({error}).") from None


def read_history(folder: Path) -> dict[str, Any]:
    """The columns of the history of a run; none if the file is missing.

    Raises
    ------
    CheckpointError
        If the file is damaged.
    """
    path = folder / HISTORY
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        return {name: np.array([float(row[name]) for row in rows]) for name in (rows[0] if rows else {})}
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}.") from None
