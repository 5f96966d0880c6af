"""The conditional restricted Boltzmann machine: what came before shifts the biases of both layers.

    E(v, h | u) = -vᵀWh - (b + A u)ᵀv - (c + B u)ᵀh

with u the last frames of a sequence, given and never sampled [taylor2007]_. There is one partition function for each
u, and none over u. A sequence is made frame by frame: sample v given u, then let u move on by one frame.

References
----------
.. [taylor2007] Taylor, Hinton and Roweis (2007), Modeling human motion using binary latent variables.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500, inputs: int = 784) -> pgmc.Model:
    """The model with so many visible and hidden units, given so many inputs."""
    m = pgmc.Model("conditional_rbm")
    v, h, u = m.binary("v", visible), m.binary("h", hidden), m.input("u", inputs)
    W, A, B = m.param("W", (visible, hidden)), m.param("A", (visible, inputs)), m.param("B", (hidden, inputs))
    b, c = m.param("b", visible), m.param("c", hidden)
    m.energy(-(v @ W @ h) - (b + A @ u) @ v - (c + B @ u) @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
