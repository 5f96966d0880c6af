# %% [markdown]
# # 3. What follows from structure: `pgmc/analysis`
#
# Which units interact decides what can be drawn at once. Nothing here depends on a name of a model, and nothing on a
# size.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)

# %% The interaction graph, its structure and the blocks of a sweep
p = pgmc.compile(m)
print(dict(p.graph.nodes(data="kind")), list(p.graph.edges))
print(p.structure)
print(*p.blocks, sep="\n")

# %% [markdown]
# Two groups of units with no term inside a group are two blocks, whatever the number of layers they are made of.
# Neighbours on a lattice need colours, and where every unit meets every other one, they come one after another.

# %% Other structures
i, j = pgmc.indices("i j")

layered = pgmc.Model("layered")
a, b, c = (layered.binary(name, 5) for name in "abc")
layered.energy(-(a @ layered.param("A", (5, 5)) @ b) - b @ layered.param("B", (5, 5)) @ c)

lattice = pgmc.Model("lattice")
s, J = lattice.spin("s", (6, 6), boundary="periodic"), lattice.param("J")
lattice.energy(-J * s[i, j] * s[i + 1, j] - J * s[i, j] * s[i, j + 1])

odd = pgmc.Model("odd")
s, J = odd.spin("s", 5, boundary="periodic"), odd.param("J")
odd.energy(-J * s[i] * s[i + 1])

dense = pgmc.Model("dense")
x = dense.binary("x", 5)
dense.energy(-(x @ dense.param("U", (5, 5)) @ x))

three = pgmc.Model("three")
x, y, z = (three.binary(name, 4) for name in "xyz")
three.energy(-pgmc.einsum("i,j,k,ijk->", x, y, z, three.param("T", (4, 4, 4))))

for each in (layered, lattice, odd, dense, three):
    program = pgmc.compile(each)
    print(f"{each.name}: {program.structure}", *(f"  {block}" for block in program.blocks), sep="\n")

# %% [markdown]
# Next: [the mathematics](derivation.md).
