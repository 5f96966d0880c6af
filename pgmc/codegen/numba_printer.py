"""The text of a loop program as a Numba function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgmc.analysis.axes import AxisName
from pgmc.codegen.block_text import block_head, range_in_block
from pgmc.codegen.color_rows import print_color_row
from pgmc.codegen.draw_statements import (
    ColorRow,
    DrawGroup,
    DrawJoint,
    DrawState,
    DrawUnit,
    Fill,
    KeepRowKeys,
    MultiplyBlock,
    Place,
    RowKey,
    TakeRowKey,
)
from pgmc.codegen.loop_program import (
    Allocate,
    BlockLoop,
    Clear,
    ColorLoop,
    Comment,
    ExampleLoop,
    GroupLoop,
    Guard,
    Increment,
    Let,
    LetLowest,
    LetPlace,
    ListedLoop,
    Loop,
    LoopInBlock,
    MatrixProduct,
    MatrixView,
    MemberLoop,
    OrderLoop,
    PickState,
    Raise,
    Statement,
    Store,
    StrideLoop,
    SweepLoop,
    UnlessMasked,
)
from pgmc.codegen.numba_expressions import NumbaExpressions
from pgmc.codegen.slice_units import SliceUnit, print_slice
from pgmc.codegen.trajectories import MoveUnits, print_move
from pgmc.errors import InternalError
from pgmc.ir.inequalities import combined, difference, gap_of
from pgmc.ir.nodes import Access, Position, Scalar
from pgmc.ir.symbols import Symbol

_NESTS = (
    Loop, ColorLoop, StrideLoop, GroupLoop, MemberLoop, LoopInBlock, ExampleLoop, SweepLoop, Guard, UnlessMasked,
)  # fmt: skip
_INDENT = "    "
KINDS = {"keys": "uint64", "bytes": "int8", "wide": "float64"}


@dataclass(slots=True)
class NumbaPrinter(NumbaExpressions):
    """Prints statements."""

    def statements(self, body: tuple[Statement, ...], depth: int = 1) -> Iterator[str]:
        """The lines of a body."""
        for statement in body:
            yield from self._statement(statement, depth)

    def _statement(self, statement: Statement, depth: int) -> Iterator[str]:
        pad = _INDENT * depth
        match statement:
            case OrderLoop():
                yield from self._in_order(statement, depth)
            case ColorRow():
                known = dict(self._indices)
                yield from print_color_row(self, statement, depth)
                self._indices = known
            case MoveUnits():
                yield from print_move(self, statement, depth)
            case SliceUnit():
                yield from print_slice(self, statement, depth)
            case ListedLoop():
                yield from self._listed(statement, depth)
            case BlockLoop(extent, inside, backward):
                head, bound = block_head(self.extent(extent), backward)
                yield from (pad + head, pad + _INDENT + bound)
                yield from self.statements(inside, depth + 1)
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

    def _listed(self, loop: ListedLoop, depth: int) -> Iterator[str]:
        """A loop over what is listed at a place."""
        pad, name = _INDENT * depth, loop.listing.symbol + "_columns" * loop.listing.axis
        if loop.listing not in self.listings:
            self.listings[loop.listing] = self.names.claim(f"starts_{name}"), self.names.claim(f"listed_{name}")
        starts, members = self.listings[loop.listing]
        known, entry, at = dict(self._indices), self.names.claim("entry"), self.index(loop.at)
        yield f"{pad}for {entry} in range({starts}[{at}], {starts}[{at} + 1]):"
        yield f"{pad}{_INDENT}{self.index(loop.index)} = {members}[{entry}]"
        yield from self.statements(loop.body, depth + 1)
        self._indices = {i: n for i, n in known.items() if i != loop.index}

    def _head(self, statement: Statement) -> str:
        match statement:
            case Loop():
                return self._loop(statement)
            case ColorLoop(colors, _, backward):
                return f"for color in range({f'{colors} - 1, -1, -1' if backward else colors}):"
            case StrideLoop():
                return self._stride(statement)
            case GroupLoop(index, extent, length, _, backward):
                axis = self.extent(extent)
                bounds = f"{axis} - {length}, -1, -{length}" if backward else f"0, {axis}, {length}"
                return f"for {self.index(index)} in range({bounds}):"
            case MemberLoop(index, start, length, _):
                first = self._position(start)
                return f"for {self.index(index)} in range({first}, {first} + {length}):"
            case LoopInBlock(index, _, after, backward):
                limit = None if after is None else self.index(after)
                return f"for {self.index(index)} in {range_in_block(limit, backward)}:"
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

    def _loop(self, loop: Loop) -> str:
        length = self.extent(loop.extent)
        if not loop.within:
            bounds = f"{length} - 1, -1, -1" if loop.backward else length
            return f"for {self.index(loop.index)} in range({bounds}):"
        lower, upper = ["0"], [length]
        for gap in map(gap_of, loop.within):
            assert gap is not None
            factor = dict(gap.terms)[loop.index]
            rest = difference(gap, Position(((loop.index, factor),)))
            if factor > 0:  # from the first value at which factor · index + rest is not negative
                ceiling = f"-(({self._position(rest)}) // {factor})"
                lower.append(self._position(combined(Position(), rest, -1)) if factor == 1 else ceiling)
            else:
                last = Position(rest.terms, rest.offset + 1)
                upper.append(self._position(last) if factor == -1 else f"({self._position(rest)}) // {-factor} + 1")
        start = f"max({', '.join(lower)})" if len(lower) > 1 else "0"
        stop = f"min({', '.join(upper)})" if len(upper) > 1 else length
        return f"for {self.index(loop.index)} in range({start}, {stop}):"

    def _stride(self, loop: StrideLoop) -> str:
        """From the first unit of the colour in this row, in steps of the modulus; backward from the last."""
        length, modulus, first = self.extent(loop.extent), loop.coloring.modulus, self.first_of_color(loop)
        if loop.backward:
            last = f"({length} - 1 - {first}) // {modulus} * {modulus} + {first}"
            return f"for {self.index(loop.index)} in range({last}, -1, -{modulus}):"
        return f"for {self.index(loop.index)} in range({first}, {length}, {modulus}):"

    def first_of_color(self, loop: StrideLoop) -> str:
        """The place of the first unit of the colour in this row."""
        parts = [f"{w} * {self.index(i)}" if w > 1 else self.index(i)
                 for w, i in zip(loop.coloring.weights, loop.before, strict=False) if w]  # fmt: skip
        return f"(color - {' - '.join(parts)}) % {loop.coloring.modulus}" if parts else "color"

    def _line(self, statement: Statement) -> str:
        match statement:
            case Let() | LetLowest() | Raise() | Increment() | Store():
                return self._assignment(statement)
            case LetPlace(index, symbol, axis, position):
                return f"{self.index(index)} = {self.place(symbol, axis, position)}"
            case RowKey() | KeepRowKeys() | TakeRowKey() | DrawUnit() | DrawState() | DrawGroup() | DrawJoint():
                return self._random_line(statement)
            case Fill() | Place():
                return self._row_line(statement)
            case Allocate():
                return self._allocation(statement)
            case MultiplyBlock(coupling, units, field_of):
                matrix, target = (f"{self.array(symbol.name)}[first:last]" for symbol in (coupling, field_of))
                return f"{self.helper('multiply')}({matrix}, {self.array(units.name)}, {target})"
            case MatrixProduct(target, left, right):
                return f"np.dot({self._matrix(left)}, {self._matrix(right)}, {self._matrix(target)})"
            case Clear(symbol):
                return f"{self.array(symbol.name)}[...] = 0"
            case PickState(index, access):
                return f"{self.index(index)} = {self._element(access.symbol, access.positions[:-1])}"
            case _:
                raise InternalError(f"no text for {type(statement).__name__}. Please report it.")

    def _length(self, extent: AxisName | int | None) -> str:
        if extent is None:
            return self.examples
        return str(extent) if isinstance(extent, int) else self.extent(extent)

    def _allocation(self, statement: Allocate) -> str:
        lengths = [self.examples] * statement.per_example + [self._length(axis) for axis in statement.extents] or ["1"]
        shape = lengths[0] if len(lengths) == 1 else f"({', '.join(lengths)})"
        array = self.array(statement.symbol.name)
        if statement.kind == "hands":
            return f"{array} = np.empty(({lengths[1]}, -(-{lengths[0]} // {lengths[1]})), np.{self.dtype})"
        if statement.kind == "aligned":
            return f"{array} = {self.helper('aligned_zeros')}({', '.join(lengths)})"
        return f"{array} = np.empty({shape}, np.{KINDS.get(statement.kind, self.dtype)})"

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
                return f"{self._element(target.symbol, target.positions)} = {self.scalar(value)}"

    def _row_line(self, statement: Fill | Place) -> str:
        """A place in the row of a group gets a logit, or gives the value drawn."""
        place = ""
        for member in statement.members:
            here = self.index(member.index) + (f" - {self.index(member.start)}" if member.start is not None else "")
            factor = f"({place})" if " " in place else place
            place = f"{factor} * {member.length} + {here}" if place else here
        row = f"{self.array(statement.row.name)}[{place}]"
        unit = self._element(statement.target.symbol, statement.target.positions)
        if isinstance(statement, Place):
            return f"{unit} = {row}"
        logit = self.scalar(statement.logit)
        if statement.masked:
            kept = f"{self.helper('kept_logit')}({unit if statement.family == 'Exclusive' else '0'})"
            logit = f"{kept} if {self._mask(statement.target)} else {logit}"
        return f"{row} = {logit}"

    def _random_line(
        self, statement: RowKey | KeepRowKeys | TakeRowKey | DrawUnit | DrawState | DrawGroup | DrawJoint
    ) -> str:
        match statement:
            case RowKey():
                self.helper("row_key")
                return f"r0, r1 = row_key(key_0, key_1, first_chain + {self.example}, sweep)"
            case KeepRowKeys(keys):
                self.helper("row_key")
                return f"{self._key_elements(keys)} = row_key(key_0, key_1, first_chain + {self.example}, sweep)"
            case TakeRowKey(keys):
                return f"r0, r1 = {self._key_elements(keys)}"
            case DrawUnit(family, target, parameters, extents, into):
                values = ", ".join(map(self.scalar, parameters))
                return self._draw(target, f"draw_{family.lower()}", values, extents, into)
            case DrawState(target, row, extents):
                return self._draw(target, "draw_categorical", self.array(row.name), extents)
            case DrawJoint(target, pull, matrix, extents):
                helper, size = self.helper("draw_joint_normal"), " * ".join(map(self.extent, extents))
                arrays = [*map(self.array, (pull.name, matrix.name)), f"{self.array(target.name)}[{self.example}]"]
                shapes = [f"({size},)", f"({size}, {size})", f"({size},)"]
                flat = [f"{a}.reshape({n})" if len(extents) > 1 else a for a, n in zip(arrays, shapes, strict=True)]
                return f"{helper}({', '.join(flat)}, r0, r1, {self.first_site(target.name)})"
            case DrawGroup(family, row, first, extents, total, masked):
                helper = self.helper(f"draw_{family.lower()}")
                known = "" if total is None else f"{self._total(total, first, masked)}, "
                return f"{helper}({self.array(row.name)}, {known}r0, r1, {self.site(first, extents)})"

    def _total(self, total: Scalar, first: Access, masked: bool) -> str:
        """What the free counts of a row add up to."""
        text = f"np.int64({self.scalar(total)})"
        if not masked:
            return text
        rows = [self._mask(first) if name else self._element(first.symbol, first.positions) for name in (False, True)]
        counts, kept = (row.rpartition(", ")[0] + "]" for row in rows)
        return f"{self.helper('left_of_total')}({text}, {counts}, {kept})"

    def _key_elements(self, keys: tuple[Symbol, Symbol]) -> str:
        return ", ".join(f"{key.name}[{self.example}]" for key in keys)

    def _draw(
        self, target: Access, helper: str, parameters: str, extents: tuple[AxisName, ...], into: Access | None = None
    ) -> str:
        place = into or target
        unit = self._element(place.symbol, place.positions)
        return f"{unit} = {self.helper(helper)}({parameters}, r0, r1, {self.site(target, extents)})"

    def site(self, target: Access, extents: tuple[AxisName, ...]) -> str:
        """The number of the unit: units of a variable count on from its first site, in C order."""
        name = target.symbol.name
        self.first_site(name)
        place = ""
        for position, axis in zip(target.positions, extents, strict=True):
            here = self._position(position)
            factor = f"({place})" if " " in place else place
            place = f"{factor} * {self.extent(axis)} + {here}" if place else here
        return f"{self.sites[name]} + {place}" if place else self.sites[name]

    def first_site(self, name: str) -> str:
        """The argument that holds the number of the first unit of a variable."""
        if name not in self.sites:
            self.sites[name] = self.names.claim(f"site_{name}")
        return self.sites[name]

    def _mask(self, target: Access) -> str:
        return self._element(target.symbol, target.positions, self.mask_of(target.symbol.name))

    def mask_of(self, name: str) -> str:
        """The argument that says which units of a variable keep their values."""
        if name not in self.masks:
            self.masks[name] = self.names.claim(f"keep_{name}")
        return self.masks[name]

    def _matrix(self, view: MatrixView) -> str:
        name = self.array(view.symbol.name)
        rows, columns = view.rows, view.columns
        if len(rows) != 1 or len(columns) != 1:
            first, second = (columns, rows) if view.transposed else (rows, columns)
            name = f"{name}.reshape(({self._size(first)}, {self._size(second)}))"
        return f"{name}.T" if view.transposed else name

    def _size(self, axes: tuple[AxisName | None, ...]) -> str:
        return " * ".join(self.examples if axis is None else self.extent(axis) for axis in axes) or "1"
