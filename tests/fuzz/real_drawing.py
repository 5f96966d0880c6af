"""Random energies with real and positive units, bounded from below in every state of the discrete ones."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from directed_drawing import DirectedDraw
from language import (
    Add,
    Array,
    Expression,
    Factor,
    Function,
    Number,
    Place,
    Power,
    Product,
    Read,
    Specification,
    Sum,
    free_letters,
)

HALF = Number(Fraction(1, 2))


class RealDraw(DirectedDraw):
    """Draws one energy; squares hold real units back, and whatever else couples them is weaker or a square."""

    def specification(self) -> Specification:
        """Up to two discrete groups, one or two of real or positive units."""
        self.most_states = 8
        for name in "yt"[: self.pick([0, 1, 2], [0.15, 0.5, 0.35])]:
            group = self.group(name)
            self.arrays += [] if group is None else [group]
        if self.chance(0.2):
            self.arrays.append(Array("u", "input", self.pick([(), (2,)])))
        discrete = bool(self.arrays)
        terms: list[Expression] = [self.term() for _ in range(self.pick([0, 1, 2]) if discrete else 0)]
        factors: list[Factor] = []
        real = [self.line(name, "real") for name in "xz"[: self.pick([1, 2], [0.7, 0.3])]]
        for array in real:
            if discrete and self.chance(0.15):
                factors.append(self.normal(array))
            else:
                terms += self.quadratic(array)
            self.arrays.append(array)
        if self.chance(0.4):
            terms += self.positive(self.line("p", "positive"), real if not factors else [])
        return Specification(tuple(self.arrays), tuple(terms), tuple(factors))

    def line(self, name: str, kind: str) -> Array:
        """A few units."""
        shape = self.pick([(), (1,), (2,), (3,)] if kind == "real" else [(), (1,), (2,)])
        return Array(name, kind, shape, periodic=shape == (3,) and self.chance(0.3))

    def normal(self, array: Array) -> Factor:
        """A directed factor, with a precision of 1 or one that is learned."""
        factor = self.factor_of(array)
        letters = list(free_letters(factor.target)) if self.chance(0.5) else []
        how = self.pick(["", "precision"])
        rest = ((how, Add((HALF, Power(self.weight(letters), 2)))),) if how else ()
        return Factor(factor.target, factor.family, (*factor.parameters, *rest))

    # ---- real units ------------------------------------------------------------------------------------------------

    def quadratic(self, array: Array) -> list[Expression]:
        """½ (1 + w²)(x - μ)², and a few other terms."""
        read = self.units(array)
        centred = Add((read, Product((Number(Fraction(-1)), self.weight(free_letters(read))))))
        base = centred if self.chance(0.3) else read
        found: list[Expression] = [Product((HALF, self.scale(read), Power(base, 2)))]
        found += [self.pull(array) for _ in range(self.pick([0, 1, 2], [0.2, 0.6, 0.2]))]
        if self.chance(0.4):
            found.append(self.square(array))
        if array.shape and array.shape[0] > 1 and self.chance(0.35):
            found.append(self.coupling(array))
        return found

    def units(self, array: Array) -> Read:
        """Every unit of a group, in a new term."""
        self.start_term()
        return Read(array.name, tuple(Place(self.letter(size)) for size in array.shape))

    def scale(self, read: Expression) -> Expression:
        """1 + w², at least 1."""
        letters = free_letters(read) if self.chance(0.6) else ()
        return Add((Number(Fraction(1)), Power(self.weight(letters), 2)))

    def pull(self, array: Array) -> Expression:
        """A real unit times a weight and functions of discrete ones."""
        read = self.units(array)
        discrete = any(a.kind in ("binary", "spin", "categorical", "input") for a in self.arrays)
        factors: list[Expression] = [read, *([self.factor()] if discrete and self.chance(0.85) else [])]
        return Product((Number(Fraction(self.pick([-1, 1]))), *factors, *self.weights(factors)))

    def square(self, array: Array, gate: Expression | None = None) -> Expression:
        """½ g (Σ_i x_i W_if)², where g is a unit that is never negative, or nothing."""
        read = self.units(array)
        own = free_letters(read)
        target = [self.letter(2)] if gate is None and self.chance(0.6) else []
        if isinstance(gate, Read):
            target = [self.letter(size) for size in self.shape_of(gate.name)]
            gate = Read(gate.name, tuple(map(Place, target)))
        body = Product((read, self.weight([*own, *target])))
        summed = Power(Sum(body, own) if own else body, 2)
        groups = [a for a in self.arrays if a.kind in ("binary", "categorical")]
        if gate is None and groups and self.chance(0.5):
            group = self.pick(groups)
            gate = Read(group.name, tuple(Place(self.letter(size, reuse=True)) for size in group.full))
        return Product((HALF, *([gate] if gate is not None else []), summed))

    def shape_of(self, name: str) -> tuple[int, ...]:
        """The shape of a group that is declared."""
        return next(array.shape for array in self.arrays if array.name == name)

    def coupling(self, array: Array) -> Expression:
        """Neighbours, or all pairs, by less than what holds them back."""
        if self.chance(0.5):
            (letter,) = free_letters(self.units(array))
            ends = (Read(array.name, (Place(letter),)), Read(array.name, (Place(letter, 1),)))
            return Product((Number(Fraction(self.pick([-1, 1]), 5)), *ends))
        (left,) = free_letters(self.units(array))
        right = self.letter(array.shape[0])
        values = np.round(self.rng.uniform(-0.2, 0.2, size=array.shape * 2), 2)
        name = next(name for name in "WVUTRSQPNML" if all(name != a.name for a in self.arrays))
        self.arrays.append(Array(name, "constant", values.shape, value=tuple(map(float, values.ravel()))))
        body = Product(
            tuple(
                Read(*r)
                for r in ((name, (Place(left), Place(right))), *((array.name, (Place(x),)) for x in (left, right)))
            )
        )
        return Sum(body, (left, right), ((left, "<", right),))

    # ---- positive units --------------------------------------------------------------------------------------------

    def positive(self, array: Array, real: list[Array]) -> list[Expression]:
        """Units with gamma laws, or with normal laws cut at 0."""
        read = self.units(array)
        if self.chance(0.3):
            found: list[Expression] = [Product((HALF, self.scale(read), Power(read, 2)))]
            self.arrays.append(array)
            return [*found, self.pull(array)]
        found = [Product((self.scale(read), read))]
        if self.chance(0.7):
            shape = self.pick([Number(Fraction(1, 2)), Number(Fraction(2)), Power(self.weight(free_letters(read)), 2)])
            found.append(Product((Number(Fraction(-1)), shape, Function("log", read))))
        self.arrays.append(array)
        if real and self.chance(0.6):
            found.append(self.square(self.pick(real), Read(array.name)))
        return found
