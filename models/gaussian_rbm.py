"""The Gaussian-Bernoulli restricted Boltzmann machine: real visible units, whose means the hidden units shift.

Its energy is that of equations (20.38) to (20.42) of *Deep Learning* [goodfellow2016]_ with a visible bias a,

    E(v, h) = ½ Σ_i β_i v_i² - Σ_ij β_i v_i W_ij h_j - aᵀv - bᵀh,

from which follow p(v_i | h) = N(a_i/β_i + Σ_j W_ij h_j, 1/β_i) and P(h_j = 1 | v) = σ(b_j + Σ_i v_i β_i W_ij). The
precisions β are learned, and kept positive. Summing out h leaves ½ Σ_i β_i v_i² - aᵀv - Σ_j softplus(b_j + Σ_i v_i β_i
W_ij); integrating v out leaves a sum over 2^hidden states, so that log Z of a machine with few hidden units is exact.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.5.1.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500) -> pgmc.Model:
    """The model with so many real visible and binary hidden units."""
    m = pgmc.Model("gaussian_rbm")
    v = m.real("v", visible)
    h = m.binary("h", hidden)
    W = m.param("W", (visible, hidden))
    a, b = m.param("a", visible), m.param("b", hidden)
    beta = m.param("beta", visible, positive=True)
    m.energy((beta * v**2).sum() / 2 - (v * beta) @ W @ h - a @ v - b @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
