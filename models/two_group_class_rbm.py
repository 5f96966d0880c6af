"""The restricted Boltzmann machine with two groups of hidden units, of which one sees the class.

With y_k = 1 for the class k and 0 for the others,

    E(v, y, h, g) = -vᵀW h - yᵀV h - vᵀU g - bᵀv - dᵀy - cᵀh - eᵀg

after [luo2011]_: h models what of the image belongs to the class, g whatever else has to be there for the image to be
likely. Neither h nor g meets the other, so that (v, y) and (h, g) are the two blocks of a sweep. g depends on v
alone, and is the same for all classes in p(y | v).

References
----------
.. [luo2011] Luo, Shen, Niu and Ullrich (2011), Sparse group restricted Boltzmann machines.
"""

import pgmc


def model(visible: int = 784, classes: int = 10, hidden: int = 300, others: int = 200) -> pgmc.Model:
    """The model with so many visible units, classes, hidden units that see the class, and others."""
    m = pgmc.Model("two_group_class_rbm")
    v, y = m.binary("v", visible), m.categorical("y", states=classes)
    h, g = m.binary("h", hidden), m.binary("g", others)
    W, V, U = m.param("W", (visible, hidden)), m.param("V", (classes, hidden)), m.param("U", (visible, others))
    b, d, c, e = m.param("b", visible), m.param("d", classes), m.param("c", hidden), m.param("e", others)
    m.energy(-(v @ W @ h) - y @ V @ h - v @ U @ g - b @ v - d @ y - c @ h - e @ g)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
