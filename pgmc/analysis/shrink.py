"""A small instance of a model: every axis as short as its structure allows, so that all joint states can be listed.

Sizes and values of arrays are data, and no compiled kernel depends on them. What is proved of the kernels of the small
instance is therefore proved of the very kernels that the large model runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from pgmc.analysis.axes import AxisName, axis_name, index_axes, unify_axes
from pgmc.analysis.induced_edges import find_links, join_tables, keep_linked, table_axes
from pgmc.analysis.proportions import Proportions, common_lengths, find_proportions
from pgmc.analysis.size_constraints import SizeConstraint, find_size_constraints
from pgmc.errors import InternalError, IntractableError
from pgmc.ir.canonical import canonical_text
from pgmc.ir.check import check_model
from pgmc.ir.definitions import map_definitions
from pgmc.ir.factors import map_factors
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Bracket, Index, Length, LogSumExp, Position, Scalar, Sum, shifted_index
from pgmc.ir.rewrite import accesses, position_indices, replace_symbols, walk
from pgmc.ir.symbols import (
    Categorical,
    Constant,
    Count,
    Input,
    Parameter,
    Symbol,
    Variable,
    access_axes,
    axis_length,
    block_axes,
    is_one_hot,
    shape_of,
    total_name,
)

Array = npt.NDArray[Any]
S = TypeVar("S", bound=Symbol)

SMALL_TOTAL = 3
"""What counts add up to in a small instance, at most."""

SMALLEST, USUAL, LARGER, LINKED, LONGEST = 2, 3, 4, 6, 10_000
"""Axes have at least the first length, the second where states allow, the third to differ from another axis.

