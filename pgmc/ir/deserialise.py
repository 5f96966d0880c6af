"""Reading what ``serialise`` wrote. Nothing is trusted: types, names, shapes, scopes, depth and size are checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, cast, get_args

import numpy as np
import numpy.typing as npt

from pgmc.errors import CheckpointError, InternalError
from pgmc.ir.answers import Family
from pgmc.ir.check import check_model
from pgmc.ir.factors import parameter_of
from pgmc.ir.model import Definition, EnergyTerm, Factor, Model
from pgmc.ir.nodes import (
    FUNCTIONS,
    Access,
    Add,
    Atom,
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
)
from pgmc.ir.rewrite import accesses, depends_on_example, replace_symbols
from pgmc.ir.serialise import DOMAINS, GUIDE, Json
from pgmc.ir.symbols import (
    Axis,
    Categorical,
    Constant,
    Constraint,
    Count,
    Domain,
    Input,
    Intermediate,
    Parameter,
    Symbol,
    Variable,
    access_axes,
    shape_of,
)
from pgmc.ir.untrusted import MAX_NODES, read_fields, read_fraction, read_integer, read_list, read_name, read_pair

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]
T = TypeVar("T")

MAX_DEPTH = 100
MAX_ENTRIES = 2**40
MAX_RANK = 32

_SHOWN = re.compile(r"[ -~]{0,100}", re.ASCII)
_ANONYMOUS = re.compile(r"constant_[0-9]{1,9}", re.ASCII)


def model_from_data(data: Json, arrays: Arrays) -> Model:
    """The model that ``model_to_data`` described.

    Raises
    ------
    CheckpointError
        If anything at all is not as it should be. No other error is raised, whatever the data.
    """
    names = ("name", "variables", "inputs", "parameters", "constants", "terms", "factors", "definitions", "guide")
    earlier: dict[str, Json] = {"definitions": []}  # not in files from before values had names
    fields = read_fields(earlier | data if isinstance(data, dict) else data, "model", names)
    of_guide = {name.removeprefix(GUIDE): array for name, array in arrays.items() if name.startswith(GUIDE)}
    arrays = {name: array for name, array in arrays.items() if not name.startswith(GUIDE)}
    guide = _guide(fields["guide"], of_guide)
    used: set[str] = set()
    variables = tuple(_variable(item) for item in read_list(fields["variables"], "variables"))
    inputs = tuple(_input(item) for item in read_list(fields["inputs"], "inputs"))
    parameters = tuple(_parameter(item, arrays, used) for item in read_list(fields["parameters"], "parameters"))
    constants = tuple(_constant(item, arrays, used) for item in read_list(fields["constants"], "constants"))
    symbols = _by_name((*variables, *inputs, *parameters, *constants))
    if not variables:
        raise CheckpointError("The model has no variables.")
    if used != set(arrays):
        raise CheckpointError(f"Arrays that belong to no symbol: {sorted(set(arrays) - used)[:3]}.")
    reader = _Reader(symbols)
    definitions = tuple(reader.definition(item) for item in read_list(fields["definitions"], "definitions"))
    terms = tuple(reader.term(item) for item in read_list(fields["terms"], "terms"))
    factors = tuple(reader.factor(item) for item in read_list(fields["factors"], "factors"))
    name = read_name(fields["name"], "model")
    model = Model(name, variables, inputs, parameters, constants, terms, factors, guide, definitions)
    try:
        check_model(model)
    except InternalError as error:
        raise CheckpointError(str(error).removesuffix(" Please report this.")) from None
    shared = {p.name for p in parameters} & {p.name for p in guide.parameters} if guide else set()
    if shared:
        raise CheckpointError(f"The guide has parameters of the model: {sorted(shared)[:3]}.")
    return model


# ---- symbols ---------------------------------------------------------------------------------------------


def _by_name(symbols: Sequence[Symbol]) -> dict[str, Symbol]:
    names = {symbol.name: symbol for symbol in symbols}
    if len(names) != len(symbols):
        raise CheckpointError("Two symbols of the model have the same name.")
    for name, symbol in names.items():
        anonymous = _ANONYMOUS.fullmatch(name) is not None
        reserved = name == "inverse_temperature" or name.startswith(("base_", "pgmc_"))
        if reserved or (anonymous and not isinstance(symbol, Constant)):
            raise CheckpointError(f"The name {name!r} is reserved.")
    return names


def _variable(item: Json) -> Variable:
    fields = read_fields(item, "variable", ("name", "axes", "domain", "exclusive"))
    axes, blocks = _axes(fields["axes"]), read_list(fields["exclusive"], "lengths of a block", MAX_RANK)
    lengths = tuple(read_integer(n, 1, MAX_ENTRIES, "length of a block") for n in blocks)
    return Variable(read_name(fields["name"], "variable"), axes, _domain(fields["domain"]), None, lengths)


def _input(item: Json) -> Input:
    fields = read_fields(item, "input", ("name", "axes", "domain"))
    return Input(read_name(fields["name"], "input"), _axes(fields["axes"]), _domain(fields["domain"]))


def _parameter(item: Json, arrays: Arrays, used: set[str]) -> Parameter:
    fields = read_fields(item, "parameter", ("name", "axes", "constraint"))
    name, axes = read_name(fields["name"], "parameter"), _axes(fields["axes"])
    flags = read_list(fields["constraint"], "constraint")
    known = ("symmetric", "zero_diagonal", "positive", "masked", "sparse", "fixed")
    if any(flag not in known for flag in flags) or len(set(flags)) != len(flags):
        raise CheckpointError(f"Parameter {name}: unknown constraints.")
    shape = tuple(axis.size for axis in axes)
    square = len(shape) == 2 and shape[0] == shape[1]
    if ("symmetric" in flags or "zero_diagonal" in flags) and not square:
        raise CheckpointError(f"Parameter {name}: its constraint needs a square matrix, its shape is {shape}.")
    if "positive" in flags and ("masked" in flags or "zero_diagonal" in flags):
        raise CheckpointError(f"Parameter {name}: positive entries cannot be kept at zero.")
    mask = _array(f"mask.{name}", shape, arrays, used) if "masked" in flags else None
    if mask is not None and mask.dtype != np.bool_:
        raise CheckpointError(f"Parameter {name}: its mask is {mask.dtype}, not boolean.")
    init: Any = None
    if f"init.{name}" in arrays:
        one_number = arrays[f"init.{name}"].ndim == 0
        init = _array(f"init.{name}", () if one_number else shape, arrays, used)
        init = float(init) if one_number else init
    return Parameter(name, axes, Constraint(**dict.fromkeys(flags, True), mask=mask), init)


def _constant(item: Json, arrays: Arrays, used: set[str]) -> Constant:
    fields = read_fields(item, "constant", ("name", "axes", "shown"))
    name, axes, shown = read_name(fields["name"], "constant"), _axes(fields["axes"]), fields["shown"]
    if shown is not None and not (isinstance(shown, str) and _SHOWN.fullmatch(shown)):
        raise CheckpointError(f"Constant {name}: what equations print for it must be short ASCII text.")
    value = _array(f"constant.{name}", tuple(axis.size for axis in axes), arrays, used)
    return Constant(name, axes, value, shown)


def _array(name: str, shape: tuple[int, ...], arrays: Arrays, used: set[str]) -> npt.NDArray[Any]:
    if name not in arrays:
        raise CheckpointError(f"The array {name!r} is missing.")
    array = arrays[name]
    if array.shape != shape or array.dtype not in (np.dtype(np.float64), np.dtype(np.bool_)):
        raise CheckpointError(f"The array {name!r} must have shape {shape}, got {array.dtype} {array.shape}.")
    if not np.isfinite(array).all():
        raise CheckpointError(f"The array {name!r} has values that are not finite.")
    used.add(name)
    return array


def _axes(item: Json) -> tuple[Axis, ...]:
    axes = []
    for entry in read_list(item, "axes", MAX_RANK):
        pair = read_list(entry, "axis")
        if len(pair) != 2 or pair[1] not in ("open", "periodic"):
            raise CheckpointError("An axis must be a size and 'open' or 'periodic'.")
        axes.append(Axis(read_integer(pair[0], 1, MAX_ENTRIES, "size"), pair[1]))
    if math.prod(axis.size for axis in axes) > MAX_ENTRIES:
        raise CheckpointError("An array of the model is larger than any machine's memory.")
    return tuple(axes)


def _domain(item: Json) -> Domain:
    if isinstance(item, str) and item in DOMAINS:
        return DOMAINS[item]
    pair = read_list(item, "domain")
    if len(pair) == 2 and pair[0] == "count":
        return Count(_total(pair[1]))
    if len(pair) != 2 or pair[0] != "categorical":
        raise CheckpointError("Unknown domain of a variable.")
    return Categorical(read_integer(pair[1], 2, MAX_ENTRIES, "number of states"))


def _total(item: Json) -> int | str | None:
    if item is None or isinstance(item, str):
        return item
    return read_integer(item, 1, MAX_ENTRIES, "total of the counts")


def _indices(item: Json, symbols: Mapping[str, Symbol]) -> tuple[Index, ...]:
    """Indices with the keys of canonical terms: -1, -2, ..."""
    indices = []
    for number, entry in enumerate(read_list(item, "indices")):
        name, extent = read_pair(entry)
        indices.append(
            Index(-1 - number, read_name(name, "index"), None if extent is None else _extent(extent, symbols))
        )
    return tuple(indices)


def _extent(item: Json, symbols: Mapping[str, Symbol]) -> tuple[str, int]:
    pair = read_list(item, "extent")
    if len(pair) != 2 or not isinstance(pair[0], str) or pair[0] not in symbols:
        raise CheckpointError("An index runs over an axis of no symbol.")
    symbol = symbols[pair[0]]
    axis = read_integer(pair[1], -1, len(access_axes(symbol)) - 1, "axis")
    if axis == -1 and len(access_axes(symbol)) == len(shape_of(symbol)):
        raise CheckpointError(f"An index runs over the states of {symbol.name}, which has none.")
    return symbol.name, axis


def _guide(item: Json, arrays: Arrays) -> Model | None:
    """The guide, which has none of its own."""
    if item is None:
        if arrays:
            raise CheckpointError(f"Arrays of a guide that is not there: {sorted(arrays)[:3]}.")
        return None
    if not isinstance(item, dict) or item.get("guide", 0) is not None:
        raise CheckpointError("A guide must be a model without a guide.")
    return model_from_data(item, arrays)


# ---- terms -----------------------------------------------------------------------------------------------


class _Reader:
    """Reads expressions; an index may be used only inside the sum that binds it."""

    def __init__(self, symbols: Mapping[str, Symbol]) -> None:
        self.symbols = symbols
        self.indices: tuple[Index, ...] = ()
        self.bound: set[int] = set()
        self.nodes = 0

    def term(self, item: Json) -> EnergyTerm:
        fields = read_fields(item, "term", ("name", "child", "indices", "over", "body"))
        label = None if fields["name"] is None else read_name(fields["name"], "term")
        child = None if fields["child"] is None else read_name(fields["child"], "child")
        self.indices, self.bound = _indices(fields["indices"], self.symbols), set()
        over = self.bind(fields["over"])
        return EnergyTerm(self.node(fields["body"], 0), tuple(self.indices[k] for k in over), label, child=child)

    def factor(self, item: Json) -> Factor:
        fields = read_fields(item, "factor", ("target", "family", "parameters"))
        target = self.symbols.get(read_name(fields["target"], "target"))
        if not isinstance(target, Variable):
            raise CheckpointError("The target of a directed factor is no variable.")
        pairs = [read_pair(entry) for entry in read_list(fields["parameters"], "parameters of a factor")]
        parameters = tuple((read_name(name, "parameter of a factor"), self.term(term)) for name, term in pairs)
        return Factor(target, _family(fields["family"]), parameters)

    def definition(self, item: Json) -> Definition:
        """A definition, of which those after it may speak; its equation may speak of those before it."""
        fields = read_fields(item, "definition", ("name", "axes", "term"))
        name, axes = read_name(fields["name"], "definition"), _axes(fields["axes"])
        if name in self.symbols:
            raise CheckpointError("Two symbols of the model have the same name.")
        # Whether it differs between examples follows from the equation, which speaks of it on its left side.
        draft = Intermediate(name, axes, per_example=True)
        term = _Reader({**self.symbols, name: draft}).term(fields["term"])
        _, body = _equation(draft, term)
        if any(access.symbol.name == name for access in accesses(body)):
            raise CheckpointError(f"The definition of {name} speaks of itself.")
        symbol = Intermediate(name, axes, depends_on_example(body))
        self.symbols = _by_name((*self.symbols.values(), symbol))
        return Definition(symbol, replace(term, body=replace_symbols(term.body, {name: symbol})))

    def bind(self, item: Json) -> list[int]:
        numbers = [read_integer(k, 0, len(self.indices) - 1, "index") for k in read_list(item, "indices of a sum")]
        if len(set(numbers)) != len(numbers) or self.bound & set(numbers):
            raise CheckpointError("An index is bound twice.")
        self.bound |= set(numbers)
        return numbers

    def node(self, item: Json, depth: int) -> Scalar:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise CheckpointError("An expression of the model is nested too deeply or is too long.")
        parts = read_list(item, "expression")
        kind = parts[0] if parts else None
        match kind, parts[1:]:
            case "Number", [value]:
                return Number(read_fraction(value))
            case "Pi", []:
                return Pi()
            case "Access", [name, positions]:
                return self.access(name, positions)
            case "Add", [terms]:
                return Add(tuple(self.node(t, depth + 1) for t in read_list(terms, "terms")))
            case "Mul", [factors]:
                return Mul(tuple(self.node(f, depth + 1) for f in read_list(factors, "factors")))
            case "Pow", [base, exponent]:
                return Pow(self.node(base, depth + 1), read_fraction(exponent))
            case "Call", [function, argument]:
                if not isinstance(function, str) or function not in FUNCTIONS:
                    raise CheckpointError("An expression calls an unknown function.")
                return Call(function, self.node(argument, depth + 1))
            case "Sum" | "LogSumExp", [over, body]:
                return self.reduction(kind, over, body, depth)
            case "Bracket", [relations]:
                return Bracket(tuple(self.relation(r) for r in read_list(relations, "relations")))
            case _:
                raise CheckpointError("An expression has a part of an unknown kind.")

    def reduction(self, kind: str, over: Json, body: Json, depth: int) -> Scalar:
        numbers = self.bind(over)
        inner = self.node(body, depth + 1)
        self.bound -= set(numbers)
        indices = tuple(self.indices[k] for k in numbers)
        return Sum(inner, indices) if kind == "Sum" else LogSumExp(inner, indices)

    def access(self, name: Json, item: Json) -> Access:
        if not isinstance(name, str) or name not in self.symbols:
            raise CheckpointError("An expression uses a symbol that is not declared.")
        symbol = self.symbols[name]
        positions = tuple(self.position(p) for p in read_list(item, "positions"))
        if len(positions) != len(access_axes(symbol)):
            raise CheckpointError(f"{name} has {len(access_axes(symbol))} axes, not {len(positions)}.")
        return Access(symbol, positions)

    def position(self, item: Json) -> Position:
        if type(item) is int:
            return Position(((self.index(item), 1),))
        offset, *pairs = read_list(item, "position") or [None]
        terms = []
        for pair in pairs:
            number, factor = read_pair(pair)
            terms.append((self.atom(number), read_integer(factor, -(2**31), 2**31, "coefficient")))
        if len({atom for atom, _ in terms}) != len(terms) or any(factor == 0 for _, factor in terms):
            raise CheckpointError("A position names an index twice, or with the coefficient 0.")
        return Position(tuple(terms), read_integer(offset, -(2**40), 2**40, "offset"))

    def atom(self, item: Json) -> Atom:
        if type(item) is int:
            return self.index(item)
        match read_list(item, "atom"):
            case ["Length", symbol, axis]:
                return Length(*_extent([symbol, axis], self.symbols))
            case ["Lookup", name, positions]:
                return self.lookup(name, positions)
            case ["Quotient", position, divisor]:
                return Quotient(self.position(position), read_integer(divisor, 1, 2**31, "length of a block"))
            case _:
                raise CheckpointError("A position has a part of an unknown kind.")

    def lookup(self, name: Json, item: Json) -> Lookup:
        access = self.access(name, item)
        if not isinstance(access.symbol, Constant):
            raise CheckpointError(f"Places are looked up in constants, and {access.symbol.name} is none.")
        return Lookup(access.symbol, access.positions)

    def index(self, number: Json) -> Index:
        if type(number) is not int or number not in self.bound:
            raise CheckpointError("An index is used outside the sum that runs over it.")
        return self.indices[number]

    def relation(self, item: Json) -> Compare:
        parts = read_list(item, "relation")
        if len(parts) != 3 or parts[1] not in ("==", "!=", "<", "<="):
            raise CheckpointError("A relation must be two positions and one of == != < <=.")
        return Compare(self.position(parts[0]), parts[1], self.position(parts[2]))


def _family(item: Json) -> Family:
    for family in get_args(Family):
        if item == family:
            return cast(Family, family)
    raise CheckpointError("A directed factor is of an unknown family.")


def _equation(symbol: Intermediate, term: EnergyTerm) -> tuple[tuple[Index, ...], Scalar]:
    try:
        return parameter_of(symbol, term)
    except InternalError as error:
        raise CheckpointError(f"The definition of {symbol.name} is no equation for it.") from error
