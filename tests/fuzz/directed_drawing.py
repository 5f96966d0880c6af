"""Random directed nets: causes with an energy or laws of their own, their effects, and an inference net."""

from __future__ import annotations

import math
from fractions import Fraction

from drawing import SHAPES, Draw
from language import (
    Add,
    Array,
    Expression,
    Factor,
    Function,
    Number,
    Place,
    Product,
    Read,
    Specification,
    Sum,
    free_letters,
)

FAMILIES = {"binary": "Bernoulli", "spin": "Bernoulli", "categorical": "Categorical", "real": "Normal"}


class DirectedDraw(Draw):
    """Draws one net; every effect may depend on all groups before it."""

    def specification(self) -> Specification:
        """One or two causes, one or two effects; now and then an input, and an inference net."""
        if self.chance(0.25):
            self.arrays.append(Array("u", "input", self.pick([(), (2,)])))
        factors: list[Factor] = []
        terms: tuple[Expression, ...] = ()
        if self.chance(0.4):
            for name in "xz"[: self.pick([1, 2])]:
                self.declare_units(name)
            terms = tuple(self.term() for _ in range(self.pick([1, 2])))
        else:
            factors += self.effects("x")
        for name in "yt"[: self.pick([1, 2])]:
            factors += self.effects(name)
        guide = self.inference(factors) if self.chance(0.4) else ()
        return Specification(tuple(self.arrays), terms, tuple(factors), guide)

    def effects(self, name: str) -> list[Factor]:
        """A group with a law that depends on the groups before it; none if there is no room for its states."""
        group = self.group(name)
        if group is None:
            return []
        factor = self.factor_of(group)
        self.arrays.insert(int(self.rng.integers(len(self.arrays) + 1)), group)
        return [factor]

    def group(self, name: str) -> Array | None:
        """A group of units that nothing but their laws ties together."""
        kind = self.pick(("binary", "spin", "categorical"))
        left = self.most_states // math.prod(array.joint_states for array in self.arrays)
        groups = [Array(name, kind, shape, 3 if kind == "categorical" else 0) for shape in SHAPES]
        fitting = [group for group in groups if group.joint_states <= left]
        return self.pick(fitting) if fitting else None

    def factor_of(self, group: Array) -> Factor:
        """A factor for every unit, with parameters that depend on what is declared, and on units before it."""
        self.start_term()
        letters = [self.letter(size) for size in group.full]
        target = Read(group.name, tuple(map(Place, letters)))
        parameter = "mean" if group.kind == "real" else "logits"
        return Factor(target, FAMILIES[group.kind], ((parameter, self.parameter(target, group)),))

    def parameter(self, target: Read, group: Array) -> Expression:
        """A sum of biases and fields, and functions of it."""
        letters = list(free_letters(target))
        parts: list[Expression] = [self.weight(letters if group.states or self.chance(0.7) else [])]
        for _ in range(self.pick([0, 1, 2], [0.1, 0.6, 0.3])):
            parts.append(self.cause(letters))
        if letters and group.shape and group.shape[0] > 1 and self.chance(0.3):
            parts.append(self.before(target, group))
        whole = parts[0] if len(parts) == 1 else Add(tuple(parts))
        return Function(self.pick(["tanh", "softplus", "cos"]), whole) if self.chance(0.15) else whole

    def cause(self, letters: list[str]) -> Expression:
        """Σ of one parent, or of two, times weights over its letters and the target's."""
        names = set(self.sizes)
        reads: list[Expression] = [self.read(fresh=True) for _ in range(self.pick([1, 1, 1, 2]))]
        own = [
            letter for letter in dict.fromkeys(x for read in reads for x in free_letters(read)) if letter in self.sizes
        ]
        over = tuple(letter for letter in own if letter not in letters)
        kept = [*over, *letters]
        if math.prod(self.sizes[letter] for letter in kept) > 48:
            kept = letters
        body = Product((*reads, self.weight(kept)))
        self.sizes = {letter: size for letter, size in self.sizes.items() if letter in names}
        part: Expression = Sum(body, over) if over else body
        return Function("tanh", part) if self.chance(0.1) else part

    def before(self, target: Read, group: Array) -> Expression:
        """Σ_j W_ij y_j over the units before this one, along the first axis."""
        first, *others = free_letters(target)
        other = self.letter(group.shape[0], taken=list(self.sizes))
        earlier = Read(group.name, (Place(other), *map(Place, others)))
        body = Product((self.weight([first, other, *others]), earlier))
        summed = Sum(body, (other,), ((other, "<", first),))
        return Product((Number(Fraction(-1)), summed)) if self.chance(0.3) else summed

    def inference(self, factors: list[Factor]) -> tuple[Factor, ...]:
        """A factor of the inference net for the first group, given the others."""
        groups = [array for array in self.arrays if array.kind in FAMILIES and not array.linked]
        if len(groups) < 2 or not factors:
            return ()
        latent = next(array for array in groups if array.name != factors[-1].target.name)
        self.hidden, self.guide = {latent.name}, True
        return (self.factor_of(latent),)
