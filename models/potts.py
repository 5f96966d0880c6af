"""The Potts model: units of K states on a square lattice, a bond pays where its two ends are in one state.

With s_xyk = 1 where the unit at (x, y) is in state k and 0 elsewhere,

    E(s) = -J Σ_xyk s_xyk (s_x+1,y,k + s_x,y+1,k) - Σ_xyk f_k s_xyk

on a torus [potts1952]_. P(s_xy = k | rest) = softmax_k(f_k + J · neighbours in state k). With two states it is the
Ising model at half the coupling.

References
----------
.. [potts1952] Potts (1952), Some generalized order-disorder transformations.
"""

import pgmc


def model(rows: int = 32, columns: int = 32, states: int = 3) -> pgmc.Model:
    """The model with so many rows and columns, and states of a unit."""
    x, y, k = pgmc.indices("x y k")
    m = pgmc.Model("potts")
    s = m.categorical("s", (rows, columns), states=states, boundary="periodic")
    J, f = m.param("J"), m.param("f", states)
    m.energy(-J * s[x, y, k] * s[x + 1, y, k] - J * s[x, y, k] * s[x, y + 1, k] - f[k] * s[x, y, k])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
