"""Smaller specifications of the same kind: for finding the smallest model that still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from language import (
    UNITS,
    Add,
    Array,
    Expression,
    Factor,
    LogSumExp,
    Number,
    Power,
    Product,
    Read,
    Specification,
    Sum,
    children,
    free_letters,
    reads,
    walk,
    with_children,
)

Axis = tuple[str, int]  # of an array


def shrink(spec: Specification, fails: Callable[[Specification], bool], tries: int = 500) -> Specification:
    """The smallest specification found that still fails: the first smaller one that does is taken, again and again."""
    found = True
    while found and tries > 0:
        found = False
        for candidate in smaller(spec):
            tries -= 1
            if fails(candidate):
                spec, found = candidate, True
                break
            if tries <= 0:
                break
    return spec


def smaller(spec: Specification) -> Iterator[Specification]:
    """Specifications a step simpler, the largest steps first."""
    for k in range(len(spec.terms)):
        yield _used(replace(spec, terms=spec.terms[:k] + spec.terms[k + 1 :]))
    for k, term in enumerate(spec.terms):
        for simpler in dict.fromkeys(_simpler(term)):
            terms = (*spec.terms[:k], tidy(simpler), *spec.terms[k + 1 :])
            yield _used(replace(spec, terms=terms))
    for factors in _fewer_factors(spec.factors):
        yield _used(replace(spec, factors=factors))
    for factors in _fewer_factors(spec.guide):
        yield _used(replace(spec, guide=factors))
    yield from _smaller_axes(spec)
    for k, array in enumerate(spec.arrays):
        for simpler_array in _simpler_arrays(array):
            yield replace(spec, arrays=(*spec.arrays[:k], simpler_array, *spec.arrays[k + 1 :]))


def _used(spec: Specification) -> Specification:
    """Without arrays that no term reads; a variable stays."""
    found = [read for term in spec.expressions for read in reads(term)]
    named = {read.name for read in found} | {place.letters for read in found for place in read.places if place.end}
    named |= {array.given for array in spec.arrays if array.name in named}
    kept = tuple(array for array in spec.arrays if array.name in named)
    return replace(spec, arrays=kept if any(a.kind in UNITS for a in kept) else (*spec.units[:1], *kept))


def _fewer_factors(factors: tuple[Factor, ...]) -> Iterator[tuple[Factor, ...]]:
    """One factor less, or one with a simpler parameter over the same letters."""
    for k in range(len(factors)):
        yield factors[:k] + factors[k + 1 :]
    for k, factor in enumerate(factors):
        for n, (name, body) in enumerate(factor.parameters):
            for simpler in dict.fromkeys(map(tidy, _simpler(body))):
                if set(free_letters(simpler)) <= set(free_letters(factor.target)):
                    others = (*factor.parameters[:n], (name, simpler), *factor.parameters[n + 1 :])
                    yield (*factors[:k], replace(factor, parameters=others), *factors[k + 1 :])


# ---- terms ---------------------------------------------------------------------------------------------------------


def _simpler(node: Expression) -> Iterator[Expression]:
    """The tree with one node replaced by something simpler, from the root down."""
    yield from children(node)
    match node:
        case Product(parts) | Add(parts):
            for k in range(len(parts)):
                yield type(node)(parts[:k] + parts[k + 1 :])
        case Power(base, exponent) if exponent > 2:
            yield Power(base, 2)
        case Sum(body, over, where) if where:
            yield Sum(body, over)
        case LogSumExp(body, over):
            yield Sum(body, over)
        case Read(_, places):
            for k, place in enumerate(places):
                if place.offset:
                    yield replace(node, places=(*places[:k], place._replace(offset=0), *places[k + 1 :]))
        case _:
            pass
    parts = children(node)
    for k, part in enumerate(parts):
        for simpler in _simpler(part):
            yield with_children(node, (*parts[:k], simpler, *parts[k + 1 :]))


def tidy(node: Expression) -> Expression:
    """Without products and sums of one thing, and without letters that nothing runs over."""
    node = with_children(node, tuple(tidy(part) for part in children(node)))
    match node:
        case Product(parts) | Add(parts) if len(parts) == 1:
            return parts[0]
        case Product(()) | Add(()):
            return Number(Fraction(1))
        case Sum(body, over, where):
            kept = tuple(letter for letter in over if letter in free_letters(body))
            related = tuple(r for r in where if {r[0], r[2]} <= set(free_letters(body)))
            return Sum(body, kept, related) if kept else body
        case LogSumExp(body, over):
            kept = tuple(letter for letter in over if letter in free_letters(body))
            return LogSumExp(body, kept) if kept else body
        case _:
            return node


# ---- sizes ---------------------------------------------------------------------------------------------------------


def _smaller_axes(spec: Specification) -> Iterator[Specification]:
    """One size reduced by one, on all axes that have to agree with it."""
    held = {(r.name, k) for t in spec.expressions for r in reads(t) for k, p in enumerate(r.places) if p.end}
    for linked in _linked_axes(spec):
        if linked & held or any(spec.array(name).exclusive for name, _ in linked):
            continue  # edges end on units, and blocks divide their axes
        name, axis = min(linked)
        size = spec.array(name).full[axis]
        least = max((2 if axis == len(spec.array(n).shape) or spec.array(n).periodic else 1) for n, axis in linked)
        if size > least:
            arrays = tuple(_cropped(array, [k for n, k in linked if n == array.name]) for array in spec.arrays)
            terms = tuple(_clipped(term, linked, size - 2) for term in spec.terms)
            factors, guide = (_clipped_factors(group, linked, size - 2) for group in (spec.factors, spec.guide))
            yield replace(spec, arrays=arrays, terms=terms, factors=factors, guide=guide)


def _linked_axes(spec: Specification) -> list[set[Axis]]:
    """Axes that a letter or a constraint ties together."""
    groups: list[set[Axis]] = [
        {(a.name, k)} for a in spec.arrays for k in range(1 if a.kind == "edges" else len(a.full))
    ]
    ties = [{(a.name, 0), (a.name, 1)} for a in spec.arrays if {"symmetric", "zero_diagonal"} & set(a.options)]
    laws = [(f.target, *dict(f.parameters).values()) for f in (*spec.factors, *spec.guide)]
    for together in (*((term,) for term in spec.terms), *laws):
        by_letter: dict[str, set[Axis]] = {}
        for read in (read for term in together for read in reads(term)):
            for axis, place in enumerate(read.places):
                if len(place.letters) == 1 and not read.pooled:
                    tied = (place.letters, 0) if place.end else (read.name, axis)
                    by_letter.setdefault(place.letters, set()).add(tied)
        ties += by_letter.values()
        parts = (part for term in together for part in walk(term))
        related = {(r[0], r[2]) for part in parts if isinstance(part, Sum) for r in part.where}
        ties += [by_letter[a] | by_letter[b] for a, b in related]
    for tie in ties:
        touched = [group for group in groups if group & tie]
        groups = [group for group in groups if not group & tie] + [set().union(*touched)]
    return groups


def _cropped(array: Array, axes: list[int]) -> Array:
    """The array with the last entry of some axes cut off."""
    states = array.states - 1 if len(array.shape) in axes else array.states
    shape = tuple(size - (k in axes) for k, size in enumerate(array.shape))
    keep = tuple(slice(size) for size in shape)
    mask = tuple(int(x) for x in np.reshape(array.mask, array.shape)[keep].ravel()) if array.mask else ()
    value = tuple(float(x) for x in np.reshape(array.value, array.shape)[keep].ravel()) if array.value else ()
    return replace(array, shape=shape, states=states, mask=mask, value=value)


def _clipped(term: Expression, linked: set[Axis], last: int) -> Expression:
    """Positions that are cut off move to the last that is left."""
    parts = with_children(term, tuple(_clipped(part, linked, last) for part in children(term)))
    if not isinstance(parts, Read):
        return parts
    places = [
        place._replace(offset=min(place.offset, last)) if not place.letters and (parts.name, axis) in linked else place
        for axis, place in enumerate(parts.places)
    ]
    return replace(parts, places=tuple(places))


def _clipped_factors(factors: tuple[Factor, ...], linked: set[Axis], last: int) -> tuple[Factor, ...]:
    return tuple(replace(f, parameters=tuple((n, _clipped(b, linked, last)) for n, b in f.parameters)) for f in factors)


# ---- declarations --------------------------------------------------------------------------------------------------


def _simpler_arrays(array: Array) -> Iterator[Array]:
    """Without options, masks and borders that wrap; spins as binary units."""
    for options in [c for size in range(len(array.options)) for c in combinations(array.options, size)]:
        yield replace(array, options=options)
    if array.mask:
        yield replace(array, mask=())
    if array.periodic:
        yield replace(array, periodic=False)
    if array.exclusive:
        yield replace(array, exclusive=())
    if array.total > 1:
        yield replace(array, total=array.total - 1)
    if array.kind == "spin":
        yield replace(array, kind="binary")
    if any(value != 1.0 for value in array.value):
        yield replace(array, value=(1.0,) * len(array.value))
