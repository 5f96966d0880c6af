"""The mean and covariance RBM: hidden units for the mean of real visible units, and others for their covariance.

Its energy is that of equations (20.43) to (20.45) of *Deep Learning* [goodfellow2016]_,

    E(x, h_m, h_c) = ½ xᵀx - xᵀW h_m - b_mᵀh_m + ½ Σ_j h_c,j (xᵀr_j)² - b_cᵀh_c,

with r_j the columns of R. Given the hidden units, x is normal with the precision I + Σ_j h_c,j r_j r_jᵀ, which is not
diagonal, and the mean C W h_m with C the inverse of that matrix, equation (20.47); all of x is drawn at once. Given x
the hidden units are independent, P(h_c,j = 1 | x) = σ(b_c,j - ½ (xᵀr_j)²), so the free energy of x has a closed form.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.5.2.
"""

import pgmc


def model(visible: int = 784, means: int = 100, covariances: int = 256) -> pgmc.Model:
    """The model with so many visible units, and so many hidden units of both kinds."""
    m = pgmc.Model("mcrbm")
    x = m.real("x", visible)
    h_m, h_c = m.binary("h_m", means), m.binary("h_c", covariances)
    W, R = m.param("W", (visible, means)), m.param("R", (visible, covariances))
    b_m, b_c = m.param("b_m", means), m.param("b_c", covariances)
    m.energy((x @ x) / 2 - x @ W @ h_m - b_m @ h_m + ((x @ R) ** 2) @ h_c / 2 - b_c @ h_c)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
