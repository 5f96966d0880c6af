"""The restricted Boltzmann machine: binary units in two layers, and no term within a layer.

Its energy is equation (20.5) of *Deep Learning* [goodfellow2016]_,

    E(v, h) = -bᵀv - cᵀh - vᵀWh,

from which follow P(h_j = 1 | v) = σ(c_j + Σ_i W_ij v_i), equation (20.14), and the same with the layers exchanged,
(20.16). Summing out h leaves F(v) = -bᵀv - Σ_j softplus(c_j + Σ_i W_ij v_i).

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.2.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500) -> pgmc.Model:
    """The model with so many visible and hidden units."""
    m = pgmc.Model("rbm")
    v = m.binary("v", visible)
    h = m.binary("h", hidden)
    W = m.param("W", (visible, hidden))
    b, c = m.param("b", visible), m.param("c", hidden)
    m.energy(-(v @ W @ h) - b @ v - c @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
