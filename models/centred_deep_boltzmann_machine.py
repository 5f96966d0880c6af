"""The centred deep Boltzmann machine: layers that meet only their neighbours, as distances from offsets.

    E(v, h1, h2, ...) = -(v - µ)ᵀW1(h1 - µ1) - (h1 - µ1)ᵀW2(h2 - µ2) - ... - bᵀ(v - µ) - c1ᵀ(h1 - µ1) - ...

is equation (20.37) of *Deep Learning* [goodfellow2016]_ for a layered machine: the same two blocks as without
offsets. The gradient of a weight is the centred statistic of [montavon2012]_, with which joint training of all layers
needs no pretraining.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.4.5.
.. [montavon2012] Montavon and Müller (2012), Deep Boltzmann machines and the centering trick.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500, top: int = 500, depth: int = 2) -> pgmc.Model:
    """The model with so many visible units and hidden layers, of so many units each and in the last one."""
    m = pgmc.Model("centred_deep_boltzmann_machine")
    below = m.binary("v", visible) - m.param("mu", visible, init=0.5, fixed=True)
    energy = -(m.param("b", visible) @ below)
    for k in range(1, depth + 1):
        size = hidden if k < depth else top
        layer = m.binary(f"h{k}", size) - m.param(f"mu{k}", size, init=0.5, fixed=True)
        energy = energy - below @ m.param(f"W{k}", (*below.shape, size)) @ layer - m.param(f"c{k}", size) @ layer
        below = layer
    m.energy(energy)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
