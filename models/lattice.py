"""Spins on a square lattice, each coupled to its four neighbours, with a coupling for every bond.

    E(s) = -Σ_xy s_xy (R_xy s_x,y+1 + D_xy s_x+1,y) - Σ_xy f_xy s_xy

on a torus: the neighbour of the last column is the first. With every R and D equal to J this is the Ising model;
trained on images it is a Markov random field of pixels. P(s_xy = +1 | rest) = σ(2 field), the field being f_xy and four
couplings times neighbours.

References
----------
.. [geman1984] Geman and Geman (1984), Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of
   images.
"""

import pgmc


def model(rows: int = 32, columns: int = 32) -> pgmc.Model:
    """The model with so many rows and columns."""
    x, y = pgmc.indices("x y")
    m = pgmc.Model("lattice")
    s = m.spin("s", (rows, columns), boundary="periodic")
    R, D, f = (m.param(name, (rows, columns)) for name in ("R", "D", "f"))
    m.energy(-s[x, y] * R[x, y] * s[x, y + 1] - s[x, y] * D[x, y] * s[x + 1, y] - f[x, y] * s[x, y])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
