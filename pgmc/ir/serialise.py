"""A model as plain data that JSON can hold, and back, with every part of what comes back checked.

Only the node and symbol types listed here can be read, so nothing that a file says is ever run. Arrays
(masks, constants, initial values) stand beside the data in a dict of their own, under names such as
``mask.W``. Where the user wrote something is not kept: it names files of another machine. Nor are
initialisers that are functions.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import InternalError
from pgmc.ir.model import EnergyTerm, Factor, Model
from pgmc.ir.nodes import (
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
from pgmc.ir.rewrite import walk
from pgmc.ir.symbols import (
    Binary,
    Categorical,
    Constant,
    Count,
    Domain,
    Parameter,
    Positive,
    Real,
    Spin,
    Symbol,
    Variable,
)

Json: TypeAlias = Any
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

DOMAINS: dict[str, Domain] = {"binary": Binary(), "spin": Spin(), "real": Real(), "positive": Positive()}

GUIDE = "guide."
"""What the names of a guide's arrays begin with."""

# ---- writing ---------------------------------------------------------------------------------------------


def model_to_data(model: Model) -> tuple[dict[str, Json], Arrays]:
    """The model as dicts, lists, strings and integers, and the arrays that go with it."""
    arrays: Arrays = {}
    data: dict[str, Json] = {
        "name": model.name,
        "variables": [_write_variable(v) for v in model.variables],
        "inputs": [_write_symbol(v) | {"domain": _write_domain(v.domain)} for v in model.inputs],
        "parameters": [_write_parameter(p, arrays) for p in model.parameters],
        "constants": [_write_constant(c, arrays) for c in model.constants],
        "terms": [_Writer(term).data() for term in model.terms],
        "factors": [_write_factor(factor) for factor in model.factors],
        "definitions": [_write_symbol(d.symbol) | {"term": _Writer(d.term).data()} for d in model.definitions],
        "guide": None,
    }
    if model.guide is not None:
        data["guide"], own = model_to_data(model.guide)
        arrays |= {f"{GUIDE}{name}": array for name, array in own.items()}
    return data, arrays


def _write_symbol(symbol: Symbol) -> dict[str, Json]:
    return {"name": symbol.name, "axes": [[axis.size, axis.boundary] for axis in symbol.axes]}


def _write_variable(variable: Variable) -> dict[str, Json]:
    return _write_symbol(variable) | {
        "domain": _write_domain(variable.domain),
        "exclusive": list(variable.exclusive),
    }


def _write_domain(domain: Domain) -> Json:
    match domain:
        case Categorical(states):
            return ["categorical", states]
        case Count(total):
            return ["count", total]
        case _:
            return str(domain)


def _write_parameter(parameter: Parameter, arrays: Arrays) -> dict[str, Json]:
    constraint, init = parameter.constraint, parameter.init
    names = ("symmetric", "zero_diagonal", "positive", "masked", "sparse", "fixed")
    flags = [name for name in names if getattr(constraint, name)]
    if constraint.masked:
        arrays[f"mask.{parameter.name}"] = np.asarray(constraint.mask, dtype=np.bool_)
    if init is not None and not callable(init):
        arrays[f"init.{parameter.name}"] = np.asarray(init, dtype=np.float64)
    return _write_symbol(parameter) | {"constraint": flags}


def _write_constant(constant: Constant, arrays: Arrays) -> dict[str, Json]:
    arrays[f"constant.{constant.name}"] = np.asarray(constant.value, dtype=np.float64)
    return _write_symbol(constant) | {"shown": constant.shown}


def _write_factor(factor: Factor) -> dict[str, Json]:
    parameters = [[name, _Writer(term).data()] for name, term in factor.parameters]
    return {"target": factor.target.name, "family": factor.family, "parameters": parameters}


class _Writer:
    """Writes one term. Its indices are numbered from the smallest key in size: for a canonical term, key -1 is 0."""

    def __init__(self, term: EnergyTerm) -> None:
        sums = (node.over for node in walk(term.body) if isinstance(node, Sum | LogSumExp))
        indices = sorted({*term.over, *itertools.chain(*sums)}, key=lambda index: abs(index.key))
        self.term = term
        self.numbers = {index: number for number, index in enumerate(indices)}

    def data(self) -> dict[str, Json]:
        return {
            "name": self.term.name,
            "child": self.term.child,
            "indices": [[index.name, list(index.extent) if index.extent else None] for index in self.numbers],
            "over": [self.index(index) for index in self.term.over],
            "body": self.node(self.term.body),
        }

    def index(self, index: Index) -> int:
        return self.numbers[index]

    def position(self, position: Position) -> Json:
        if position.index is not None:
            return self.index(position.index)
        return [position.offset, *([self.atom(atom), factor] for atom, factor in position.terms)]

    def atom(self, atom: Atom) -> Json:
        match atom:
            case Index():
                return self.index(atom)
            case Length(symbol, axis):
                return ["Length", symbol, axis]
            case Lookup(table, positions):
                return ["Lookup", table.name, [self.position(p) for p in positions]]
            case Quotient(position, divisor):
                return ["Quotient", self.position(position), divisor]

    def node(self, node: Scalar) -> Json:
        match node:
            case Number(value):
                return ["Number", str(value)]
            case Pi():
                return ["Pi"]
            case Access(symbol, positions):
                return ["Access", symbol.name, [self.position(p) for p in positions]]
            case Add(parts) | Mul(parts):
                return [type(node).__name__, [self.node(part) for part in parts]]
            case Pow(base, exponent):
                return ["Pow", self.node(base), str(exponent)]
            case Call(function, argument):
                return ["Call", function, self.node(argument)]
            case Sum(body, over) | LogSumExp(body, over):
                numbers = [self.index(index) for index in over]
                return [type(node).__name__, numbers, self.node(body)]
            case Bracket(relations):
                return ["Bracket", [self.relation(relation) for relation in relations]]
            case _:
                raise InternalError(f"{type(node).__name__} does not belong in the energy of a model.")

    def relation(self, relation: Compare) -> Json:
        return [self.position(relation.left), relation.operator, self.position(relation.right)]
