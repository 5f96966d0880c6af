"""The deep Boltzmann machine with two hidden layers: each layer meets only its neighbours.

Its energy is equation (20.25) of *Deep Learning* [goodfellow2016]_ with the biases that are left out there,

    E(v, h1, h2) = -vᵀW1 h1 - h1ᵀW2 h2 - bᵀv - c1ᵀh1 - c2ᵀh2.

A layer given its neighbours is factorial, P(h1_j = 1 | v, h2) = σ(c1_j + Σ_i W1_ij v_i + Σ_k W2_jk h2_k), so that one
sweep has two blocks: the even layers, then the odd ones. F(v) has no closed form, as h1 and h2 interact given v; the
layer between can be summed out, and so can the two around it.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.4.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500, top: int = 500) -> pgmc.Model:
    """The model with so many visible units, and so many in the first and second hidden layer."""
    m = pgmc.Model("deep_boltzmann_machine")
    v, h1, h2 = m.binary("v", visible), m.binary("h1", hidden), m.binary("h2", top)
    W1, W2 = m.param("W1", (visible, hidden)), m.param("W2", (hidden, top))
    b, c1, c2 = m.param("b", visible), m.param("c1", hidden), m.param("c2", top)
    m.energy(-(v @ W1 @ h1) - h1 @ W2 @ h2 - b @ v - c1 @ h1 - c2 @ h2)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
