"""The mean product of Student-t distributions: the mean and covariance RBM with gamma units for the covariance.

Its energy is that of equations (20.48) and (20.49) of *Deep Learning* [goodfellow2016]_,

    E(x, h_m, h_c) = ½ xᵀx - xᵀW h_m - b_mᵀh_m + Σ_j [h_c,j (1 + ½ (r_jᵀx)²) + (1 - γ_j) log h_c,j]

with h_c > 0, so that h_c,j given x is gamma with the shape γ_j and the rate 1 + ½ (r_jᵀx)², and x given the hidden
units normal with the precision I + Σ_j h_c,j r_j r_jᵀ. Integrating h_c out leaves γ_j log(1 + ½ (r_jᵀx)²), as of a
Student-t density, and the free energy of x has a closed form.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.5.2.
"""

import numpy as np

import pgmc


def model(visible: int = 784, means: int = 100, covariances: int = 256, shape: float = 1.5) -> pgmc.Model:
    """The model with so many visible units, hidden units of both kinds, and the shape γ of all gamma units."""
    m = pgmc.Model("mpot")
    x = m.real("x", visible)
    h_m, h_c = m.binary("h_m", means), m.positive("h_c", covariances)
    W, R = m.param("W", (visible, means)), m.param("R", (visible, covariances))
    b_m, gamma = m.param("b_m", means), m.constant("gamma", np.full(covariances, shape))
    m.energy((x @ x) / 2 - x @ W @ h_m - b_m @ h_m)
    m.energy((h_c * (1 + (x @ R) ** 2 / 2)).sum() + ((1 - gamma) * pgmc.log(h_c)).sum())
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
