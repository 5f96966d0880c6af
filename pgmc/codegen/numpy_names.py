"""The names in a NumPy text: arguments, index arrays, lengths of axes, helper functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pgmc.analysis.axes import AxisName
from pgmc.codegen.extents import Extents
from pgmc.codegen.lower_contractions import WEIGHTS
from pgmc.codegen.names import NameRegistry
from pgmc.ir.model import Model
from pgmc.ir.nodes import Index
from pgmc.ir.signatures import Argument, Role
from pgmc.ir.symbols import Constant, Parameter, Symbol, Variable, block_axis, is_one_hot, is_per_example

EXAMPLES = Index(0, "n")
"""Stands for the axis of the examples; no other index has its key."""

HELPERS = {
    "sigmoid": '''\
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0.0, -x))
''',
    "softplus": '''\
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(0.0, x)
''',
    "relu": '''\
def relu(x):
    """max(x, 0)."""
    return np.maximum(x, 0.0)
''',
    "step": '''\
def step(x):
    """1 where x is positive, else 0."""
    return np.where(x > 0.0, 1.0, 0.0)
''',
    "lgamma": """\
lgamma = np.vectorize(math.lgamma, otypes=[float])
""",
    "digamma": '''\
def digamma(x):
    """The derivative of log Γ: ψ(x) = ψ(x + 10) - Σ_k 1/(x + k), and there the asymptotic series."""
    y = x + 10.0
    t = 1.0 / y**2
    series = 1.0 / 240.0 - t * (1.0 / 132.0 - t * (691.0 / 32760.0))
    series = t * (1.0 / 12.0 - t * (1.0 / 120.0 - t * (1.0 / 252.0 - t * series)))
    return np.log(y) - 0.5 / y - series - sum(1.0 / (x + k) for k in range(10))
''',
    "xlogx": '''\
def xlogx(x):
    """x log x, and 0 where x is 0."""
    positive = np.where(x > 0.0, x, 1.0)
    return np.where(x > 0.0, x * np.log(positive), 0.0)
''',
    "logsumexp": '''\
def logsumexp(x, axis):
    """log Σ exp(x) along axes, the largest exponent taken out."""
    top = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=axis)) + top.squeeze(axis)
''',
    "draw_categorical": '''\
def draw_categorical(logits, u):
    """The first state at which the cumulative probability exceeds u; the states are the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    cumulative = np.cumsum(weights, axis=-1)
    total = cumulative[..., -1:]
    return np.argmax((cumulative > u[..., None] * total) | (cumulative == total), axis=-1)
''',
    "draw_poisson": '''\
def draw_poisson(log_rate, u):
    """The first count at which the cumulative probability exceeds u."""
    rate = np.exp(np.broadcast_to(log_rate, u.shape))
    count, term = np.zeros(u.shape), np.exp(-rate)
    cumulative = term.copy()
    while (more := (cumulative <= u) & (term > 0)).any():
        count += more
        term = np.where(more, term * rate / np.maximum(count, 1), term)
        cumulative += more * term
    return count
''',
    "draw_multinomial": '''\
