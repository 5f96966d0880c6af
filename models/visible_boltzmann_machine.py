"""The Boltzmann machine without hidden units: binary units, and any square matrix of weights between them.

Its energy is equation (20.2) of *Deep Learning* [goodfellow2016]_,

    E(x) = -xᵀUx - bᵀx,

with U neither symmetric nor free of a diagonal. As x_i² = x_i, U_ii acts as a bias, and the two weights of a pair act
together: P(x_i = 1 | rest) = σ(b_i + U_ii + Σ_{i' ≠ i} (U_ii' + U_i'i) x_i').

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.1.
"""

import pgmc


def model(visible: int = 1024) -> pgmc.Model:
    """The model with so many units."""
    m = pgmc.Model("visible_boltzmann_machine")
    x = m.binary("x", visible)
    U, b = m.param("U", (visible, visible)), m.param("b", visible)
    m.energy(-(x @ U @ x) - b @ x)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
