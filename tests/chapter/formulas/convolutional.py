"""Section 20.6, convolutional Boltzmann machines."""

from __future__ import annotations

import numpy as np

from formulas.common import Array


def detectors_on(v: Array, K: Array, c: Array) -> Array:
    """In words, section 20.6: a pooling block has a state for each detector and one more, of energy zero, for none"""
    maps, width, _ = K.shape
    places = len(v) - width + 1
    found = np.zeros((maps, places, places))
    for k in range(maps):
        energies = np.array(
            [[-c[k] - np.sum(K[k] * v[x : x + width, y : y + width]) for y in range(places)] for x in range(places)]
        )
        for x in range(0, places, 2):
            for y in range(0, places, 2):
                weights = np.exp(-energies[x : x + 2, y : y + 2])
                found[k, x : x + 2, y : y + 2] = weights / (1 + weights.sum())
    return found
