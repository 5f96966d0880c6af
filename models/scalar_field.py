"""A real field on a square lattice with a double well at every site: the φ⁴ theory of physics.

    E(φ) = Σ_xy [φ_xy² + λ (φ_xy² - 1)² - 2κ φ_xy (φ_x,y+1 + φ_x+1,y)]

on a torus. A site given the others has the density exp(-φ² - λ (φ² - 1)² + 2κ φ · Σ φ of four neighbours), which is of
no family: it is drawn by slice sampling, the sites of one colour of a checkerboard at once, or the whole field moves by
Hamiltonian Monte Carlo, which was made for such fields [duane1987]_. With λ = 0 the sites are normal, with λ → ∞ they
are the spins of the Ising model.

References
----------
.. [duane1987] Duane, Kennedy, Pendleton and Roweth (1987), Hybrid Monte Carlo.
"""

import pgmc


def model(rows: int = 32, columns: int = 32) -> pgmc.Model:
    """The model with so many rows and columns."""
    x, y = pgmc.indices("x y")
    m = pgmc.Model("scalar_field")
    phi = m.real("phi", (rows, columns), boundary="periodic")
    kappa, well = m.param("kappa", init=0.2), m.param("well", init=1.0, positive=True)
    m.energy(phi[x, y] ** 2 + well * (phi[x, y] ** 2 - 1) ** 2)
    m.energy(-2 * kappa * phi[x, y] * (phi[x, y + 1] + phi[x + 1, y]))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
