"""The specifications that the command line can find: those of ``pgmc_models`` and files of the user's own."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError

OPTIONS = (
    *("epochs", "learning_rate", "gibbs_steps", "batch_size", "chains", "weight_decay", "annealing_steps"),
    *("annealing_chains", "seed", "threads", "out", "write", "latex", "source", "trace", "steps", "html", "diagram"),
    "numpy",
)
"""Options of the commands that take sizes, for suggestions: what is no option of theirs is taken for a size."""


def suggest(word: str, known: Iterable[str]) -> str:
    """`` Did you mean …?`` with the nearest of the known words, if one is near."""
    near = get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


@dataclass(frozen=True)
class Spec:
    """A specification: a function of sizes that returns a model.

    Attributes
    ----------
    name
        The name of its file.
    summary
        The first line of its description.
    build
        The function.
    sizes
        Its parameters, with their default values.
    source
        The Python of its file.
    """

    name: str
    summary: str
    build: Callable[..., Model]
    sizes: dict[str, int]
    source: str = ""

    def model(self, **sizes: int) -> Model:
        """The model of these sizes.

        Raises
        ------
        ArgumentError
            If the specification has no size of that name, or a size is below 1.
        """
        for name, size in sizes.items():
            if name not in self.sizes:
                option = f"--{name.replace('_', '-')}"
                near = suggest(option, [f"--{known.replace('_', '-')}" for known in (*self.sizes, *OPTIONS)])
                raise ArgumentError(
                    f"{self.name} has no size {name!r}, and {option} is no option.{near} Its sizes are "
                    f"{', '.join(self.sizes)}."
                )
            if size < 1:
                raise ArgumentError(f"--{name} must be at least 1, got {size}.")
        return self.build(**sizes)


def list_names() -> list[str]:
    """The names of the catalogue, in alphabetical order."""
    package = importlib.import_module("pgmc_models")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def find_spec(name: str) -> Spec:
    """The specification of that name, or in that file.

    Raises
    ------
    ArgumentError
        If there is none, or it has no function ``model`` whose parameters all have defaults.
    """
    if name.endswith(".py"):
        return _read_spec(_import_file(Path(name)), Path(name).stem)
    known = list_names()
    if name not in known:
        hint = suggest(name, known)
        raise ArgumentError(
            f"There is no model {name!r}.{hint} `pgmc models` lists them; a file of your own ends in .py."
        )
    return _read_spec(importlib.import_module(f"pgmc_models.{name}"), name)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # the name ends in .py
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read_spec(module: ModuleType, name: str) -> Spec:
    build = getattr(module, "model", None)
    if not callable(build):
        raise ArgumentError(f"{name}: a specification is a function model(**sizes) that returns a pgmc.Model.")
    defaults = {p.name: p.default for p in inspect.signature(build).parameters.values()}
    sizes = {name: default for name, default in defaults.items() if isinstance(default, int)}
    if bare := [name for name, default in defaults.items() if not isinstance(default, int | float)]:
        raise ArgumentError(f"{name}: give the size {bare[0]!r} of the function model a whole number as default.")
    summary = (inspect.getdoc(module) or "").strip().partition("\n")[0]
    return Spec(name, summary, build, sizes, inspect.getsource(module))
