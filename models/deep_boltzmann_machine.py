"""The deep Boltzmann machine with hidden layers h1, h2, ...: each layer meets only its neighbours.

With v as the layer below the first, its energy is equation (20.25) of *Deep Learning* [goodfellow2016]_, for any
depth and with the biases that are left out there,

    E(v, h1, h2, ...) = -vᵀW1 h1 - h1ᵀW2 h2 - ... - bᵀv - c1ᵀh1 - c2ᵀh2 - ...

A layer given its neighbours is factorial, P(h1_j = 1 | v, h2) = σ(c1_j + Σ_i W1_ij v_i + Σ_k W2_jk h2_k), so that one
sweep has two blocks whatever the depth: the even layers, then the odd ones. F(v) has no closed form, as layers
interact given v; the odd layers can be summed out together, and so can the even ones.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.4.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500, top: int = 500, depth: int = 2) -> pgmc.Model:
    """The model with so many visible units and hidden layers, of so many units each and in the last one."""
    m = pgmc.Model("deep_boltzmann_machine")
    below = m.binary("v", visible)
    energy = -(m.param("b", visible) @ below)
    for k in range(1, depth + 1):
        size = hidden if k < depth else top
        layer = m.binary(f"h{k}", size)
        energy = energy - below @ m.param(f"W{k}", (*below.shape, size)) @ layer - m.param(f"c{k}", size) @ layer
        below = layer
    m.energy(energy)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
