"""The Ising model in three dimensions: spins on a cubic lattice in a field, with one coupling.

    E(s) = -J Σ_xyz s_xyz (s_x+1,y,z + s_x,y+1,z + s_x,y,z+1) - f Σ_xyz s_xyz

with the first two axes wrapped round and the third one open: a film of so many layers. P(s_xyz = +1 | rest) =
σ(2 f + 2 J Σ neighbours), each of the six neighbours counted where there is one [onsager1944]_ solved the case of two
dimensions.

References
----------
.. [onsager1944] Onsager (1944), Crystal statistics. I. A two-dimensional model with an order-disorder transition.
"""

import pgmc


def model(rows: int = 16, columns: int = 16, layers: int = 8) -> pgmc.Model:
    """The model with so many rows, columns and layers."""
    x, y, z = pgmc.indices("x y z")
    m = pgmc.Model("cubic_lattice")
    s = m.spin("s", (rows, columns, layers), boundary=("periodic", "periodic", "periodic"))
    J, f = m.param("J"), m.param("f")
    m.energy(-J * s[x, y, z] * s[x + 1, y, z] - J * s[x, y, z] * s[x, y + 1, z] - J * s[x, y, z] * s[x, y, z + 1])
    m.energy(-f * s[x, y, z])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
