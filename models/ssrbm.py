"""The spike and slab RBM: each hidden unit is a binary spike times a real slab.

Its energy is that of equations (20.50) and (20.51) of *Deep Learning* [goodfellow2016]_,

    E(x, s, h) = -Σ_i xᵀW_i s_i h_i + ½ xᵀ(Λ + Σ_i Φ_i h_i) x + ½ Σ_i α_i s_i² - Σ_i α_i μ_i s_i h_i - Σ_i b_i h_i
                 + Σ_i α_i μ_i² h_i

with the columns W_i of W, and the diagonals Λ and Φ_i. x given s and h, and s given x and h, are normal with diagonal
precisions. Integrating s out leaves spikes that are independent given x: h is drawn so, and s next. It leaves p(x | h)
normal, equation (20.53), where C⁻¹ = Λ + Σ_i Φ_i h_i - Σ_i h_i W_i W_iᵀ / α_i is positive definite.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.5.2.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500) -> pgmc.Model:
    """The model with so many visible units, and so many spikes and slabs."""
    m = pgmc.Model("ssrbm")
    x, s, h = m.real("x", visible), m.real("s", hidden), m.binary("h", hidden)
    W, mu, b = m.param("W", (visible, hidden)), m.param("mu", hidden, init=1.0), m.param("b", hidden)
    Lambda, alpha = m.param("Lambda", visible, positive=True), m.param("alpha", hidden, positive=True)
    Phi = m.param("Phi", (visible, hidden), positive=True, init=0.01)
    m.energy(-(x @ W @ (s * h)) + (Lambda * x**2).sum() / 2 + (x**2) @ Phi @ h / 2)
    m.energy((alpha * s**2).sum() / 2 - (alpha * mu * s) @ h - b @ h + (alpha * mu**2) @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