def draw_multinomial(logits, total, u):
    """Counts along the last axis, one after the other: each binomial given those before, by inversion of its u."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    left, counts = np.broadcast_to(total, logits.shape)[..., 0].copy(), np.zeros(logits.shape)
    for k in range(logits.shape[-1]):
        odds = weights[..., k] / np.maximum(weights[..., k + 1 :].sum(axis=-1), 1e-300)
        count, term = np.zeros(left.shape), (1.0 + odds) ** -left
        cumulative = term.copy()
        while (more := (cumulative <= u[..., k]) & (count < left)).any():
            term = np.where(more, term * odds * (left - count) / (count + 1), term)
            count += more
            cumulative += more * term
        counts[..., k] = count
        left -= count
    return counts
''',
    "draw_exclusive": '''\
def draw_exclusive(logits, u, block):
    """At most one 1 in every block: all off, or unit k, with probability in the ratio 1 : exp(logits[k])."""
    n, *shape = logits.shape
    split = [n, *(part for size, length in zip(shape, block) for part in (size // length, length))]
    order = [0, *range(1, len(split), 2), *range(2, len(split), 2)]
    blocks = logits.reshape(split).transpose(order)
    rows = blocks.reshape(*blocks.shape[: 1 + len(block)], -1)
    rows = np.concatenate([np.zeros_like(rows[..., :1]), rows], axis=-1)
    first = u[(slice(None), *(slice(None, None, length) for length in block))]
    drawn = draw_categorical(rows, first)[..., None] == np.arange(1, rows.shape[-1])
    return drawn.reshape(blocks.shape).transpose(np.argsort(order)).reshape(logits.shape)
''',
}

HELPERS["draw_joint_normal"] = '''\
def draw_joint_normal(field, precision, z):
    """x of the density exp(field · x - x · precision · x / 2) in every row, from normal numbers z."""
    lower = np.linalg.cholesky(precision.reshape((len(field), field[0].size, field[0].size)))
    pull = np.linalg.solve(lower, field.reshape((len(field), -1, 1))) + z.reshape((len(field), -1, 1))
    return np.linalg.solve(np.swapaxes(lower, 1, 2), pull).reshape(field.shape)
'''

ARGUMENTS = ("uniform", "normal", "first_sweep", "sweeps", "weights", "sweep")


@dataclass(slots=True)
class NumpyNames:
    """Hands out names and remembers which arguments, index arrays and helpers a text mentions."""

    model: Model
    registry: NameRegistry = field(default_factory=lambda: NameRegistry((*HELPERS, *ARGUMENTS)))
    extents: Extents = field(default_factory=lambda: Extents({}, {}))
    helpers: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)
    _states: dict[AxisName, str] = field(default_factory=dict)
    _sites: dict[str, str] = field(default_factory=dict)
    _orders: dict[str, str] = field(default_factory=dict)
    _masks: dict[str, str] = field(default_factory=dict)
    _numbers: dict[tuple[str, AxisName], list[str]] = field(default_factory=dict)
    _indices: dict[Index, str] = field(default_factory=dict)
    _definitions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.aliases = {s.name: self.registry.claim(s.name) for s in self.model.symbols} | {WEIGHTS.name: "weights"}

    def array(self, symbol: Symbol) -> str:
        """The name of a symbol's array; an argument, unless it is a buffer."""
        if symbol.name in self.aliases:
            self.used[symbol.name] = None
        return self.aliases.get(symbol.name, symbol.name)

    def helper(self, name: str) -> str:
        """The name of a helper function, whose text is then included."""
        self.helpers[name] = None
        return name

    # -- lengths -------------------------------------------------------------------------------------------------

    def examples(self) -> str:
        """The number of examples."""
        per_example: tuple[Symbol, ...] = (*self.model.variables, *self.model.inputs, WEIGHTS)
        rows = [symbol for symbol in per_example if symbol.name in self.used]
        return f"len({self.array((*rows, *self.model.variables)[0])})"

    def length(self, index: Index) -> str:
        """The number of values of an index: the length of an axis of some argument."""
        return self.examples() if index == EXAMPLES else self.axis_length(self.extents.axis(index))

    def axis_length(self, axis: AxisName) -> str:
        """The number of positions along an axis, of states, or of blocks along an axis."""
        known = sorted(self.model.symbols, key=lambda symbol: symbol.name not in self.used)
        for symbol in known:
            for k in range(len(symbol.axes)):
                if self.extents.axes[symbol.name, k] == axis:
                    return f"{self.array(symbol)}.shape[{k + is_per_example(symbol)}]"
        for variable in (symbol for symbol in known if isinstance(symbol, Variable)):
            for k, length in enumerate(variable.exclusive):
                if self.extents.axes.get((variable.name, block_axis(k))) == axis:
                    return f"{self.array(variable)}.shape[{k + 1}] // {length}"
        if axis not in self._states:
            self._states[axis] = self.registry.claim(f"states_{axis[0]}")
        return self._states[axis]

    def numbers(self, index: Index) -> str:
        """The array of an index's values: the user's letter, unless another index of the moment has it."""
        if index not in self._indices:
            key = index.name, self.extents.axis(index)
            known = self._numbers.setdefault(key, [])
            free = [name for name in known if name not in self._indices.values()]
            if not free:
                free = [self.registry.claim(index.name)]
                known += free
                self._definitions.append(f"{free[0]} = np.arange({self.length(index)})")
            self._indices[index] = free[0]
        return self._indices[index]

    def release(self, indices: Iterable[Index]) -> None:
        """Let other indices have the letters of these."""
        for index in indices:
            self._indices.pop(index, None)

    @property
    def definitions(self) -> tuple[str, ...]:
        """The lines that make the index arrays."""
        return tuple(self._definitions)

    # -- arguments -----------------------------------------------------------------------------------------------

    def site(self, variable: Variable) -> str:
        """The argument with the number of the variable's first unit."""
        if variable.name not in self._sites:
            self._sites[variable.name] = self.registry.claim(f"site_{variable.name}")
        return self._sites[variable.name]

    def order(self, variable: Variable) -> str:
        """The argument with the positions of the variable's units, in the order in which they are drawn."""
        if variable.name not in self._orders:
            self._orders[variable.name] = self.registry.claim(f"order_{variable.name}")
        return self._orders[variable.name]

    def mask(self, variable: Variable) -> str:
        """The argument that says which units keep their values."""
        if variable.name not in self._masks:
            self._masks[variable.name] = self.registry.claim(f"keep_{variable.name}")
        return self._masks[variable.name]

    def arguments(self) -> tuple[Argument, ...]:
        """What the text mentions, in the order of declaration, arrays first."""
        found = [self._argument(symbol) for symbol in self.model.symbols if symbol.name in self.used]
        if WEIGHTS.name in self.used:
            found.append(Argument("weights", Role.WEIGHTS, "weights", 1, "float64"))
        found += [Argument(name, Role.EXTENT, axis[0], 0, "int64", axis[1]) for axis, name in self._states.items()]
        found += [Argument(name, Role.SITE, variable, 0, "int64") for variable, name in self._sites.items()]
        found += [Argument(name, Role.ORDER, variable, 2, "int64") for variable, name in self._orders.items()]
        ranks = {variable.name: 1 + len(variable.axes) for variable in self.model.variables}
        return (*found, *(Argument(name, Role.MASK, v, ranks[v], "bool") for v, name in self._masks.items()))

    def _argument(self, symbol: Symbol) -> Argument:
        role = Role.CONSTANT if isinstance(symbol, Constant) else Role.INPUT
        if isinstance(symbol, Variable | Parameter):
            role = Role.STATE if isinstance(symbol, Variable) else Role.PARAMETER
        rank = len(symbol.axes) + is_per_example(symbol)
        return Argument(
            self.aliases[symbol.name], role, symbol.name, rank, "int64" if is_one_hot(symbol) else "float64"
        )
