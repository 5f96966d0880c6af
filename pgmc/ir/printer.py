"""Printing as one line of mathematics, for people.

``Printer`` knows precedence, signs and the names of indices; how each construct is spelled is said by the methods of
``Spelling``, so that another notation overrides these and nothing else. Printing rearranges (numbers first, reciprocals
as a quotient, signs and numbers in front of sums) but never computes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod

from pgmc.ir.answers import ConditionalLaw, Quantity
from pgmc.ir.dependencies import unit_order
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import (
    ONE,
    Access,
    Add,
    Atom,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    LogSumExp,
    Lookup,
    Mul,
    Number,
    Pi,
    Position,
    Pow,
    Quotient,
    Scalar,
    Sum,
    Unit,
)
from pgmc.ir.presentation import excluded, present
from pgmc.ir.rewrite import accesses, free_indices, split_conditions
from pgmc.ir.spelling import Level, Piece, Spelling
from pgmc.ir.symbols import Intermediate, Parameter, Symbol, is_per_example

Names = Mapping[Index, str]

QUANTITY_NAMES = {"energy": "E", "free_energy": "F", "score_loss": "J"}
DENSITIES = ("Normal", "JointNormal", "Gamma", "TruncatedNormal", "Poisson", "Multinomial")
LETTERS = "ijklmnpqrstuvwxyzabcdefgho"


class Printer(Spelling):
    """Expressions and equations, spelled in Unicode unless a subclass spells otherwise."""

    def text(self, node: Scalar, names: Names) -> str:
        """The whole expression, with its sign."""
        return self.fit(self.piece(node, names), Level.SUM)

    def whole(self, node: Scalar, names: Names) -> str:
        """The same, arranged for people."""
        return self.text(present(node), names)

    def piece(self, node: Scalar, names: Names) -> Piece:
        """The expression, with its sign apart."""
        match node:
            case Number(value):
                return self.number(value)
            case Pi():
                return Piece(self.pi, Level.ATOM)
            case Access(symbol, positions):
                return self.element(symbol, [self.position(p, names) for p in positions])
            case Add():
                return self._sum_of_terms(flatten(Add, node), names)
            case Mul() | Pow():
                return self._product(node, names)
            case Sum() | LogSumExp() | BatchMean():
                return self._bound(node, names)
            case Unit(name):
                return Piece(name, Level.ATOM)
            case Call(function, argument):
                return self.function(function, self.text(argument, names))
            case Bracket(relations):
                return Piece(self.condition([self._relation(r, names) for r in relations]), Level.ATOM)

    def position(self, position: Position, names: Names) -> str:
        """An affine combination of atoms, what is positive first."""
        parts = [(c, self.multiple(abs(c), self.atom(atom, names))) for atom, c in position.terms]
        if position.offset or not parts:
            parts.append((position.offset, str(abs(position.offset))))
        parts.sort(key=lambda part: part[0] < 0)
        return "".join(("-" if c < 0 else "+") + part for c, part in parts).removeprefix("+")

    def atom(self, atom: Atom, names: Names) -> str:
        """An index, the length of an axis or an element of a table of places."""
        match atom:
            case Index():
                return names[atom]
            case Length(symbol, axis):
                return self.length(symbol, axis)
            case Lookup(table, positions):
                return self.element(table, [self.position(p, names) for p in positions]).text
            case Quotient(position, divisor):
                text = self.position(position, names)
                return self.block(self.brackets(text) if len(position.terms) > 1 else text, divisor)

    def _relation(self, relation: Compare, names: Names) -> tuple[str, str, str]:
        return self.position(relation.left, names), relation.operator, self.position(relation.right, names)

    def _sum_of_terms(self, terms: Sequence[Scalar], names: Names) -> Piece:
        pieces = [self.piece(term, names) for term in terms]
        if len(pieces) == 1:
            return pieces[0]
        return Piece(join_terms(pieces), Level.SUM) if pieces else self.number(Fraction(0))

    def _product(self, node: Scalar, names: Names) -> Piece:
        factors = flatten(Mul, node)
        number = prod((f.value for f in factors if isinstance(f, Number)), start=Fraction(1))
        above: list[Piece] = []
        below: list[Piece] = []
        for factor in factors:
            match factor:
                case Number():
                    continue
                case Pow(base, exponent) if exponent < 0:
                    below.append(self._power(base, -exponent, names))
                case Pow(base, exponent):
                    above.append(self._power(base, exponent, names))
                case _:
                    above.append(self.piece(factor, names))
        negative = (sum(p.negative for p in (*above, *below)) + (number < 0)) % 2 == 1
        if not below:
            lead = [self.number(abs(number))] if abs(number) != 1 or not above else []
            return self._times([*lead, *above], negative)
        lead = [self.number(Fraction(abs(number.numerator)))] if abs(number.numerator) != 1 or not above else []
        under = [self.number(Fraction(number.denominator))] if number.denominator != 1 else []
        numerator, denominator = self._times([*lead, *above], False), self._times([*under, *below], False)
        return Piece(self.quotient(numerator, denominator), Level.PRODUCT, negative)

    def _times(self, pieces: Sequence[Piece], negative: bool) -> Piece:
        """A product of unsigned factors. Series go last, where the last of them needs no brackets."""
        if len(pieces) == 1:
            return self._signed(pieces[0], negative)
        *first, last = sorted((Piece(p.text, p.level) for p in pieces), key=lambda p: p.level is Level.SERIES)
        texts = [self.fit(p, Level.PRODUCT) for p in first] + [self.fit(last, Level.SERIES)]
        level = Level.SERIES if last.level is Level.SERIES else Level.PRODUCT
        return Piece(self.product(texts), level, negative)

    def _signed(self, piece: Piece, negative: bool) -> Piece:
        if negative and piece.level is Level.SUM:
            return Piece(self.brackets(piece.text), Level.ATOM, negative)
        return Piece(piece.text, piece.level, negative)

    def _power(self, base: Scalar, exponent: Fraction, names: Names) -> Piece:
        if exponent == Fraction(1, 2):
            return self.function("sqrt", self.text(base, names))
        piece = self.piece(base, names)
        return piece if exponent == 1 else self.power(self.fit(piece, Level.ATOM), exponent)

    def _bound(self, node: Sum | LogSumExp | BatchMean, names: Names) -> Piece:
        if isinstance(node, LogSumExp):
            inner = self.bind(node.over, names)
            relations, exponent = split_conditions(node.body)
            series = self.series([inner[index] for index in node.over])
            if relations:
                condition = self.condition([self._relation(r, inner) for r in relations])
                series = f"{series}{self.product([condition, ''])}"
            return Piece(self.log_sum_exp(series, self.text(exponent, inner)), Level.SERIES)
        number, rest = split_number(node.body)
        if number != 1:
            outside = BatchMean(rest) if isinstance(node, BatchMean) else Sum(rest, node.over)
            return self._product(Mul((Number(number), outside)), names)
        if isinstance(node, BatchMean):
            piece = self.piece(node.body, names)
            return Piece(self.mean(piece.text), Level.ATOM, piece.negative)
        if not node.over:
            return self.piece(node.body, names)
        inner = self.bind(node.over, names)
        without = excluded(node.body, node.over)
        piece = self.piece(without[1] if without else node.body, inner)
        body = self.fit(Piece(piece.text, piece.level), Level.SERIES)
        if without:
            series = self.series_without(*(self.position(p, inner) for p in (without[0].left, without[0].right)))
        else:
            series = self.series([inner[index] for index in node.over])
        return Piece(series + body, Level.SERIES, piece.negative)

    def bind(self, indices: Iterable[Index], names: Names) -> Names:
        """Names for more indices, told apart from those in scope; an index without a name gets a letter."""
        extended = dict(names)
        for index in indices:
            plain = index.name or next(c for c in LETTERS if c not in extended.values())
            names_left = (self.prime(plain, count) for count in itertools.count())
            extended[index] = next(name for name in names_left if name not in extended.values())
        return extended

    # ---- equations -----------------------------------------------------------------------------------------

    def scalar(self, node: Scalar) -> str:
        """The expression, its free indices named."""
        return self.text(node, self.bind(free_indices(node), {}))

    def model(self, model: Model) -> str:
        """The energy of a model; inputs follow a semicolon."""
        groups = (model.variables, model.inputs)
        arguments = "; ".join(self._list(group) for group in groups if group)
        return self.relation(f"E({arguments})", "=", self.scalar(present(energy_expression(model.terms))))

    def quantity(self, quantity: Quantity, derivative_of: str | None = None, order: int = 1) -> str:
        """``name[indices] = body``, or the derivative of a quantity of that name by the one of this name."""
        names = self.bind(quantity.indices, {})
        body = self.whole(
            quantity.body,
            self.bind((i for i in free_indices(quantity.body) if i not in names), names),
        )
        named = Intermediate(quantity.name, (), quantity.per_example, quantity.shown)
        left = self.element(named, [names[i] for i in quantity.indices]).text
        if derivative_of is not None:
            whole = QUANTITY_NAMES[derivative_of]
            left = self.derivative(whole if quantity.per_example else self.mean(whole), left, order)
        elif quantity.name in QUANTITY_NAMES:
            of = [symbol for symbol in given_symbols(quantity.body) if not isinstance(symbol, Intermediate)]
            left = f"{QUANTITY_NAMES[quantity.name]}({self._list(of)})"
        return self.relation(left, "=", body)

    def conditional(self, law: ConditionalLaw) -> str:
        """The law of one unit given the symbols that occur in its parameters."""
        names = self.bind((*law.indices, *((law.state,) if law.state else ())), {})
        own = [names[index] for index in law.indices]
        value = names[law.state] if law.state else "+1" if law.family == "Spin" else "1"
        density = law.family in DENSITIES or law.family == "Generic"
        met = given_symbols(*law.expressions)
        if law.family == "Generic" and not law.has_siblings:
            met = tuple(s for s in met if s != law.target)  # its own value is no condition
        relation = {"ascending": "<", "descending": ">"}.get(unit_order(law.target, law.indices, law.expressions), "!=")
        if len(own) > 1:
            relation = "!="  # before and behind are along one axis
        given = ", ".join(self.others(s, own, relation) if s == law.target else self.name(s) for s in met)
        if law.family == "Multinomial":
            own = [*own[:-1], self.every]  # the law of the whole row
        unit = self.name(law.target) if law.others else self.element(law.target, own).text
        event = unit if density else f"{unit} = {value}"
        left = f"{'p' if density else 'P'}({f'{event}{self.bar}{given}' if given else event})"
        if law.others:
            return self.relation(left, "=", self._joint_normal(law, names))
        if law.family in DENSITIES:
            named = ", ".join(
                f"{self.word(name.replace('_', '-'))} {self.whole(part, names)}" for name, part in law.parameters
            )
            return self.relation(left, "=", self.function(law.family, named).text)
        if law.family == "Generic":
            exponential = self.function("exp", self.whole(law.parameter("log_density"), names))
            return self.relation(left, self.proportional, exponential.text)
        logits = self.whole(law.logits, names)
        if law.family in ("Categorical", "Exclusive"):
            text = self.relation(left, self.proportional, self.function("exp", logits).text)
            return text if law.family == "Categorical" else text + self.aside(off_state(law))
        return self.relation(left, "=", self.function("sigmoid", logits).text)

    def _joint_normal(self, law: ConditionalLaw, names: Names) -> str:
        """The field and the matrix of a joint normal law."""
        both = self.bind(law.others, names)
        first, second = ([both[index] for index in group] for group in (law.indices, law.others))
        field = self.element(Parameter("field", ()), first).text
        matrix = self.element(Parameter("precision", ()), [*first, *second]).text
        parts = (
            f"{self.word('mean')} {self.word('precision⁻¹')}{self.times}{self.word('field')}, {self.word('with')} "
            f"{field} = {self.whole(law.parameter('field'), both)}",
            f"{matrix} = {self.whole(law.parameter('precision'), both)}",
        )
        return self.function("Normal", ", ".join(parts)).text

    def _list(self, symbols: Sequence[Symbol]) -> str:
        return ", ".join(map(self.name, symbols))


def off_state(law: ConditionalLaw) -> str:
    """What a law of exclusive blocks says beside the logits of its units."""
    shape = " × ".join(map(str, law.target.exclusive))
    return f"all off ∝ 1 in each {shape} block"


def flatten(kind: type[Add] | type[Mul], node: Scalar) -> tuple[Scalar, ...]:
    """The terms or factors, those of nested sums or products included."""
    if isinstance(node, Add) and kind is Add:
        return tuple(part for term in node.terms for part in flatten(kind, term))
    if isinstance(node, Mul) and kind is Mul:
        return tuple(part for factor in node.factors for part in flatten(kind, factor))
    return (node,)


def split_number(node: Scalar) -> tuple[Fraction, Scalar]:
    """The expression as a number times the rest."""
    factors = flatten(Mul, node)
    numbers = [f.value for f in factors if isinstance(f, Number)]
    rest = tuple(f for f in factors if not isinstance(f, Number))
    if not numbers:
        return Fraction(1), node
    return prod(numbers, start=Fraction(1)), rest[0] if len(rest) == 1 else Mul(rest) if rest else ONE


def join_terms(pieces: Sequence[Piece]) -> str:
    """Terms with their signs between them."""
    first, *rest = pieces
    text = ("-" if first.negative else "") + first.text
    return text + "".join((" - " if p.negative else " + ") + p.text for p in rest)


def given_symbols(*nodes: Scalar) -> tuple[Symbol, ...]:
    """The variables and inputs that occur in expressions, and what is named of them, in reading order."""
    found = (a.symbol for node in nodes for a in accesses(node))
    return tuple(dict.fromkeys(symbol for symbol in found if is_per_example(symbol)))


def energy_expression(terms: Sequence[EnergyTerm]) -> Scalar:
    """The terms as one expression."""
    return Add(tuple(Sum(term.body, term.over) for term in terms))


def print_scalar(node: Scalar) -> str:
    """The expression on one line."""
    return Printer().scalar(node)


def print_term(term: EnergyTerm) -> str:
    """One summand of an energy, e.g. ``-Σ_ij v[i]·W[i,j]·h[j]``."""
    return Printer().scalar(Sum(term.body, term.over))


def print_model(model: Model) -> str:
    """The energy, e.g. ``E(v, h) = -Σ_ij v[i]·W[i,j]·h[j] - Σ_i b[i]·v[i]``."""
    return Printer().model(model)


def print_quantity(quantity: Quantity, derivative_of: str | None = None) -> str:
    """A quantity, e.g. ``F(v) = -Σ_j softplus(c[j])`` or ``∂⟨E⟩/∂W[i,j] = -⟨v[i]·h[j]⟩``."""
    return Printer().quantity(quantity, derivative_of)


def print_conditional(law: ConditionalLaw) -> str:
    """The law of one unit, e.g. ``P(h[j] = 1 | v) = σ(c[j] + Σ_i v[i]·W[i,j])``."""
    return Printer().conditional(law)