Units that edges join are as many as the fourth where states allow.
"""

Parity = Literal["odd", "even"]


def has_offsets(model: Model) -> bool:
    """Whether units meet neighbours at fixed offsets, where it matters whether an axis is even or odd."""
    return any(_offset_axes(model))


def shrink_model(model: Model, max_states: int, parity: Parity | None = None, *, single: bool = False) -> Model:
    """The model at the smallest sizes that still exercise its structure.

    Axes that share an index keep a common length: 3 if the joint states allow it, else 2, or what positions such as
    ``x[4]`` and relations such as ``i >= 3`` need; axes that are as long as another one become longer where possible,
    so that no two axes can be mistaken for each other. Masks and constants are cropped so that each keeps a zero and a
    non-zero entry if it has them.

    Parameters
    ----------
    model : Model
        A checked, canonical model of discrete variables.
    max_states : int
        The most joint states of all variables.
    parity : {"odd", "even"}, optional
        Of the lengths of axes along which units meet neighbours, where the model has such lengths.
    single : bool
        Whether axes without neighbours, such as the maps of a convolution, may become 1 long where nothing else helps.

    Returns
    -------
    Model
        It has the canonical text of the model, hence the same generated source.

    Raises
    ------
    IntractableError
        If even the smallest instance has more joint states, or a variable is not discrete.
    """
    axes = _Axes.of(model, parity)
    sizes = _choose_sizes(model, axes, max_states, single)
    kept = _kept_positions(model, axes, sizes)
    small = _cropped(model, axes, kept)
    check_model(small)
    if canonical_text(small) != canonical_text(model):
        raise InternalError(f"{model.name}: its text changed with its sizes. Please report this.")
    return small


# ---- which axes have one length ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Axes:
    """Classes of axes of one length, each under the name of its first axis.

    ``lengths`` are those that a class may have; a class whose length is tied to another's has its share of that.
    """

    classes: Mapping[AxisName, AxisName]
    full: Mapping[AxisName, int]
    lengths: Mapping[AxisName, Sequence[int]]
    proportions: Proportions
    constraints: tuple[SizeConstraint, ...]
    linked: frozenset[AxisName]

    @classmethod
    def of(cls, model: Model, parity: Parity | None) -> _Axes:
        classes = join_tables(model, _join_squares(model, unify_axes(model)))
        declared = {(s.name, k): axis.size for s in model.symbols for k, axis in _named_axes(s)}
        declared |= {(v.name, k): axis_length(v, k) for v in model.variables for k in block_axes(v)}
        full = {name: min(n for own, n in declared.items() if classes[own] == name) for name in classes.values()}
        proportions = find_proportions(model, classes, full)
        tied = {root for name, (root, _) in proportions.items() if name != root}
        least = {name: 1 if proportions[name][0] in tied else min(size, SMALLEST) for name, size in full.items()}
        for name, needed in _needed(model):
            least[classes[name]] = max(least[classes[name]], min(needed, full[classes[name]]))
        constraints = find_size_constraints(model, classes)
        raised = {proportions[constraint.raised][0] for constraint in constraints}
        roots = [name for name in full if proportions[name][0] == name]
        most = {name: min(full[name], LONGEST) if name in raised else LARGER for name in roots}
        linked = {name for links in find_links(model, classes) for name, _ in links.columns}
        most |= {name: max(most[name], LINKED) for name in linked if name in most}
        lengths = {name: common_lengths(name, proportions, least, full, most[name]) for name in roots}
        if parity is not None:
            for name in {proportions[classes[axis]][0] for axis in _offset_axes(model)}:
                lengths[name] = [n for n in lengths[name] if n % 2 == (parity == "odd")] or [full[name]]
        return cls(classes, full, lengths, proportions, constraints, frozenset(linked))

    def repaired(self, sizes: Mapping[AxisName, int]) -> dict[AxisName, int]:
        """The sizes, with those raised that constraints need longer."""
        found = dict(sizes)
        while missing := [(c, more) for c in self.constraints if (more := c.missing(self.whole(found)))]:
            constraint, more = missing[0]
            root, share = self.proportions[constraint.raised]
            wanted = self.whole(found)[constraint.raised] + more
            longer = next((n for n in self.lengths[root] if n * share >= wanted), self.full[root])
            if longer <= found[root]:
                return {name: self.full[name] for name in found}
            found[root] = longer
        return found

    def whole(self, sizes: Mapping[AxisName, int]) -> dict[AxisName, int]:
        """The length of every class, from those of the classes that others are tied to."""
        return {name: int(sizes[root] * share) for name, (root, share) in self.proportions.items()}


def _named_axes(symbol: Symbol) -> list[tuple[int, Any]]:
    """Every axis with its number; the states of a one-hot array are axis -1."""
    axes = access_axes(symbol)
    return [(-1 if is_one_hot(symbol) and k == len(axes) - 1 else k, axis) for k, axis in enumerate(axes)]


def _join_squares(model: Model, classes: dict[AxisName, AxisName]) -> dict[AxisName, AxisName]:
    """Both axes of a matrix whose constraint speaks of its transpose or its diagonal have one length."""
    for p in model.parameters:
        if p.constraint.symmetric or p.constraint.zero_diagonal:
            first, second = classes[p.name, 0], classes[p.name, 1]
            classes = {name: first if own == second else own for name, own in classes.items()}
    return classes


def _needed(model: Model) -> Iterator[tuple[AxisName, int]]:
    """Lengths that positions and relations need."""
    for term in model.tied_terms:
        standing: dict[Index, AxisName] = {i: i.extent for i in _indices(term.body, term.over) if i.extent}
        standing |= dict(index_axes(term.body))
        offsets: dict[tuple[AxisName, Index], list[int]] = {}
        for position, axis in _places(term.body):
            index = shifted_index(position)
            if index is not None:  # offsets span less than the axis that they wrap round
                offsets.setdefault((axis, index), []).append(position.offset)
            elif not position.terms:
                yield axis, position.offset + 1
        yield from ((axis, max(span) - min(span) + 1) for (axis, _), span in offsets.items())
        yield from _needed_by_relations(term.body, standing)


def _needed_by_relations(body: Scalar, standing: Mapping[Index, AxisName]) -> Iterator[tuple[AxisName, int]]:
    for bracket in (node for node in walk(body) if isinstance(node, Bracket)):
        for relation in bracket.relations:
            apart = abs(relation.left.offset - relation.right.offset)
            if any(isinstance(atom, Length) for side in (relation.left, relation.right) for atom, _ in side.terms):
                apart -= 1  # inside an axis and outside of it, two places apart are enough for an offset of one
            for index in (*position_indices(relation.left), *position_indices(relation.right)):
                if index in standing:
                    yield standing[index], apart + 2


def _offset_axes(model: Model) -> Iterator[AxisName]:
    """Axes on which an index stands with an offset."""
    for term in model.tied_terms:
        for position, axis in _places(term.body):
            if position.offset and shifted_index(position) is not None:
                yield axis


def _places(body: Scalar) -> Iterator[tuple[Position, AxisName]]:
    for access in accesses(body):
        for k, position in enumerate(access.positions):
            yield position, axis_name(access, k)


def _indices(body: Scalar, over: tuple[Index, ...]) -> tuple[Index, ...]:
    return (*over, *(i for node in walk(body) if isinstance(node, Sum | LogSumExp) for i in node.over))


# ---- how long they are -------------------------------------------------------------------------------------


def _smallest_sizes(model: Model, axes: _Axes, max_states: int, single: bool) -> dict[AxisName, int]:
    """The shortest length of each class; 1 for some where that saves enough states, those that others are tied to."""
    start = {name: lengths[0] for name, lengths in axes.lengths.items()}
    tied = {name for c in axes.constraints if len(c.coefficients) > 1 for name, _ in c.coefficients}
    tiled = {root for name, (root, _) in axes.proportions.items() if name != root}  # lengths come in steps
    short = [n for n in start if n not in tiled and start[n] == SMALLEST and n[1] != -1]
    neighbours = {axes.classes[name] for name in _offset_axes(model)} | axes.linked
    others = [n for n in short if single and n not in tied | neighbours]
    for optional in ([n for n in short if n in tied], others):
        while optional and _bits(model, axes, axes.repaired(start)) > math.log2(max_states):
            costs = {name: _bits(model, axes, axes.repaired({**start, name: 1})) for name in optional}
            name = min(optional, key=lambda name: costs[name])
            optional.remove(name)
            start[name] = 1
    return axes.repaired(start)


def _choose_sizes(model: Model, axes: _Axes, max_states: int, single: bool) -> dict[AxisName, int]:
    """A length for each class."""
    sizes = _smallest_sizes(model, axes, max_states, single)
    if _bits(model, axes, sizes) > math.log2(max_states):
        raise IntractableError(
            f"model {model.name!r}: its smallest instance has 2^{_bits(model, axes, sizes):.0f} joint states, "
            f"more than the limit of 2^{math.log2(max_states):.0f}."
        )
    states = [name for name in sizes if name[1] == -1]
    order = [*states, *(name for name in sizes if name[1] != -1)]

    def lengthen(name: AxisName, wanted: int) -> None:
        allowed = [n for n in takewhile(lambda n: n <= wanted, axes.lengths[name]) if n >= sizes[name]] or [sizes[name]]
        longer = axes.repaired({**sizes, name: allowed[-1]})
        if _bits(model, axes, longer) <= math.log2(max_states):
            sizes.update(longer)

    for name in order:
        lengthen(name, USUAL if USUAL in axes.lengths[name] else LARGER)
    for name in order:
        if sizes[name] == USUAL and any(sizes[other] == USUAL for other in order if other != name):
            lengthen(name, LARGER)
    for name in axes.linked & set(sizes):
        lengthen(name, LINKED)
    return axes.whole(sizes)


def _bits(model: Model, axes: _Axes, sizes: Mapping[AxisName, int]) -> float:
    """The logarithm to base 2 of the number of joint states."""
    total, sizes = 0.0, axes.whole(sizes)
    for variable in model.variables:
        units = math.prod(sizes[axes.classes[variable.name, k]] for k in range(len(variable.axes)))
        if isinstance(variable.domain, Count):
            total += _bits_of_counts(variable, sizes[axes.classes[variable.name, len(variable.axes) - 1]], units)
            continue
        if variable.exclusive:
            total += units / math.prod(variable.exclusive) * math.log2(1 + math.prod(variable.exclusive))
            continue
        states = sizes[axes.classes[variable.name, -1]] if is_one_hot(variable) else 2
        total += units * math.log2(states)
    return total


def _bits_of_counts(variable: Variable, places: int, units: int) -> float:
    """The same for counts: all ways to deal out a total."""
    assert isinstance(variable.domain, Count)
    if variable.domain.total is None:
        raise IntractableError(f"{variable.name}: counts without a total have no list of states.")
    return units / places * math.log2(math.comb(_small_total(variable.domain.total) + places - 1, places - 1))


def _small_total(total: int | str) -> int:
    return min(total, SMALL_TOTAL) if isinstance(total, int) else SMALL_TOTAL


# ---- the data that stay ------------------------------------------------------------------------------------


def _kept_positions(model: Model, axes: _Axes, sizes: Mapping[AxisName, int]) -> dict[AxisName, Array]:
    """The positions of each class that stay: the first ones, and those that keep arrays from being all alike."""
    linked = keep_linked(list(find_links(model, axes.classes)), sizes, axes.full)
    wanted: dict[AxisName, dict[int, None]] = {name: {} for name in sizes}
    for symbol, values in _patterns(model):
        flat = np.asarray(values != 0).reshape(-1)
        for place in (int(np.argmax(flat)), int(np.argmin(flat))):
            for k, position in enumerate(np.unravel_index(place, np.shape(values))):
                wanted[axes.classes[symbol.name, k]].setdefault(int(position))
    kept = {
        name: np.sort(np.array([*positions, *(k for k in range(axes.full[name]) if k not in positions)][: sizes[name]]))
        if positions
        else np.arange(sizes[name])
        for name, positions in wanted.items()
    }
    return kept | linked


def _patterns(model: Model) -> Iterator[tuple[Symbol, Array]]:
    """Arrays whose zeros are part of the structure."""
    for parameter in model.parameters:
        if parameter.constraint.masked and parameter.axes and not parameter.constraint.sparse:
            yield parameter, np.asarray(parameter.constraint.mask)
    tables = table_axes(model)
    for constant in model.constants:
        if constant.axes and constant.name not in tables:
            yield constant, np.asarray(constant.value)


def _cropped(model: Model, axes: _Axes, kept: Mapping[AxisName, Array]) -> Model:
    """The model with every symbol cropped, wherever it stands."""
    totals = frozenset(total_name(v) for v in model.variables if isinstance(v.domain, Count) and v.domain.total)
    places = {name: kept[axes.classes[found[0]]] for name, (_, found) in table_axes(model).items()}
    small = {s.name: _crop_symbol(s, axes, kept, totals, places.get(s.name)) for s in model.symbols}

    def all_of(kind: type[S]) -> tuple[S, ...]:
        return tuple(symbol for symbol in small.values() if isinstance(symbol, kind))

    def cropped(term: EnergyTerm) -> EnergyTerm:
        return replace(term, body=replace_symbols(term.body, small))

    variables = all_of(Variable)
    targets = {variable.name: variable for variable in variables}
    return Model(
        model.name,
        variables,
        all_of(Input),
        all_of(Parameter),
        all_of(Constant),
        tuple(map(cropped, model.terms)),
        tuple(replace(factor, target=targets[factor.target.name]) for factor in map_factors(model, cropped)),
        definitions=map_definitions(model, cropped, small),
    )


def _crop_symbol(
    symbol: Symbol, axes: _Axes, kept: Mapping[AxisName, Array], totals: frozenset[str], places: Array | None
) -> Symbol:
    """The symbol cropped; ``places`` are those that stay of the places that its entries are."""
    positions = [kept[axes.classes[symbol.name, k]] for k in range(len(symbol.axes))]
    short = tuple(replace(axis, size=len(own)) for axis, own in zip(symbol.axes, positions, strict=True))
    match symbol:
        case Variable(domain=Categorical()) | Input(domain=Categorical()):
            return replace(symbol, axes=short, domain=Categorical(len(kept[axes.classes[symbol.name, -1]])))
        case Variable(domain=Count(int(total))):
            return replace(symbol, axes=short, domain=Count(_small_total(total)))
        case Constant(value=value) if symbol.name in totals:
            return replace(symbol, value=np.minimum(value, SMALL_TOTAL))
        case Constant(value=value) if places is not None:
            return replace(symbol, axes=short, value=np.searchsorted(places, _crop(value, symbol, positions)))
        case Constant(value=value):
            return replace(symbol, axes=short, value=_crop(value, symbol, positions))
        case Parameter(constraint=constraint, init=init):
            mask = _crop(constraint.mask, symbol, positions) if constraint.masked else constraint.mask
            return replace(
                symbol, axes=short, constraint=replace(constraint, mask=mask), init=_crop(init, symbol, positions)
            )
        case _:
            return replace(symbol, axes=short)


def _crop(values: Any, symbol: Symbol, positions: list[Array]) -> Any:
    """The rows and columns that stay; numbers, initialisers and None as they are."""
    if values is None or callable(values) or np.ndim(values) == 0:
        return values
    whole = np.broadcast_to(np.asarray(values), shape_of(symbol))
    return whole[np.ix_(*positions)].copy()
