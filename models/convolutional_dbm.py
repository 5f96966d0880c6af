"""The convolutional deep Boltzmann machine: the pooling units of one layer are what the next one sees.

With p_lXY = Σ h_lxy over the pooling block (X, Y), which is 1 where a detector of the block is on and 0 elsewhere,

    E(v, h, g) = -Σ_lxyab h_lxy K_lab v_{x+a,y+b} - Σ_kxylab g_kxy L_klab p_{l,x+a,y+b}
                 - Σ c_l h_lxy - Σ e_k g_kxy - d Σ v_xy.

A detector gets its bottom-up signal and the top-down one of its pooling unit, section 3.4 and equation (12) of
[lee2009]_; the two outer layers are independent given h.

References
----------
.. [lee2009] Lee, Grosse, Ranganath and Ng (2009), Convolutional deep belief networks for scalable unsupervised learning
   of hierarchical representations.
"""

import pgmc


def model(
    side: int = 28, maps: int = 24, width: int = 9, pool: int = 2, top: int = 40, top_width: int = 5
) -> pgmc.Model:
    """The model of square images with two layers of maps, each pooled in blocks of ``pool`` by ``pool``."""
    places = side - width + 1
    above = places // pool - top_width + 1
    k, i, x, y, a, b = pgmc.indices("k i x y a b")
    m = pgmc.Model("convolutional_dbm")
    v = m.binary("v", (side, side))
    h = m.binary("h", (maps, places, places), exclusive=(1, pool, pool))
    g = m.binary("g", (top, above, above), exclusive=(1, pool, pool))
    K, L = m.param("K", (maps, width, width)), m.param("L", (top, maps, top_width, top_width))
    c, e, d = m.param("c", maps), m.param("e", top), m.param("d")
    m.energy(-h[i, x, y] * K[i, a, b] * v[x + a, y + b] - c[i] * h[i, x, y] - d * v[x, y])
    m.energy(-g[k, x, y] * L[k, i, a, b] * h.pooled()[i, x + a, y + b] - e[k] * g[k, x, y])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
