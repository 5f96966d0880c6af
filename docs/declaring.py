# %% [markdown]
# # Declaring a model
#
# A model is a probability distribution p(x) = exp(-E(x)) / Z over arrays of units. You declare the arrays and the
# energy; everything else is derived.

# %% Variables, parameters, inputs
import numpy as np

import pgmc
from pgmc.ir.queries import Energy

m = pgmc.Model("tour")
v = m.binary("v", 6)  # 0 or 1
s = m.spin("s", (2, 3))  # -1 or +1, in two rows of three
y = m.categorical("y", states=4)  # one of four states; one-hot in expressions, 0 to 3 in data
u = m.input("u", 5)  # always given, never sampled: the model is conditional on it
W = m.param("W", (6, 2, 3))  # trained
A = m.param("A", (5, 6))
U = m.param("U", (4, 6))
J = m.param("J", (6, 6), symmetric=True, zero_diagonal=True)  # kept so, gradients included
pull = m.constant("pull", np.linspace(-1, 1, 6))  # never trained

# %% [markdown]
# ## Two notations, mixed at will
#
# Arrays as in NumPy, or indices. An index of a summand runs over the whole axis it stands on, and is summed over the
# product it stands in. Every call of `energy` adds terms.

# %% The energy
i, j, k, r, c = pgmc.indices("i j k r c")
m.energy(-pgmc.einsum("i,rc,irc->", v, s, W))
m.energy(-(u @ A @ v) - pull @ v, name="drive")
m.energy(-U[k, i] * y[k] * v[i])
m.energy(-v[i] * J[i, j] * v[j])
m.energy(0.5 * (v.sum() - 2) ** 2, name="about_two")
print(m)

# %% What follows
p = pgmc.compile(m)
print(p)

# %% [markdown]
# ## Real units
#
# A unit whose energy is quadratic in it is normal given the others. The precision is the curvature of the energy, which
# may depend on parameters, inputs and other units; real units that interact are drawn from their joint normal law.
# Something has to hold a unit back: an energy without a lower bound is refused here, and a precision that is not
# positive at run time, with the name of its parameter.

# %% Units whose means, and then whose covariance, others switch
continuous = pgmc.Model("real_units")
value, switch = continuous.real("value", 3), continuous.binary("switch", 4)
tilt, scale = continuous.param("tilt", (3, 4)), continuous.param("scale", 3, positive=True)
continuous.energy((scale * value**2).sum() / 2 - value @ tilt @ switch)
print(pgmc.compile(continuous).conditional("value"))
continuous.energy(((value @ tilt) ** 2) @ switch / 2)
print(pgmc.compile(continuous).conditional("value"))

# %% [markdown]
# ## Nonlinear functions
#
# `exp log sigmoid softplus tanh relu sqrt square cos lgamma logsumexp` take any expression. A unit with two
# values has a conditional whatever the energy: its logit is the difference of the local energy between the two.

# %% A softplus of a sum
n = pgmc.Model("soft")
x = n.spin("x", 8)
V = n.param("V", (8, 3))
n.energy(-pgmc.softplus(x @ V).sum())
print(pgmc.compile(n).conditional("x"))

# %% [markdown]
# Inside a function all parts must carry the same indices, so that it is clear what is summed first. Where they do
# not, a sum is written.

# %% A written sum
n.energy(0.1 * pgmc.Sum(x[i] * V[i, j], i) ** 2)
print(pgmc.compile(n).conditional("x"))

# %% [markdown]
# ## Relations and offsets
#
# `where=` restricts a sum; `x[i, j + 1]` is a neighbour. A periodic axis goes round. An open one, the default, ends: an
# instance with a place outside is left out; of a product of sums only the products that reach outside, and a function
# as a whole.

# %% Half of the pairs, and neighbours
q = pgmc.Model("pairs")
t = q.spin("t", 5)
B = q.param("B", (5, 5))
q.energy(-pgmc.Sum(B[i, j] * t[i] * t[j], (i, j), where=j < i))
print(pgmc.compile(q).conditional("t"))

