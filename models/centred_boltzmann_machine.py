"""The centred Boltzmann machine: every unit enters as its distance from an offset.

Its energy is equation (20.37) of *Deep Learning* [goodfellow2016]_,

    E(x) = -(x - µ)ᵀU(x - µ) - (x - µ)ᵀb,

which is the plain machine with the biases b - (U + Uᵀ)µ, up to a constant. What differs is the gradient: ∂E/∂U_ij =
-(x_i - µ_i)(x_j - µ_j) is the centred statistic of [montavon2012]_. The offsets are fixed: gradients leave them
alone. They start at the means of the data, or follow the means by a callback that gives new values to µ and, so that
the law stays the same, to b.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.4.5.
.. [montavon2012] Montavon and Müller (2012), Deep Boltzmann machines and the centering trick.
"""

import pgmc


def model(visible: int = 1024) -> pgmc.Model:
    """The model with so many units."""
    m = pgmc.Model("centred_boltzmann_machine")
    x = m.binary("x", visible)
    U = m.param("U", (visible, visible), symmetric=True, zero_diagonal=True)
    b, mu = m.param("b", visible), m.param("mu", visible, init=0.5, fixed=True)
    m.energy(-((x - mu) @ U @ (x - mu)) - (x - mu) @ b)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
