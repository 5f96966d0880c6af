# %% [markdown]
# # 4. Mathematics: `pgmc/derivation`
#
# A query asks, an answer is expressions again, so that queries nest: the gradient of a free energy is a query. The
# family of a unit is found from its local energy, not from its declaration alone; what has no closed form is
# refused with the reason.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)

# %% Queries and their answers
from pgmc.compiler import Compiler
from pgmc.ir.queries import Conditional, Energy, FreeEnergy, Gradient

compiler = Compiler(m.build())
for query in (
    Energy(),
    Conditional("v"),
    Conditional("h"),
    FreeEnergy(("v",)),
    Gradient(FreeEnergy(("v",)), ("W", "b")),
):
    print(type(query).__name__, compiler.derive(query), sep="\n", end="\n\n")

# %% The local energy of a unit, and the family that fits it
p = pgmc.compile(m)
print(p.conditional("v").explain())
print()
print(p.conditional("h").explain())

# %% Mean field
print(p.mean_field_equations(["v"]))

# %% A refusal
coupled = pgmc.Model("coupled")
x, y = coupled.binary("x", 4), coupled.binary("y", 3)
coupled.energy(-(x @ coupled.param("W", (4, 3)) @ y) - y @ coupled.param("S", (3, 3)) @ y)
print(pgmc.compile(coupled).free_energy_equation(["x"]))

# %% [markdown]
# ## Real units
#
# The local energy of a real unit is taken apart as a polynomial in the unit by exact arithmetic on coefficients that
# are expressions. Where units interact, the law is that of all of them together.

# %% Normal laws, unit by unit and jointly
real = pgmc.Model("real")
x, g = real.real("x", 4), real.binary("g", 3)
R, beta = real.param("R", (4, 3)), real.param("beta", 4, positive=True)
real.energy((beta * x**2).sum() / 2 - x @ R @ g)
print(pgmc.compile(real).conditional("x"))
real.energy(((x @ R) ** 2) @ g / 2)
print(pgmc.compile(real).conditional("x"))

# %% [markdown]
# ## Nested functions
#
# An energy in which functions are nested is a tape: every layer is a named value, those the user defined, those inside
# a function of a sum, and the parameters of the directed factors that are made of them. The derivative of the energy
# with respect to each is a named value again, found from the last to the first: what the energy says of it, and for
# every later value that is made of it the derivative of that times the derivative of the step between.

# %% The tape of a net, forward and back
deep = pgmc.Model("deep")
x, z = deep.binary("x", 5), deep.binary("z", 3)
V, U = deep.param("V", (4, 3)), deep.param("U", (5, 4))
a = deep.define("a", pgmc.tanh(V @ z))
deep.directed(z, pgmc.Bernoulli(logits=0))
deep.directed(x, pgmc.Bernoulli(logits=U @ a))
tape = Compiler(deep.build())
print(tape.derive(Gradient(Energy(), ("V", "U"))))
print(tape.stages(Gradient(Energy(), ("V", "U"))).array_program)

# %% [markdown]
# Each family is one function: [how to add one](../extending/family.md). Next: [the order of work](schedule.md).