torus = pgmc.Model("torus")
z = torus.spin("z", (4, 4), boundary="periodic")
K = torus.param("K")
torus.energy(-K * z[r, c] * z[r, c + 1] - K * z[r, c] * z[r + 1, c])
print(pgmc.compile(torus).conditional("z"))

sheet = pgmc.Model("sheet")
z = sheet.spin("z", (4, 4))
K = sheet.param("K")
sheet.energy(-K * z[r, c] * (z[r, c + 1] + z[r + 1, c]))
print(pgmc.compile(sheet).conditional("z"))

# %% [markdown]
# Places are sums of integers, indices and multiples of indices. A brick of weights that is laid on every place of an
# image is a convolution; the conditional of the image is the convolution back. With `v[2 * r + a]` it takes strides. An
# index that stands alone nowhere stops where the sum would leave the axis.

# %% Convolutions
brick = pgmc.Model("brick")
image = brick.binary("image", (8, 8))
maps = brick.binary("maps", (3, 6, 6))
F = brick.param("F", (3, 3, 3))
k, a_row, a_column = pgmc.indices("k a b")
brick.energy(-maps[k, r, c] * F[k, a_row, a_column] * image[r + a_row, c + a_column])
for name in ("maps", "image"):
    print(pgmc.compile(brick).conditional(name))

# %% [markdown]
# ## Edges
#
# `m.edges` takes the rows of a list and gives the number of an edge and a place for each column. The list is data: any
# other compiles to the same kernels, and the sum over the edges of a unit goes through these alone. Units are drawn
# colour by colour, where units of one colour share no edge; so are those of a lattice.

# %% A ring with a chord
glass = pgmc.Model("glass")
u = glass.spin("u", 5)
e, a, b = glass.edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2)])
L = glass.param("L", 6)
glass.energy(-L[e] * u[a] * u[b])
print(pgmc.compile(glass).conditional("u"))
print(*pgmc.compile(glass).blocks, sep="\n")

# %% [markdown]
# ## Parameters that training leaves alone
#
# `fixed=True` keeps a parameter from being moved by gradients; a callback of `fit` may return new values for it after
# an epoch. So offsets are kept at the means of units: the energy is the same up to biases, and its gradient is the
# centred statistic.

# %% Offsets
centred = pgmc.Model("centred")
pixels, U = centred.binary("x", 5), centred.param("U", (5, 5), symmetric=True, zero_diagonal=True)
mean = centred.param("mean", 5, init=0.5, fixed=True)
centred.energy(-((pixels - mean) @ U @ (pixels - mean)))
print(pgmc.compile(centred).conditional("x"))
print(pgmc.compile(centred).gradient_equations()["gradient(U)"])

# %% [markdown]
# ## Directed factors
#
# A factor p(child | parents) is a distribution for every unit of a variable. Its energy -log p joins the others, so
# posteriors, gradients and everything else are derived as before. Since it is normalised, Z is a sum over the variables
# without a factor, and children are drawn in one pass. In index notation the child's indices are free, any other index
# is summed within its product, and a unit may depend on those before it.

# %% Causes, and what they bring about
net = pgmc.Model("net")
cause, effect = net.binary("cause", 3), net.binary("effect", 5)
V, b, c = net.param("V", (3, 5)), net.param("b", 5), net.param("c", 3)
net.directed(cause, pgmc.Bernoulli(logits=c))
net.directed(effect, pgmc.Bernoulli(logits=cause @ V + b))
print(pgmc.compile(net).compiler.structure)
print(pgmc.compile(net).conditional("cause").explain())

# %% Each unit given those before it
chain = pgmc.Model("chain")
x, W, b = chain.binary("x", 6), chain.param("W", (6, 6)), chain.param("b", 6)
chain.directed(x[i], pgmc.Bernoulli(logits=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i)))
print(pgmc.compile(chain).equations()["factor(x)"])

# %% [markdown]
# ## Named values
#
# `define` gives a name to what is worked out on the way: it is printed by that name, and computed once. It stands
# wherever an expression may, so a network is written layer by layer. Gradients go through the names backwards, as
# back-propagation is written: δ is the derivative of the energy with respect to a named value. Each layer is one
# product of matrices forward and two back. In index notation `axes=` says in which order the open indices
# are the axes; any other is summed.

