# %% [markdown]
# # 1. The specification: `pgmc/dsl`
#
# What you write. A `Model` collects declarations and terms of the energy; it builds the intermediate representation and
# does nothing else. Mistakes are found here, not in a kernel: every error names the object, the line of your file, the
# reason and a remedy.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)
print(m)

# %% [markdown]
# Indices say the same and give the same model. Arrays are notation; the compiler knows only indexed terms.

# %% The same in index notation
from pgmc.ir.canonical import digest

i, j = pgmc.indices("i j")
same = pgmc.Model("example")
v, h = same.binary("v", 4), same.spin("h", 3)
W, b = same.param("W", (4, 3)), same.param("b", 4)
same.energy(-v[i] * W[i, j] * h[j] - b[i] * v[i])
assert digest(m.build()) == digest(same.build())

# %% A mistake: two arrays that do not fit
wrong = pgmc.Model("wrong")
v, h, W = wrong.binary("v", 4), wrong.spin("h", 3), wrong.param("W", (3, 4))
try:
    wrong.energy(-v[i] * W[i, j] * h[j])
except pgmc.PgmcError as error:
    print(type(error).__name__, error, sep="\n")

# %% Another: a sum that is not written
x, R = wrong.real("x", 4), wrong.param("R", (4, 5))
try:
    wrong.energy((x[i] * R[i, j]) ** 2)
except pgmc.PgmcError as error:
    print(type(error).__name__, error, sep="\n")

# %% [markdown]
# All kinds of units, both notations and what is summed: [Declaring a model](../declaring.md).
# Next: [the representation](representation.md) that is built.
