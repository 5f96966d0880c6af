# %% [markdown]
# # 2. The intermediate representation: `pgmc/ir`
#
# What a model is: frozen nodes over indexed symbols. An energy is a tuple of terms, each summed over its indices. Every
# later stage takes and gives these nodes, so that an answer can be asked about again.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)

# %% The model as data
from pgmc.ir.nodes import Scalar
from pgmc.ir.rewrite import children


def tree(node: Scalar, depth: int = 0) -> None:
    """Print the kinds of nodes, one below the other."""
    print("    " * depth + type(node).__name__)
    for child in children(node):
        tree(child, depth + 1)


model = m.build()
for term in model.terms:
    print("summed over", *(index.name for index in term.over))
    tree(term.body)

# %% [markdown]
# The canonical text has no sizes, values or file names in it. Its digest is the key of the compile cache, so that 4
# units and 40 000 share their kernels.

# %% Its canonical text
from pgmc.ir.canonical import canonical_text, digest

print(canonical_text(model))
print(digest(model))

# %% [markdown]
# The interpreter evaluates a model as it was declared, without derivation or generated code. It is slow, and it is what
# everything else is compared with.

# %% The slow and obvious way to an energy
import numpy as np

from pgmc.ir.interpret import interpret_energy

states = {"v": np.array([[1, 0, 1, 1]]), "h": np.array([[1, -1, 1]])}
params = {"W": np.ones((4, 3)), "b": np.arange(4.0)}
print(interpret_energy(model, params, states))

# %% [markdown]
# Next: [what follows from structure](structure.md).