# %% A net with a hidden layer
deep = pgmc.Model("deep")
x, z = deep.binary("x", 5), deep.binary("z", 3)
V, U, b = deep.param("V", (4, 3)), deep.param("U", (5, 4)), deep.param("b", 5)
a = deep.define("a", pgmc.tanh(V @ z))
deep.directed(z, pgmc.Bernoulli(logits=0))
deep.directed(x, pgmc.Bernoulli(logits=U @ a + b))
print(pgmc.compile(deep).gradient_equations())

# %% [markdown]
# Everything else is derived from the same model with the names written out: a unit with two values that feeds a layer
# has the difference of its energy at both, which takes a pass through the layers for each unit. Functions that are
# nested without names get some, such as `tanh_1`.
#
# A real unit that feeds a layer is of no family, and is drawn by slice sampling. Where a guide draws it from a normal
# law, the draw is μ + σ·ε with normal noise ε, and `pgmc.ELBO()` trains both nets by the bound through the draws:
# divergences between normal laws are in closed form, all else is differentiated through the draw.

# %% A code that is inferred
auto = pgmc.Model("auto")
x, z = auto.binary("x", 5), auto.real("z", 2)
auto.directed(z, pgmc.Normal(mean=0))
auto.directed(x, pgmc.Bernoulli(logits=auto.param("U", (5, 2)) @ z))
infer = auto.guide()
g = infer.define("g", pgmc.tanh(infer.param("R", (4, 5)) @ x))
infer.directed(z, pgmc.Normal(mean=infer.param("M", (2, 4)) @ g, scale=pgmc.exp(infer.param("s", 2))))
bound = pgmc.compile(auto).compiler.reparametrised()
for name in ("z", "E"):
    print(next(line for line in str(bound.derive(Energy())).splitlines() if line.startswith(name)))

# %% [markdown]
# ## Units that restrict one another
#
# Of the units of an `exclusive` block at most one is on: probabilistic max pooling. `pooled()` is 1 where any of a
# block is. A block is drawn from its joint law, as are counts with a `total`, a number or an input. Counts have the
# base measure 1/k!, which the energy shows as log Γ(k + 1); no temperature changes it.

# %% Detectors pooled in pairs, and words of a document
pool = pgmc.Model("pool")
image, detector = pool.binary("image", 5), pool.binary("detector", (3, 4), exclusive=(1, 2))
top = pool.binary("top", 2)
F, G = pool.param("F", (5, 3, 4)), pool.param("G", (3, 2, 2))
pool.energy(-pgmc.einsum("i,jk,ijk->", image, detector, F) - pgmc.einsum("jb,a,jba->", detector.pooled(), top, G))
print(pgmc.compile(pool).conditional("detector"))

text = pgmc.Model("text")
length = text.input("length")
word, topic = text.count("word", 100, total=length), text.binary("topic", 5)
text.energy(-(word @ text.param("W", (100, 5)) @ topic) - text.param("b", 100) @ word)
print(pgmc.compile(text))

# %% [markdown]
# ## Mistakes
#
# An error names the object, the line where you wrote it, the reason, and what to do.

# %% Three of them
wrong = pgmc.Model("wrong")
a = wrong.binary("a", 6)
b = wrong.binary("b", 4)
M = wrong.param("M", (6, 4))
for mistake in (
    lambda: wrong.energy(a @ b),
    lambda: wrong.energy(-a[i] * (M[i, j] * b[j] + a[i])),
    lambda: wrong.energy((a[i] * M[i, j]) ** 2),
):
    try:
        mistake()
    except pgmc.PgmcError as error:
        print(f"{type(error).__name__}: {str(error).rpartition('/')[2]}\n")

# %% [markdown]
# ## States
#
# A state is a dict of arrays with an axis of examples or chains in front; parameters are a dict of arrays.

# %% Sampling given the input
params = p.init(seed=0)
given = np.random.default_rng(0).normal(size=(3, 5))
state = p.sample(params, chains=3, sweeps=100, inputs={"u": given}, seed=0)
print(state)
print(
    p.conditional("y").evaluate(params, {name: state[name][:, -1] for name in state} | {"u": given})["probs"].round(3)
)
