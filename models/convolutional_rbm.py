"""The convolutional restricted Boltzmann machine with probabilistic max pooling.

Every hidden map k sees the image v through a filter K_k that is the same at all places, and at most one detector of
each pooling block is on,

    E(v, h) = -Σ_kxyab h_kxy K_kab v_{x+a,y+b} - Σ_kxy c_k h_kxy - d Σ_xy v_xy.

With I_kxy = c_k + Σ_ab K_kab v_{x+a,y+b}, a detector is on with probability exp(I_kxy) / (1 + Σ exp(I)) over its block;
its pooling unit is on where any of them is: sections 3.2 and 3.3 of [lee2009]_.

References
----------
.. [lee2009] Lee, Grosse, Ranganath and Ng (2009), Convolutional deep belief networks for scalable unsupervised learning
   of hierarchical representations.
"""

import pgmc


def model(side: int = 28, maps: int = 40, width: int = 9, pool: int = 2) -> pgmc.Model:
    """The model of square images, with so many maps of filters of a width, pooled in blocks of ``pool`` by ``pool``."""
    places = side - width + 1
    k, x, y, a, b = pgmc.indices("k x y a b")
    m = pgmc.Model("convolutional_rbm")
    v = m.binary("v", (side, side))
    h = m.binary("h", (maps, places, places), exclusive=(1, pool, pool))
    K, c, d = m.param("K", (maps, width, width)), m.param("c", maps), m.param("d")
    m.energy(-h[k, x, y] * K[k, a, b] * v[x + a, y + b] - c[k] * h[k, x, y] - d * v[x, y])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
