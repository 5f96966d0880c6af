"""The colours of the units of every variable of a model, computed when they are first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.analysis.couplings import Coupling, find_couplings, kind_of
from pgmc.analysis.unit_coloring import (
    UnitColors,
    color_units,
    find_linear_coloring,
    is_proper,
    linear_colors,
    linear_counts,
)
from pgmc.ir.answers import Coloring, UnitOrder
from pgmc.ir.model import Model
from pgmc.ir.symbols import is_grouped, shape_of

Array: TypeAlias = npt.NDArray[Any]


@dataclass
class ColoredUnits:
    """Which form the colours of each variable take, and which units have them.

    ``by_data`` names variables whose colours are data even where a formula would fit: a small instance of a model takes
    the form that the model at its own sizes takes.
    """

    model: Model
    by_data: frozenset[str] = frozenset()
    _forms: dict[str, Coloring | UnitOrder | None] = field(default_factory=dict)
    _colors: dict[str, UnitColors] = field(default_factory=dict)

    @cached_property
    def _couplings(self) -> dict[str, tuple[Coupling, ...]]:
        return find_couplings(self.model)

    def couplings(self, name: str) -> tuple[Coupling, ...]:
        """How units of the variable interact with one another."""
        return self._couplings.get(name, ())

    def form(self, name: str) -> Coloring | UnitOrder | None:
        """A formula, or that the order is data; None where units do not interact, or all with all."""
        if name not in self._forms:
            self._forms[name] = self._find_form(name)
        return self._forms[name]

    def _find_form(self, name: str) -> Coloring | UnitOrder | None:
        couplings = self.couplings(name)
        if not couplings or kind_of(couplings) == "all" or is_grouped(self.model.variable(name)):
            return None
        linear = None if name in self.by_data else find_linear_coloring(couplings)
        return linear if linear is not None and is_proper(linear, couplings) else UnitOrder()

    def ordered(self) -> tuple[str, ...]:
        """The variables whose colours are data."""
        return tuple(v.name for v in self.model.variables if isinstance(self.form(v.name), UnitOrder))

    def colors(self, name: str) -> UnitColors:
        """The units of each colour, of a variable whose units have colours."""
        if name not in self._colors:
            form = self.form(name)
            if isinstance(form, Coloring):
                self._colors[name] = linear_colors(form, self.model.variable(name))
            else:
                self._colors[name] = color_units(self.couplings(name))
        return self._colors[name]

    def counts(self, name: str) -> tuple[int, ...] | None:
        """How many units each colour has; None where units have no colours."""
        form = self.form(name)
        if isinstance(form, Coloring):
            counts = linear_counts(form, self.model.variable(name))
            return tuple(count for count in counts if count)
        return None if form is None else self.colors(name).counts

    def positions(self, name: str) -> Array:
        """The positions of the units, colour by colour: ``(units, rank)``, int64."""
        variable = self.model.variable(name)
        places = np.unravel_index(self.colors(name).order, shape_of(variable))
        return np.ascontiguousarray(np.stack(places, axis=1), dtype=np.int64)
