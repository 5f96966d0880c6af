"""Random energies of discrete units: any mixture of what the language can say, small enough to enumerate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeVar

import numpy as np

from language import (
    DISCRETE,
    Add,
    Array,
    Expression,
    Function,
    LogSumExp,
    Number,
    Place,
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


@dataclass
class Draw:
    """Draws one specification; ``arrays`` grows with it."""

    rng: np.random.Generator
    most_states: int
    arrays: list[Array] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)  # of the letters of the present term that are not bound
    named: set[str] = field(default_factory=set)  # all of its letters: none has two sizes
    apart: set[str] = field(default_factory=set)  # linked groups in the term: their units may not be coupled
    hidden: set[str] = field(default_factory=set)  # groups that may not be read
    guide: bool = False  # whether weights are of the inference net
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
        kind = self.pick(DISCRETE, [0.38, 0.32, 0.24, 0.06])
        if kind == "count":
            self.declare_counts(name)
            return
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

    def declare_counts(self, name: str) -> None:
        """Counts with a total, which is given as an input now and then."""
        total, size = self.pick([1, 2, 2, 3]), self.pick([2, 2, 3])
        given = "D" if self.chance(0.3) and all(array.name != "D" for array in self.arrays) else ""
        group = Array(name, "count", (size,), total=total, given=given)
        if group.joint_states * math.prod(array.joint_states for array in self.arrays) <= self.most_states:
            self.arrays += [Array("D", "input", value=(float(total),))] if given else []
            self.arrays.append(group)

    def weight(self, places: Sequence[str]) -> Read:
        """A parameter or a constant over some letters: a new one, or one that is there already."""
        shape = tuple(self.sizes[letter] for letter in places)
        known = [a for a in self.arrays if a.kind in ("param", "constant") and a.shape == shape and not a.periodic]
        known = [array for array in known if array.guide == self.guide]
        if known and self.chance(0.15):
            return Read(self.pick(known).name, tuple(map(Place, places)))
        name = next(name for name in "WVUTRSQPNMLKJHGFEDCBA" if all(name != a.name for a in self.arrays))
        weight = self._constant(name, shape) if self.chance(0.12) else self._parameter(name, shape)
        self.arrays.append(replace(weight, guide=self.guide))
        return Read(name, tuple(map(Place, places)))

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
        self.start_term()
        around = [a for a in self.arrays if a.kind in DISCRETE and a.shape and min(a.shape) > 1 and not a.linked]
        lattice = self.pick(around) if around else None
        if any(len(array.shape) == 1 for array in around) and self.chance(0.12):
            return self.number_of([*(ends := self.joined(around)), *self.weights(ends)])
        if lattice is not None and len(lattice.shape) == 1 and not lattice.periodic and self.chance(0.1):
            factors = self.convolution(lattice)
        elif lattice is not None and self.chance(0.5 if lattice.periodic else 0.15):
            factors = self.neighbours(lattice)
            factors += [self.moved(weight, lattice) for weight in self.weights(factors)]
        else:
            factors = [self.factor() for _ in range(self.pick([1, 2, 3, 4], [0.25, 0.45, 0.25, 0.05]))]
            factors += self.weights(factors)
        if self.chance(0.1) and not self.apart:
            factors = [self._apart(factors)]
        return self.related(self.number_of(factors))

    def start_term(self) -> None:
        """Forgets the letters of the term before."""
        self.sizes, self.named, self.states, self.apart = {}, set(), set(), set()

    def number_of(self, factors: Sequence[Expression]) -> Expression:
        """The product, with a number in front."""
        number = Fraction(self.pick([-1, -1, 1, 2]), self.pick([1, 1, 2]))
        whole = tuple(factors) if number == 1 else (Number(number), *factors)
        return whole[0] if len(whole) == 1 else Product(whole)

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
            read = self.read(affine=False)
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

    def read(self, fresh: bool = False, affine: bool = True) -> Read:
        """The units of a group, or an input: letters, now and then a position in the place of one.

        ``fresh`` letters are for sums inside powers and functions, where linked units may not be; an energy has to be
        ``affine`` in counts.
        """
        known = [a for a in self.arrays if a.kind in (*DISCRETE, "input") and (affine or a.kind != "count")]
        known = [array for array in known if array.name not in self.hidden]
        fitting = [a for a in known if not a.linked or not (fresh or _key(a) in self.apart)]
        if not fitting:
            return self.weight([self.letter(2)])
        array = self.pick(fitting)
        self.apart |= {_key(array)} if array.linked else set()
        pooled = bool(array.exclusive) and self.chance(0.4)
        places: list[Place] = []
        for axis, size in enumerate(array.pooled if pooled else array.full):
            if self.chance(0.06):
                places.append(Place("", int(self.rng.integers(size))))
                continue
            letter = self.letter(size, reuse=not fresh, taken=[place.letters for place in places])
            if axis == len(array.shape):
                self.states.add(letter)
            places.append(Place(letter))
        return Read(array.name, tuple(places), pooled)

    def neighbours(self, array: Array) -> list[Expression]:
        """Two or three units of a group at fixed distances."""
        own = [self.letter(size) for size in array.shape]
        states = [self.letter(array.states)] if array.states else []
        self.states |= set(states)
        factors: list[Expression] = [Read(array.name, tuple(map(Place, [*own, *states])))]
        for _ in range(self.pick([1, 1, 2])):
            axis = int(self.rng.integers(len(own)))
            step = self.pick([1, 1, -1]) if array.shape[axis] > 2 else 1
            places = [Place(letter, step * (k == axis)) for k, letter in enumerate(own)]
            factors.append(Read(array.name, (*places, *map(Place, states))))
        return factors

    def convolution(self, array: Array) -> list[Expression]:
        """Σ v[x + a] K[a] h[x], where the sum stays inside v; h is a group of that length, or a weight."""
        size = int(self.rng.integers(1, array.shape[0] + 1))
        x, a = self.letter(size), self.letter(array.shape[0] + 1 - size)
        states = [self.letter(array.states)] if array.states else []
        self.states |= set(states)
        read = Read(array.name, (Place(x + a), *map(Place, states)))
        groups = [b for b in self.arrays if b.kind in ("binary", "spin") and b.shape == (size,) and not b.exclusive]
        other = Read(self.pick(groups).name, (Place(x),)) if groups and self.chance(0.7) else self.weight([x])
        return [read, self.weight([a, *states]), other]

    def joined(self, groups: Sequence[Array]) -> list[Expression]:
        """The units at the ends of edges: of one group, or of two with the same states."""
        flat = [array for array in groups if len(array.shape) == 1]
        first = self.pick(flat)
        ends = [first] * self.pick([2, 2, 2, 3])
        if self.chance(0.3):
            ends[-1] = self.pick([array for array in flat if array.states == first.states])
        edges = self.edges([end.shape[0] for end in ends])
        self.sizes[edges.name] = edges.shape[0]
        states = [Place(self.letter(first.states))] if first.states else []
        return [Read(end.name, (Place(edges.name, k, True), *states)) for k, end in enumerate(ends)]

    def edges(self, sizes: Sequence[int]) -> Array:
        """A list of edges between so many units: any, repeated and joined to themselves; or one that is there."""
        known = [array for array in self.arrays if array.kind == "edges" and array.shape[1] == len(sizes)]
        fitting = [a for a in known if (np.reshape(a.value, a.shape).max(axis=0) < sizes).all()]
        if fitting and self.chance(0.5):
            return self.pick(fitting)
        name = next(name for name in "vwαβ" if all(name != array.name for array in self.arrays))
        rows = self.rng.integers(sizes, size=(int(self.rng.integers(1, 7)), len(sizes)))
        self.arrays.append(Array(name, "edges", rows.shape, value=tuple(map(float, rows.ravel()))))
        return self.arrays[-1]

    def moved(self, weight: Expression, lattice: Array) -> Expression:
        """A weight taken from the next place, now and then; it then wraps round where the lattice does."""
        if not isinstance(weight, Read) or not weight.places or self.chance(0.7):
            return weight
        first, *others = weight.places
        array = next(array for array in self.arrays if array.name == weight.name)
        if array.kind != "param" or first.letters in self.states or array.shape[0] < 2:
            return weight
        if lattice.periodic:
            self.arrays[self.arrays.index(array)] = replace(array, periodic=True)
        return replace(weight, places=(first._replace(offset=1), *others))

    def letter(self, size: int, reuse: bool = False, taken: Sequence[str] = ()) -> str:
        """A letter of a size: a new one, or one of the present term."""
        apart = {*taken, *(array.name for array in self.arrays if array.kind == "edges")}
        known = [letter for letter, other in self.sizes.items() if other == size and letter not in apart]
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


def _key(array: Array) -> str:
    """What linked groups may not be in one term: the same one, and counts of any kind."""
    return "counts" if array.kind == "count" else array.name
