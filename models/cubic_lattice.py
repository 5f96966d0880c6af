"""The Ising model in three dimensions: a block of spins, with one coupling and a field.

    E(s) = -J Σ_xyz s_xyz (s_x+1,y,z + s_x,y+1,z + s_x,y,z+1) - f Σ_xyz s_xyz

Its surface is open: spins there have fewer neighbours. P(s_xyz = +1 | rest) = σ(2 f + 2 J Σ neighbours), and two
colours of units, as on a chess board, are the blocks of a sweep. Two dimensions were solved by [onsager1944]_.

References
----------
.. [onsager1944] Onsager (1944), Crystal statistics. I. A two-dimensional model with an order-disorder transition.
"""

import pgmc


def model(rows: int = 16, columns: int = 16, layers: int = 8) -> pgmc.Model:
    """The model with so many rows, columns and layers."""
    x, y, z = pgmc.indices("x y z")
    m = pgmc.Model("cubic_lattice")
    s = m.spin("s", (rows, columns, layers), boundary="open")
    J, f = m.param("J"), m.param("f")
    m.energy(-J * s[x, y, z] * s[x + 1, y, z] - J * s[x, y, z] * s[x, y + 1, z] - J * s[x, y, z] * s[x, y, z + 1])
    m.energy(-f * s[x, y, z])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
