"""Sums of products of arrays that vary on some axes each, two arrays at a time, without the array of all products."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pgmc.ir.frames import Array

MAX_ELEMENTS = 1 << 22
"""Arrays on the way have at most this many elements, or as many as the largest of those given and of the result."""


def sum_of_products(factors: Sequence[Array], kept: int, shape: Sequence[int]) -> Array:
    """Σ over the axes from ``kept`` on of the product of all factors.

    The factors have one axis for each length of ``shape``, of length 1 where they do not vary. So has the result, but
    for the axes that are summed.
    """
    terms = [(factor.reshape([n for n in factor.shape if n > 1]), _varying(factor)) for factor in factors]
    varying = {axis for _, axes in terms for axis in axes}
    left = [axis for axis in sorted(varying) if axis < kept]
    listed = [part for array, axes in terms for part in (array, list(axes))]
    path = np.einsum_path(*listed, left, optimize=("greedy", MAX_ELEMENTS))[0][1:]
    for places in path:
        chosen = [terms[k] for k in places]
        terms = [term for k, term in enumerate(terms) if k not in places]
        needed = {axis for _, axes in terms for axis in axes} | set(left)
        axes = tuple(axis for axis in sorted({a for _, own in chosen for a in own}) if axis in needed)
        # One pair after the other and no matrix product, so that a row does not depend on how many there are.
        product = np.einsum(*(part for array, own in chosen for part in (array, list(own))), list(axes))
        terms.append((np.asarray(product), axes))
    ((total, _),) = terms
    equal = math.prod(n for axis, n in enumerate(shape) if axis >= kept and axis not in varying)
    return np.asarray(equal * total).reshape([n if axis in varying else 1 for axis, n in enumerate(shape[:kept])])


def _varying(factor: Array) -> tuple[int, ...]:
    return tuple(axis for axis, n in enumerate(factor.shape) if n > 1)
