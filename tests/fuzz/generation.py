"""Random specifications: any mixture of what the language can say, small enough to enumerate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeVar

import numpy as np

from language import (
    UNITS,
    Add,
    Array,
    Expression,
    Function,
    LogSumExp,
    Number,
    Power,
    Product,
    Read,
    Specification,
    Sum,
    free_letters,
)
from meaning import Values

T = TypeVar("T")

MOST_STATES, MOST_WEIGHTS, MOST_LETTERS = 32, 48, 5
SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (2,), (3,), (4,), (5,), (2, 2), (2, 3))
BLOCKS: dict[tuple[int, ...], list[tuple[int, ...]]] = {(4,): [(2,), (4,)], (3,): [(3,)], (2, 2): [(2, 2), (1, 2)]}
SAFE = ("exp", "sigmoid", "softplus", "tanh", "relu", "cos", "square", "log", "sqrt")


def random_specification(seed: int, most_states: int = MOST_STATES) -> Specification:
    """The specification of a seed."""
    return _Draw(np.random.default_rng([seed, 1]), most_states).specification()


def random_values(spec: Specification, seed: int, size: float = 1.0) -> tuple[dict[str, Values], dict[str, Values]]:
    """Values of the parameters that fulfil their constraints, and one row of inputs."""
    rng = np.random.default_rng([seed, 2])
    scale = size * rng.choice([0.3, 1.0])
    params = {a.name: constrained(a, rng.normal(scale=scale, size=a.shape)) for a in spec.of_kind("param")}
    for array in spec.of_kind("param"):
        if "positive" in array.options:
            params[array.name] = np.exp(params[array.name])
    inputs = {
        array.name: rng.integers(array.states, size=(1, *array.shape))
        if array.states
        else rng.normal(size=(1, *array.shape))
        for array in spec.of_kind("input")
    }
    return params, inputs


def constrained(array: Array, value: Values) -> Values:
    """The nearest value that is symmetric, has no diagonal, and is zero where it is masked."""
    if "symmetric" in array.options:
        value = (value + np.swapaxes(value, -1, -2)) / 2
    if "zero_diagonal" in array.options:
        value = value * (1 - np.eye(array.shape[0]))
    return value * np.reshape(array.mask, array.shape) if array.mask else value


@dataclass
class _Draw:
    """Draws one specification; ``arrays`` grows with it."""

    rng: np.random.Generator
    most_states: int
    arrays: list[Array] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)  # of the letters of the present term that are not bound
    named: set[str] = field(default_factory=set)  # all of its letters: none has two sizes
    apart: set[str] = field(default_factory=set)  # exclusive groups in the term: their units may not be coupled
    states: set[str] = field(default_factory=set)  # letters that run over states, which no offset may move

    # ---- declarations ----------------------------------------------------------------------------------------------

    def specification(self) -> Specification:
        """Variables, now and then an input, and one to four terms."""
        for name in "xyz"[: self.pick([1, 2, 3], [0.25, 0.5, 0.25])]:
            self.declare_units(name)
        if self.chance(0.25):
            kind = {"states": 3} if self.chance(0.4) else {}
            self.arrays.append(Array("u", "input", self.pick([(), (2,), (3,)]), **kind))
        terms = tuple(self.term() for _ in range(self.pick([1, 2, 3, 4])))
        return Specification(tuple(self.arrays), terms)

    def declare_units(self, name: str) -> None:
        """A group of units, as large as the states that are left allow."""
        kind = self.pick(UNITS, [0.4, 0.35, 0.25])
        states = self.pick([2, 3, 4], [0.2, 0.6, 0.2]) if kind == "categorical" else 0
        left = self.most_states // math.prod(array.joint_states for array in self.arrays)
        groups = [Array(name, kind, shape, states) for shape in SHAPES]
        fitting = [group for group in groups if group.joint_states <= left]
        if fitting:
            weights = np.array([1 + 2 * math.prod(group.shape) for group in fitting], dtype=float)
            group = self.pick(fitting, weights / weights.sum())
            round_ = bool(group.shape) and min(group.shape) > 1 and self.chance(0.25)
            apart = kind == "binary" and group.shape in BLOCKS and not round_ and self.chance(0.5)
            blocks = self.pick(BLOCKS[group.shape]) if apart else ()
            self.arrays.append(replace(group, periodic=round_, exclusive=blocks))

    def weight(self, places: Sequence[str]) -> Read:
        """A parameter or a constant over some letters: a new one, or one that is there already."""
        shape = tuple(self.sizes[letter] for letter in places)
        known = [a for a in self.arrays if a.kind in ("param", "constant") and a.shape == shape and not a.periodic]
        if known and self.chance(0.15):
            return Read(self.pick(known).name, tuple((letter, 0) for letter in places))
        name = next(name for name in "WVUTRSQPNMLKJHGFEDCBA" if all(name != a.name for a in self.arrays))
        self.arrays.append(self._constant(name, shape) if self.chance(0.12) else self._parameter(name, shape))
        return Read(name, tuple((letter, 0) for letter in places))

    def _constant(self, name: str, shape: tuple[int, ...]) -> Array:
        values = np.round(self.rng.normal(size=shape), 2)
        return Array(name, "constant", shape, value=tuple(float(x) for x in np.ravel(values)))

    def _parameter(self, name: str, shape: tuple[int, ...]) -> Array:
        square = len(shape) == 2 and shape[0] == shape[1] > 1
        if square and self.chance(0.5):
            return Array(name, "param", shape, options=self.pick([("symmetric",), ("symmetric", "zero_diagonal")]))
        if square and self.chance(0.2):
            return Array(name, "param", shape, options=("zero_diagonal",))
        if shape and self.chance(0.2):
            mask = self.rng.random(math.prod(shape)) < 0.6
            return Array(name, "param", shape, mask=tuple(int(keep) for keep in mask))
        return Array(name, "param", shape, options=("positive",) if self.chance(0.05) else ())

    # ---- terms -----------------------------------------------------------------------------------------------------

    def term(self) -> Expression:
        """A number times a weight times one to four factors."""
        self.sizes, self.named, self.states, self.apart = {}, set(), set(), set()
        around = [a for a in self.arrays if a.kind in UNITS and a.shape and min(a.shape) > 1 and not a.exclusive]
        lattice = self.pick(around) if around else None
        if lattice is not None and len(lattice.shape) == 1 and not lattice.periodic and self.chance(0.1):
            factors = self.convolution(lattice)
        elif lattice is not None and self.chance(0.5 if lattice.periodic else 0.15):
            factors = self.neighbours(lattice)
            factors += [self.moved(weight, lattice) for weight in self.weights(factors)]
        else:
            factors = [self.factor() for _ in range(self.pick([1, 2, 3, 4], [0.25, 0.45, 0.25, 0.05]))]
            factors += self.weights(factors)
        number = Fraction(self.pick([-1, -1, 1, 2]), self.pick([1, 1, 2]))
        if number != 1:
            factors.insert(0, Number(number))
        if self.chance(0.1) and not self.apart:
            factors = [self._apart(factors)]
        body = factors[0] if len(factors) == 1 else Product(tuple(factors))
        return self.related(body)

    def weights(self, factors: Sequence[Expression]) -> list[Expression]:
        """Weights over all, some or none of the letters, sometimes one of two factors."""
        letters = list(dict.fromkeys(letter for part in factors for letter in free_letters(part)))
        self.rng.shuffle(letters)
        if not letters:
            return [self.weight([])] if self.chance(0.7) else []
        kept = letters if self.chance(0.75) else letters[: self.rng.integers(len(letters) + 1)]
        if math.prod(self.sizes[letter] for letter in kept) > MOST_WEIGHTS:
            return [self.weight(letters[:1]), self.weight(letters[1:2])]
        if len(kept) == 1 and self.chance(0.1):
            kept = kept * 2  # the diagonal of a matrix
        weight: Expression = self.weight(kept)
        if self.chance(0.07):
            weight = self.pick([Function("exp", weight), Power(weight, 2)])
        return [weight, self.weight(kept[:1])] if self.chance(0.1) and kept else [weight]

    def related(self, body: Expression) -> Expression:
        """The sum restricted by a relation between two letters of one size, now and then."""
        free = free_letters(body)
        pairs = [(a, b) for a in free for b in free if a < b and self.sizes[a] == self.sizes[b]]
        if not pairs or self.chance(0.6):
            return body
        left, right = self.pick(pairs)
        over = tuple(free) if self.chance(0.5) else (left, right)
        return Sum(body, over, ((left, self.pick(["<", "<", "<=", "!=", "=="]), right),))

    def _apart(self, factors: Sequence[Expression]) -> Expression:
        """A function or a power of the whole term."""
        body = Product(tuple(factors))
        return self.pick([Power(Sum(body, free_letters(body)), 2), *self._functions(Sum(body, free_letters(body)))])

    # ---- factors ---------------------------------------------------------------------------------------------------

    def factor(self) -> Expression:
        """Something that depends on the units of a group."""
        kind = self.pick(["read", "centred", "field", "power", "function", "unit"], [0.64, 0.06, 0.06, 0.1, 0.1, 0.04])
        if kind in ("read", "centred"):
            read = self.read()
            free = free_letters(read)
            return read if kind == "read" else Add((read, Product((Number(Fraction(-1)), self.weight(free)))))
        if kind == "unit":
            read = self.read()
            if self.chance(0.2):  # of what has no parameter: its derivative is none of the functions
                return Function("lgamma", Add((Number(Fraction(5)), read)))
            return Function(self.pick(["exp", "tanh", "softplus"]), Product((read, self.weight(free_letters(read)))))
        inner = self.field()
        if kind == "field":
            return inner
        if kind == "power":
            return Power(inner, self.pick([2, 2, 3]))
        return self.pick(self._functions(inner))

    def _functions(self, inner: Expression) -> list[Expression]:
        """Functions, kept inside their domains and within bounds."""
        inside: dict[str, Expression] = {
            "exp": Function("tanh", inner),
            "log": Add((Number(Fraction(2)), Power(inner, 2))),
            "sqrt": Add((Number(Fraction(1)), Power(inner, 2))),
        }
        found: list[Expression] = [Function(name, inside.get(name, inner)) for name in SAFE]
        free = free_letters(inner)
        return [*found, LogSumExp(inner, free[-1:])] if free else found

    def field(self) -> Expression:
        """Σ_i x_i W_if + c_f, with or without f and c."""
        before = dict(self.sizes)
        read = self.read(fresh=True)
        own = free_letters(read)
        target = [self.letter(self.pick([2, 3]), reuse=True)] if self.chance(0.6) else []
        target = [letter for letter in target if letter not in own]
        body = Product((read, self.weight([*own, *target])))
        summed: Expression = Sum(body, own) if own else body
        self.sizes = before | {letter: self.sizes[letter] for letter in target}
        return Add((summed, self.weight(target))) if self.chance(0.5) else summed

    def read(self, fresh: bool = False) -> Read:
        """The units of a group, or an input: letters, now and then a position in the place of one."""
        known = [array for array in self.arrays if array.kind in (*UNITS, "input")]
        fitting = [a for a in known if not a.exclusive or not (fresh or a.name in self.apart)]
        if not fitting:
            return self.weight([self.letter(2)])
        array = self.pick(fitting)
        self.apart |= {array.name} if array.exclusive else set()
        pooled = bool(array.exclusive) and self.chance(0.4)
        places: list[tuple[str, int]] = []
        for axis, size in enumerate(array.pooled if pooled else array.full):
            if self.chance(0.06):
                places.append(("", int(self.rng.integers(size))))
                continue
            letter = self.letter(size, reuse=not fresh, taken=[letter for letter, _ in places])
            if axis == len(array.shape):
                self.states.add(letter)
            places.append((letter, 0))
        return Read(array.name, tuple(places), pooled)

    def neighbours(self, array: Array) -> list[Expression]:
        """Two or three units of a group at fixed distances."""
        own = [self.letter(size) for size in array.shape]
        states = [self.letter(array.states)] if array.states else []
        self.states |= set(states)
        factors: list[Expression] = [Read(array.name, tuple((letter, 0) for letter in [*own, *states]))]
        for _ in range(self.pick([1, 1, 2])):
            axis = int(self.rng.integers(len(own)))
            step = self.pick([1, 1, -1]) if array.shape[axis] > 2 else 1
            places = [(letter, step * (k == axis)) for k, letter in enumerate(own)]
            factors.append(Read(array.name, (*places, *((letter, 0) for letter in states))))
        return factors

    def convolution(self, array: Array) -> list[Expression]:
        """Σ v[x + a] K[a] h[x], where the sum stays inside v; h is a group of that length, or a weight."""
        size = int(self.rng.integers(1, array.shape[0] + 1))
        x, a = self.letter(size), self.letter(array.shape[0] + 1 - size)
        states = [self.letter(array.states)] if array.states else []
        self.states |= set(states)
        read = Read(array.name, ((x + a, 0), *((letter, 0) for letter in states)))
        groups = [b for b in self.arrays if b.kind in ("binary", "spin") and b.shape == (size,) and not b.exclusive]
        other = Read(self.pick(groups).name, ((x, 0),)) if groups and self.chance(0.7) else self.weight([x])
        return [read, self.weight([a, *states]), other]

    def moved(self, weight: Expression, lattice: Array) -> Expression:
        """A weight taken from the next place, now and then; it then wraps round where the lattice does."""
        if not isinstance(weight, Read) or not weight.places or self.chance(0.7):
            return weight
        (letter, _), *others = weight.places
        array = next(array for array in self.arrays if array.name == weight.name)
        if array.kind != "param" or letter in self.states or array.shape[0] < 2:
            return weight
        if lattice.periodic:
            self.arrays[self.arrays.index(array)] = replace(array, periodic=True)
        return replace(weight, places=((letter, 1), *others))

    def letter(self, size: int, reuse: bool = False, taken: Sequence[str] = ()) -> str:
        """A letter of a size: a new one, or one of the present term."""
        known = [letter for letter, other in self.sizes.items() if other == size and letter not in taken]
        if (known and reuse and self.chance(0.25)) or (known and len(self.sizes) >= MOST_LETTERS):
            return self.pick(known)
        name = next(name for name in "ijklnoabcdefghpqrst" if name not in self.named)
        self.named.add(name)
        self.sizes[name] = size
        return name

    # ---- chance ----------------------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """True with a probability."""
        return bool(self.rng.random() < probability)

    def pick(self, choices: Sequence[T], weights: Sequence[float] | Values | None = None) -> T:
        """One of the choices."""
        return choices[int(self.rng.choice(len(choices), p=weights))]
