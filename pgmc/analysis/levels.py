"""The levels of a model above what is observed."""

from __future__ import annotations

from pgmc.errors import ModelError
from pgmc.ir.definitions import expand_model
from pgmc.ir.model import Model
from pgmc.ir.rewrite import accesses
from pgmc.ir.symbols import Variable


def find_levels(model: Model, observed: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The variables by their distance from the observed ones, which are the first level; declaration order in each.

    Two variables are neighbours if they share a term of the energy or of a directed factor.

    Raises
    ------
    ModelError
        If a variable cannot be reached from the observed ones.
    """
    names = tuple(v.name for v in model.variables)
    shared = [
        {a.symbol.name for a in accesses(t.body) if isinstance(a.symbol, Variable)} for t in expand_model(model).terms
    ]
    levels = [tuple(name for name in names if name in observed)]
    seen = set(levels[0])
    while levels[-1]:
        near = {name for together in shared if together & set(levels[-1]) for name in together} - seen
        seen |= near
        levels.append(tuple(name for name in names if name in near))
    if rest := [name for name in names if name not in seen]:
        raise ModelError(
            f"{model.name}: {', '.join(rest)} shares no term with what {', '.join(levels[0])} depends on. "
            "Drop it, or observe it."
        )
    return tuple(levels[:-1])
