"""The Boltzmann machine with hidden units: every pair of units interacts.

Its energy is equation (20.3) of *Deep Learning* [goodfellow2016]_,

    E(v, h) = -vᵀRv - vᵀWh - hᵀSh - bᵀv - cᵀh,

with R and S symmetric and without a diagonal. P(v_i = 1 | rest) = σ(b_i + 2 Σ_i' R_ii' v_i' + Σ_j W_ij h_j): a
symmetric pair of weights stands twice in the sum. Units of a layer interact, so a sweep takes them one after another.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.1.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500) -> pgmc.Model:
    """The model with so many visible and hidden units."""
    m = pgmc.Model("boltzmann_machine")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    R = m.param("R", (visible, visible), symmetric=True, zero_diagonal=True)
    S = m.param("S", (hidden, hidden), symmetric=True, zero_diagonal=True)
    W, b, c = m.param("W", (visible, hidden)), m.param("b", visible), m.param("c", hidden)
    m.energy(-(v @ R @ v) - v @ W @ h - h @ S @ h - b @ v - c @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
