# %% [markdown]
# # 5. The order of work: `pgmc/schedule`
#
# A sweep is a list of block updates; each draws all units of a block that do not interact, or one after another. What
# is given, and what comes first, belongs to the query.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)

# %% A sweep over everything, and over the latent units alone
from pgmc.compiler import Compiler
from pgmc.ir.queries import Sweep

compiler = Compiler(m.build())
print(compiler.answer(Sweep(("v", "h"))))
print()
print(compiler.answer(Sweep(("h",))))

# %% Units that meet come one after another
coupled = pgmc.Model("coupled")
x, y = coupled.binary("x", 4), coupled.binary("y", 3)
coupled.energy(-(x @ coupled.param("W", (4, 3)) @ y) - y @ coupled.param("S", (3, 3)) @ y)
print(Compiler(coupled.build()).answer(Sweep(("x", "y"))))

# %% What is integrated out for a block is drawn right after it
slab = pgmc.Model("slab")
x, s, g = slab.real("x", 4), slab.real("s", 3), slab.binary("g", 3)
slab.energy((x**2).sum() + (s**2).sum() / 2 - x @ slab.param("V", (4, 3), init=0.1) @ (s * g))
print(*pgmc.compile(slab).blocks, sep="\n")

# %% [markdown]
# Directed factors are sampled from parents to children instead, in one pass.

# %% An ancestral pass
from pgmc.ir.queries import Ancestral

net = pgmc.Model("net")
z, x = net.binary("z", 3), net.binary("x", 4)
net.directed(z, pgmc.Bernoulli(logits=net.param("c", 3)))
net.directed(x, pgmc.Bernoulli(logits=net.param("W", (4, 3)) @ z))
print(Compiler(net.build()).answer(Ancestral(("z", "x"))))

# %% [markdown]
# Blocks can be imposed, and are checked: `pgmc.compile(m, blocks=...)`. Next: [the code](code.md).
