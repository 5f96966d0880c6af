"""The conditional Boltzmann machine p(y | x): structured outputs that interact, given any input.

    E(y, h | x) = -yᵀL y - yᵀW h - xᵀV h - xᵀA y - bᵀy - cᵀh

with L symmetric and without a diagonal: the outputs y, such as the pixels of a segmentation, depend on one another
and not only on x and h (*Deep Learning* [goodfellow2016]_, section 20.7). There is a partition function for each x,
and none over x.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.7.
"""

import pgmc


def model(inputs: int = 784, outputs: int = 256, hidden: int = 300) -> pgmc.Model:
    """The model with so many inputs, outputs and hidden units."""
    m = pgmc.Model("conditional_boltzmann_machine")
    y, h, x = m.binary("y", outputs), m.binary("h", hidden), m.input("x", inputs)
    L = m.param("L", (outputs, outputs), symmetric=True, zero_diagonal=True)
    W, V, A = m.param("W", (outputs, hidden)), m.param("V", (inputs, hidden)), m.param("A", (inputs, outputs))
    b, c = m.param("b", outputs), m.param("c", hidden)
    m.energy(-(y @ L @ y) - y @ W @ h - x @ V @ h - x @ A @ y - b @ y - c @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
