"""The text of a loop program as a Numba function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from pgmc.analysis.axes import AxisName
from pgmc.codegen.loop_program import (
    Allocate,
    Clear,
    ColorLoop,
    Comment,
    DrawGroup,
    DrawState,
    DrawUnit,
    ExampleLoop,
    Fill,
    GroupLoop,
    Guard,
    Increment,
    Let,
    LetLowest,
    Loop,
    MatrixProduct,
    MatrixView,
    MemberLoop,
    OrderLoop,
    PickState,
    Place,
    Raise,
    RowKey,
    Statement,
    Store,
    StrideLoop,
    SweepLoop,
    UnlessMasked,
)
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.prelude import Dtype
from pgmc.codegen.signs import split_sign
from pgmc.errors import InternalError
from pgmc.ir.nodes import (
    Access,
    Add,
    Atom,
    Bracket,
    Call,
    Compare,
    Index,
    Length,
    Lookup,
    Mul,
    Number,
    Pi,
    Position,
    Pow,
    Scalar,
    shifted_index,
)
from pgmc.ir.symbols import Symbol, is_one_hot, is_per_example

_NESTS = (
    Loop, ColorLoop, StrideLoop, GroupLoop, MemberLoop, ExampleLoop, SweepLoop, Guard, UnlessMasked,
)  # fmt: skip
_INDENT = "    "
_LIBRARY = {"exp": "np.exp", "log": "np.log", "tanh": "np.tanh", "cos": "np.cos", "sin": "np.sin", "sqrt": "np.sqrt"}


@dataclass(slots=True)
class NumbaPrinter:
    """Prints statements and remembers which arguments and helpers they mention.

    ``aliases`` are the names in the source of the model's symbols, ``numbers`` the symbols passed as plain numbers,
    ``axes`` the representative of every axis, whose length is an argument, ``periodic`` the axes that go round. An
    array without axes that the kernel fills has one element.
    """

    names: NameRegistry
    dtype: Dtype
    extents: dict[AxisName, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    axes: Mapping[AxisName, AxisName] = field(default_factory=dict)
    periodic: frozenset[AxisName] = frozenset()
    _indices: dict[Index, str] = field(default_factory=dict)  # of the enclosing loops
    _letters: list[str] = field(default_factory=list)
    example: str = ""
    examples: str = ""

    def __post_init__(self) -> None:
        self.example = self.names.claim("n")
        self.examples = self.names.claim("examples")

    # -- names ---------------------------------------------------------------------------------------------------

    def extent(self, axis: AxisName) -> str:
        """The argument that holds the length of an axis."""
        if axis not in self.extents:
            symbol, k = axis
            self.extents[axis] = self.names.claim(f"states_{symbol}" if k < 0 else f"n_{symbol}" + f"_{k}" * (k > 0))
        return self.extents[axis]

    def index(self, index: Index) -> str:
        """The loop variable of an index: the user's letter, unless an enclosing loop or an array has it."""
        if index not in self._indices:
            self._indices[index] = self._free_letter(index.name)
        return self._indices[index]

    def _free_letter(self, wish: str) -> str:
        for letter in self._letters:
            if letter.rstrip("_0123456789") == wish and letter not in self._indices.values():
                return letter
        self._letters.append(self.names.claim(wish))
        return self._letters[-1]

    def array(self, name: str) -> str:
        """The name in the source of a symbol's array."""
        return self.aliases.get(name, name)

    def _helper(self, name: str) -> str:
        self.helpers[name] = None
        return name

    # -- statements ----------------------------------------------------------------------------------------------

    def statements(self, body: tuple[Statement, ...], depth: int = 1) -> Iterator[str]:
        """The lines of a body."""
        for statement in body:
            yield from self._statement(statement, depth)

    def _statement(self, statement: Statement, depth: int) -> Iterator[str]:
        pad = _INDENT * depth
        match statement:
            case OrderLoop():
                yield from self._in_order(statement, depth)
            case _ if isinstance(statement, _NESTS):
                yield pad + self._head(statement)
                known = dict(self._indices)
                lines = list(self.statements(statement.body, depth + 1))
                yield from lines or [f"{pad}{_INDENT}pass"]
                self._indices = {i: n for i, n in known.items() if i != getattr(statement, "index", None)}
            case Comment(text):
                yield f"{pad}# {text}"
            case _:
                yield pad + self._line(statement)

    def _in_order(self, loop: OrderLoop, depth: int) -> Iterator[str]:
        """A loop over the rows of a list of positions."""
        pad, name = _INDENT * depth, loop.symbol.name
        if name not in self.orders:
            self.orders[name] = self.names.claim(f"order_{name}")
        known, order, row = dict(self._indices), self.orders[name], self.names.claim("unit")
        units = f"{order}.shape[0]"
        yield f"{pad}for {row} in range({f'{units} - 1, -1, -1' if loop.backward else units}):"
        for k, index in enumerate(loop.indices):
            yield f"{pad}{_INDENT}{self.index(index)} = {order}[{row}, {k}]"
        yield from self.statements(loop.body, depth + 1)
        self._indices = {i: n for i, n in known.items() if i not in loop.indices}

    def _head(self, statement: Statement) -> str:
        match statement:
            case Loop(index, extent, _, backward):
                length = self.extent(extent)
                bounds = f"{length} - 1, -1, -1" if backward else length
                return f"for {self.index(index)} in range({bounds}):"
            case ColorLoop(colors, _, backward):
                return f"for color in range({f'{colors} - 1, -1, -1' if backward else colors}):"
            case StrideLoop():
                return self._stride(statement)
            case GroupLoop(index, extent, length, _, backward):
                axis = self.extent(extent)
                bounds = f"{axis} - {length}, -1, -{length}" if backward else f"0, {axis}, {length}"
                return f"for {self.index(index)} in range({bounds}):"
            case MemberLoop(index, start, length, _):
                return f"for {self.index(index)} in range({self.index(start)}, {self.index(start)} + {length}):"
            case ExampleLoop():
                return f"for {self.example} in range({self.examples}):"
            case SweepLoop():
                return "for sweep in range(first_sweep, first_sweep + sweeps):"
            case Guard(relations, _):
                return f"if {self._relations(relations)}:"
            case UnlessMasked(target, _):
                return f"if not {self._mask(target)}:"
            case _:
                raise InternalError(f"{type(statement).__name__} has no body. Please report it.")

    def _stride(self, loop: StrideLoop) -> str:
        """From the first unit of the colour in this row, in steps of the modulus; backward from the last."""
        length, modulus = self.extent(loop.extent), loop.coloring.modulus
        parts = [f"{w} * {self.index(i)}" if w > 1 else self.index(i)
                 for w, i in zip(loop.coloring.weights, loop.before, strict=False) if w]  # fmt: skip
        first = f"(color - {' - '.join(parts)}) % {modulus}" if parts else "color"
        if loop.backward:
            last = f"({length} - 1 - {first}) // {modulus} * {modulus} + {first}"
            return f"for {self.index(loop.index)} in range({last}, -1, -{modulus}):"
        return f"for {self.index(loop.index)} in range({first}, {length}, {modulus}):"

    def _line(self, statement: Statement) -> str:
        match statement:
            case Let() | LetLowest() | Raise() | Increment() | Store():
                return self._assignment(statement)
            case RowKey() | DrawUnit() | DrawState() | DrawGroup():
                return self._random_line(statement)
            case Fill() | Place():
                return self._row_line(statement)
            case Allocate(symbol, extents, per_example):
                sizes = [str(axis) if isinstance(axis, int) else self.extent(axis) for axis in extents]
                lengths = [self.examples] * per_example + sizes or ["1"]
                shape = lengths[0] if len(lengths) == 1 else f"({', '.join(lengths)})"
                return f"{self.array(symbol.name)} = np.empty({shape}, np.{self.dtype})"
            case MatrixProduct(target, left, right):
                return f"np.dot({self._matrix(left)}, {self._matrix(right)}, {self._matrix(target)})"
            case Clear(symbol):
                return f"{self.array(symbol.name)}[...] = 0"
            case PickState(index, access):
                return f"{self.index(index)} = {self._element(access.symbol, access.positions[:-1])}"
            case _:
                raise InternalError(f"no text for {type(statement).__name__}. Please report it.")

    def _assignment(self, statement: Let | LetLowest | Raise | Increment | Store) -> str:
        match statement:
            case Let(local, value, precision):
                return f"{local.symbol.name} = {self.scalar(value) if precision == 'program' else '0.0'}"
            case LetLowest(local):
                lowest = "-np.inf" if self.dtype == "float64" else "np.float32(-np.inf)"
                return f"{local.symbol.name} = {lowest}"
            case Raise(local, value):
                return f"{local.symbol.name} = max({local.symbol.name}, {self.scalar(value)})"
            case Increment(target, value):
                return f"{self.scalar(target)} += {self.scalar(value)}"
            case Store(target, value):
                return f"{self.scalar(target)} = {self.scalar(value)}"

    def _row_line(self, statement: Fill | Place) -> str:
        """A place in the row of a group gets a logit, or gives the value drawn."""
        place = ""
        for member in statement.members:
            here = self.index(member.index) + f" - {self.index(member.start)}"
            factor = f"({place})" if " " in place else place
            place = f"{factor} * {member.length} + {here}" if place else here
        row = f"{self.array(statement.row.name)}[{place}]"
        unit = self._element(statement.target.symbol, statement.target.positions)
        if isinstance(statement, Place):
            return f"{unit} = {row}"
        logit = self.scalar(statement.logit)
        if statement.masked:
            logit = f"{self._helper('kept_logit')}({unit}) if {self._mask(statement.target)} else {logit}"
        return f"{row} = {logit}"

    def _random_line(self, statement: RowKey | DrawUnit | DrawState | DrawGroup) -> str:
        match statement:
            case RowKey():
                self._helper("row_key")
                return f"r0, r1 = row_key(key_0, key_1, first_chain + {self.example}, sweep)"
            case DrawUnit(family, target, parameters, extents):
                return self._draw(target, f"draw_{family.lower()}", ", ".join(map(self.scalar, parameters)), extents)
            case DrawState(target, row, extents):
                return self._draw(target, "draw_categorical", self.array(row.name), extents)
            case DrawGroup(family, row, first, extents):
                helper = self._helper(f"draw_{family.lower()}")
                return f"{helper}({self.array(row.name)}, r0, r1, {self._site(first, extents)})"

    def _draw(self, target: Access, helper: str, parameters: str, extents: tuple[AxisName, ...]) -> str:
        unit = self._element(target.symbol, target.positions)
        return f"{unit} = {self._helper(helper)}({parameters}, r0, r1, {self._site(target, extents)})"

    def _site(self, target: Access, extents: tuple[AxisName, ...]) -> str:
        """The number of the unit: units of a variable count on from its first site, in C order."""
        name = target.symbol.name
        if name not in self.sites:
            self.sites[name] = self.names.claim(f"site_{name}")
        place = ""
        for position, axis in zip(target.positions, extents, strict=True):
            here = self._position(position)
            factor = f"({place})" if " " in place else place
            place = f"{factor} * {self.extent(axis)} + {here}" if place else here
        return f"{self.sites[name]} + {place}" if place else self.sites[name]

    def _mask(self, target: Access) -> str:
        name = target.symbol.name
        if name not in self.masks:
            self.masks[name] = self.names.claim(f"keep_{name}")
        return self._element(target.symbol, target.positions, self.masks[name])

    def _matrix(self, view: MatrixView) -> str:
        name = self.array(view.symbol.name)
        rows, columns = view.rows, view.columns
        if len(rows) != 1 or len(columns) != 1:
            first, second = (columns, rows) if view.transposed else (rows, columns)
            name = f"{name}.reshape(({self._size(first)}, {self._size(second)}))"
        return f"{name}.T" if view.transposed else name

    def _size(self, axes: tuple[AxisName | None, ...]) -> str:
        return " * ".join(self.examples if axis is None else self.extent(axis) for axis in axes) or "1"

    # -- scalars -------------------------------------------------------------------------------------------------

    def scalar(self, node: Scalar, level: int = 0) -> str:
        """The text of an expression; ``level`` 1 asks for a factor, 2 for an atom."""
        match node:
            case Number(value):
                return self._number(value, level)
            case Pi():
                return "np.pi" if self.dtype == "float64" else "np.float32(np.pi)"
            case Access():
                return self._access(node)
            case Add(terms):
                text = self.scalar(terms[0])
                for term in terms[1:]:
                    minus, positive = split_sign(term)
                    text += f" {'-' if minus else '+'} {self.scalar(positive, 1)}"
                return f"({text})" if level else text
            case Mul(factors):
                minus, positive = split_sign(node)
                if minus:
                    text = f"-{self.scalar(positive, 2)}"
                    return f"({text})" if level else text
                text = " * ".join(self.scalar(f, 1 if k == 0 else 2) for k, f in enumerate(factors))
                return f"({text})" if level > 1 else text
            case Pow(base, exponent):
                return self._power(base, exponent, level)
            case Call(name, argument):
                return self._call(name, argument)
            case Bracket(relations):
                return f"({self._one()} if {self._relations(relations)} else {self._zero()})"
            case _:
                raise InternalError(f"no text for {type(node).__name__} in a loop. Please report it.")

    def _number(self, value: Fraction, level: int) -> str:
        text = repr(float(value))
        if self.dtype == "float64":
            return f"({text})" if value < 0 and level else text
        return f"np.float32({text.removesuffix('.0')})"

    def _one(self) -> str:
        return self._number(Fraction(1), 0)

    def _zero(self) -> str:
        return self._number(Fraction(0), 0)

    def _access(self, access: Access) -> str:
        symbol = access.symbol
        if is_one_hot(symbol):
            *unit, state = access.positions
            code = self._element(symbol, tuple(unit))
            return f"({self._one()} if {code} == {self._side(state)} else {self._zero()})"
        if not access.positions and symbol.name in self.names.locals | self.numbers:
            return self.array(symbol.name)
        return self._element(symbol, access.positions)

    def _element(self, symbol: Symbol, positions: tuple[Position, ...], name: str | None = None) -> str:
        """An element of a symbol's array, or of the array ``name`` of the same shape."""
        inside = [self.example] * is_per_example(symbol) + [self._place(symbol, k, p) for k, p in enumerate(positions)]
        return f"{self.array(name or symbol.name)}[{', '.join(inside) or '0'}]"

    def _place(self, symbol: Symbol, k: int, position: Position) -> str:
        """The position on an axis; one with an offset wraps round it."""
        text = self._position(position)
        if position.is_plain:
            return text
        axis = (symbol.name, k)
        return f"{self._helper('wrap')}({text}, {self.extent(self.axes.get(axis, axis))})"

    def _position(self, position: Position) -> str:
        parts = [self._atom(atom) if c == 1 else f"{c} * {self._atom(atom)}" for atom, c in position.terms]
        if position.offset or not parts:
            parts.append(str(position.offset))
        return " + ".join(parts).replace("+ -", "- ")

    def _atom(self, atom: Atom) -> str:
        match atom:
            case Index():
                return self.index(atom)
            case Length(symbol, axis):
                return self.extent(self.axes[symbol, axis])
            case Lookup(table, positions):
                return f"np.int64({self._element(table, positions)})"

    def _relations(self, relations: tuple[Compare, ...]) -> str:
        return " and ".join(f"{self._side(r.left)} {r.operator} {self._side(r.right)}" for r in relations)

    def _side(self, position: Position) -> str:
        """A side of a relation: the place of an index, wrapped if it has an offset."""
        text, index = self._position(position), shifted_index(position)
        if index is None or index.extent not in self.periodic or not position.offset:
            return text
        return f"{self._helper('wrap')}({text}, {self.extent(self.axes[index.extent])})"

    def _power(self, base: Scalar, exponent: Fraction, level: int) -> str:
        if exponent == 2:
            inner = self.scalar(base, 2)
            text = f"{inner} * {inner}"
        elif exponent == -1:
            text = f"{self._one()} / {self.scalar(base, 2)}"
        elif exponent == Fraction(1, 2):
            return f"np.sqrt({self.scalar(base)})"
        else:
            text = f"{self.scalar(base, 2)} ** {self._number(exponent, 1)}"
        return f"({text})" if level else text

    def _call(self, name: str, argument: Scalar) -> str:
        if name in _LIBRARY:
            return f"{_LIBRARY[name]}({self.scalar(argument)})"
        if name == "step":
            return f"({self._one()} if {self.scalar(argument)} > 0 else {self._zero()})"
        return f"{self._helper(name)}({self.scalar(argument)})"
