"""What lengths of axes must fulfil so that a smaller instance of a model means the same.

Which brackets a term has was decided by the lengths at hand: what was inside then, and has no bracket, stays inside. A
constraint is an inequality, offset + Σ coefficient · length ≥ 0, on lengths of classes of axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgmc.analysis.axes import AxisName, goes_round
from pgmc.ir.index_ranges import Place, extent_name, lengths_of, places, plain_name
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Index, LogSumExp, Sum, shifted_index
from pgmc.ir.rewrite import walk


@dataclass(frozen=True, slots=True)
class SizeConstraint:
    """offset + Σ coefficient · length ≥ 0; what makes it hold is a longer axis ``raised``."""

    coefficients: tuple[tuple[AxisName, int], ...]
    offset: int
    raised: AxisName

    def missing(self, sizes: Mapping[AxisName, int]) -> int:
        """How much longer the axis must be."""
        value = self.offset + sum(c * sizes[name] for name, c in self.coefficients)
        factor = dict(self.coefficients)[self.raised]
        return max(0, -(value // factor)) if value < 0 else 0


def find_size_constraints(model: Model, classes: Mapping[AxisName, AxisName]) -> tuple[SizeConstraint, ...]:
    """The constraints of all terms, on the representatives of classes of axes of one length."""
    terms = (*model.tied_terms, *(term for factor in model.factors for _, term in factor.parameters))
    return tuple(dict.fromkeys(c for term in terms for c in _Term.of(model, term, classes).constraints()))


@dataclass(frozen=True, slots=True)
class _Term:
    sizes: Mapping[AxisName, int]
    classes: Mapping[AxisName, AxisName]
    extents: Mapping[Index, AxisName]
    found: tuple[Place, ...]

    @classmethod
    def of(cls, model: Model, term: EnergyTerm, classes: Mapping[AxisName, AxisName]) -> _Term:
        body = term.body
        bound = (*term.over, *(i for n in walk(body) if isinstance(n, Sum | LogSumExp) for i in n.over))
        extents: dict[Index, AxisName] = {}
        for index in dict.fromkeys(bound):
            extents[index] = index.extent or extent_name(index, body, {}) or ("", 0)
        return cls(lengths_of(model.symbols), classes, extents, tuple(places(body)))

    def constraints(self) -> Iterator[SizeConstraint]:
        """Every constraint of the term."""
        for place in self.found:
            symbol, k, axis, position = place
            own = plain_name(symbol, k)
            if position.index is not None:
                yield from self._longer(own, position.index)
            elif position.terms and axis.boundary == "periodic":
                yield from self._one_turn(place)
            elif position.terms:
                yield from self._sides(place)

    def _longer(self, own: AxisName, index: Index) -> Iterator[SizeConstraint]:
        """An axis with neighbours stays longer than the index runs."""
        first, second = self.classes[own], self.classes[self.extents[index]]
        if first != second:
            yield SizeConstraint(((first, 1), (second, -1)), -1, first)

    def _one_turn(self, place: Place) -> Iterator[SizeConstraint]:
        """Indices beside the one that goes round a periodic axis span less than a turn."""
        symbol, k, _, position = place
        indices = [(i, c) for i, c in position.terms if isinstance(i, Index)]
        turning = next((i for i, _ in indices if goes_round(i, position, self.found)), None)
        others = [(i, abs(c)) for i, c in indices if i != turning]
        if others:
            yield self._constraint(plain_name(symbol, k), others, sum(c for _, c in others) - 1)

    def _sides(self, place: Place) -> Iterator[SizeConstraint]:
        """A place that is not too far out stays so; one that may be has instances inside."""
        symbol, k, axis, position = place
        own, off = plain_name(symbol, k), position.offset
        indices = [(i, c) for i, c in position.terms if isinstance(i, Index)]
        up = [(i, c) for i, c in indices if c > 0 and not self._stops_early(i)]
        last = off + sum(c * (self.sizes[self.extents[i]] - 1) for i, c in up)
        if last < axis.size:
            yield self._constraint(own, up, sum(c for _, c in up) - 1 - off)
        else:
            yield self._constraint(own, [], -1 - off)
        if off < 0 and up:
            name = self.classes[self.extents[up[0][0]]]
            yield SizeConstraint(((name, up[0][1]),), off - up[0][1], name)

    def _stops_early(self, index: Index) -> bool:
        """Whether the index stands alone nowhere, and runs as far as sums of it and others stay inside."""
        return not any(shifted_index(position) == index for _, _, _, position in self.found)

    def _constraint(self, own: AxisName, indices: list[tuple[Index, int]], offset: int) -> SizeConstraint:
        """length of ``own`` - Σ c · length + offset ≥ 0."""
        total = {self.classes[own]: 1}
        for index, c in indices:
            name = self.classes[self.extents[index]]
            total[name] = total.get(name, 0) - c
        raised = self.classes[own]
        if total[raised] < 1:  # the axis and the index have one length
            return SizeConstraint(((raised, 1),), 0, raised)
        return SizeConstraint(tuple(total.items()), offset, raised)
