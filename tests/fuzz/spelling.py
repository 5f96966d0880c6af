"""A specification as code that declares it in pgmc: in array notation where there is one, or in index notation."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction
from itertools import count, pairwise
from typing import Any, Literal

import numpy as np

import pgmc
from language import (
    Add,
    Array,
    Expression,
    Factor,
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
    walk,
)
from naming import with_names

Spelling = Literal["array", "index", "named"]


def code(spec: Specification, spelling: Spelling = "index") -> str:
    """Python that a person can paste and run: it leaves the model in ``m``."""
    lines = ["import numpy as np", "import pgmc", "", 'm = pgmc.Model("fuzz")']
    lines += [_declaration(array) for array in spec.arrays if not array.guide]
    definitions, spec, spoken = _under_names(spec) if spelling == "named" else ([], spec, set())
    terms = [_term(term, spelling) for term in spec.terms]
    spoken |= {letter for term, text in zip(spec.terms, terms, strict=True) for letter in _spoken(term, text)}
    factors, guide = (_factors(group, spelling, spoken) for group in (spec.factors, spec.guide))
    letters = sorted(spoken - {array.name for array in spec.of_kind("edges")})
    if letters:
        lines.append(f"{', '.join(letters)} = pgmc.indices({' '.join(letters)!r})")
    lines += definitions
    lines += [f"m.energy({text})" for text in terms] + [f"m.directed({text})" for text in factors]
    if guide:
        lines += ["q = m.guide()", *(_declaration(array, "q") for array in spec.arrays if array.guide)]
    return "\n".join([*lines, *(f"q.directed({text})" for text in guide), ""])


def _under_names(spec: Specification) -> tuple[list[str], Specification, set[str]]:
    """Definitions of functions, the model that speaks of them, and the letters that the definitions need."""
    numbers = count(1)
    lines: list[str] = []

    def named(node: Expression) -> Expression:
        more, changed = with_names(node, lambda: f"named_{next(numbers)}", in_indices)
        lines.extend(more)
        return changed

    spoken = {letter for part in (*spec.terms, *spec.expressions) for letter in all_letters(part)}
    factors = tuple(replace(f, parameters=tuple((n, named(body)) for n, body in f.parameters)) for f in spec.factors)
    changed = replace(spec, terms=tuple(map(named, spec.terms)), factors=factors)
    return lines, changed, spoken if lines else set()


def build(spec: Specification, spelling: Spelling = "index") -> pgmc.Model:
    """The model, built by running its code."""
    space: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)  # random units may be alone
        exec(compile(code(spec, spelling), f"<{spelling} spelling>", "exec"), space)  # noqa: S102 - our own text
    model: pgmc.Model = space["m"]
    return model


def _spoken(term: Expression, text: str) -> set[str]:
    """The letters that a text needs as names: none in array notation."""
    return all_letters(term) if text == in_indices(term) else set()


def all_letters(term: Expression) -> set[str]:
    """Every letter of a term, bound or not."""
    return {
        letter for part in walk(term) if isinstance(part, Read) for place in part.places for letter in place.letters
    }


# ---- declarations --------------------------------------------------------------------------------------------------


def _declaration(array: Array, model: str = "m") -> str:
    name = repr(array.name).replace("'", '"')
    if array.kind == "edges":
        ends = [f"{array.name}_{column}" for column in range(array.shape[1])]
        rows = [[int(unit) for unit in row] for row in np.reshape(array.value, array.shape)]
        return f"{array.name}, {', '.join(ends)} = m.edges({rows})"
    if array.kind == "constant":
        return f"{array.name} = {model}.constant({name}, {_literal(array.value, array.shape)})"
    words = [name, _shape(array.shape), *(f"{option}=True" for option in array.options)]
    words += [f"states={array.states}"] if array.states else []
    words += [f"total={array.given or array.total}"] if array.total else []
    words += [f"exclusive={_shape(array.exclusive)}"] if array.exclusive else []
    words += [f"mask={_literal(array.mask, array.shape)}"] if array.mask else []
    words += ['boundary="periodic"'] if array.periodic else []
    return f"{array.name} = {model}.{array.kind}({', '.join(words)})"


def _shape(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


def _literal(values: tuple[float, ...], shape: tuple[int, ...]) -> str:
    return f"np.array({np.array(values).reshape(shape).tolist()})" if shape else repr(values[0])


# ---- terms ---------------------------------------------------------------------------------------------------------


class NotInArrays(Exception):
    """Offsets and relations are written with indices only."""


def _term(term: Expression, spelling: Spelling) -> str:
    if spelling == "array":
        try:
            return in_arrays(Sum(term, free_letters(term)), ())
        except NotInArrays:
            pass
    return in_indices(term)


def _factors(factors: tuple[Factor, ...], spelling: Spelling, spoken: set[str]) -> list[str]:
    """What ``directed`` takes for each factor; letters that the texts need are added to those that are spoken."""
    found = []
    for factor in factors:
        order = free_letters(factor.target)
        try:
            if spelling == "index":
                raise NotInArrays
            texts = {name: in_arrays(body, order if free_letters(body) else ()) for name, body in factor.parameters}
            target = factor.target.name
        except NotInArrays:
            texts, target = {name: in_indices(body) for name, body in factor.parameters}, in_indices(factor.target)
            spoken |= {*all_letters(factor.target), *(x for _, body in factor.parameters for x in all_letters(body))}
        law = ", ".join(f"{name}={text}" for name, text in texts.items())
        found.append(f"{target}, pgmc.{factor.family}({law})")
    return found


def in_indices(node: Expression) -> str:
    """Index notation; letters that no ``Sum`` binds are left open."""
    match node:
        case Read(_, places):
            return f"{_whole(node)}[{', '.join(_place(place) for place in places)}]" if places else _whole(node)
        case Number(value):
            return _number(value)
        case Product(factors):
            return _times([_within(part, in_indices(part)) for part in factors])
        case Add(parts):
            return " + ".join(in_indices(part) for part in parts)
        case Power(base, exponent):
            return f"({in_indices(base)}) ** {exponent}"
        case Function(name, argument):
            return f"pgmc.{name}({in_indices(argument)})"
        case Sum(body, over, where):
            condition = f", where={_where(where)}" if where else ""
            return f"pgmc.Sum({in_indices(body)}, {', '.join(over)}{condition})" if over else in_indices(body)
        case LogSumExp(body, over):
            return f"pgmc.logsumexp({in_indices(body)}, ({', '.join(over)},))"


def _whole(read: Read) -> str:
    return f"{read.name}.pooled()" if read.pooled else read.name


def _place(place: Place) -> str:
    letters, offset, end = place
    if end:
        return f"{letters}_{offset}"
    if not letters:
        return str(offset)
    return " + ".join(letters) + (f" {'-' if offset < 0 else '+'} {abs(offset)}" if offset else "")


def _number(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else str(float(value))


def _where(relations: tuple[tuple[str, str, str], ...]) -> str:
    words = {"!=": "ne", "==": "eq"}
    texts = [f"{a}.{words[r]}({b})" if r in words else f"{a} {r} {b}" for a, r, b in relations]
    return texts[0] if len(texts) == 1 else " & ".join(f"({text})" for text in texts)


def _within(part: Expression, text: str) -> str:
    """A factor: in brackets if it is a sum or has a sign."""
    return f"({text})" if isinstance(part, Add) or text.startswith("-") else text


def _times(texts: list[str]) -> str:
    """A product, with its sign in front."""
    signs = texts.count("(-1)")
    return "-" * (signs % 2) + (" * ".join(text for text in texts if text != "(-1)") or "1")


# ---- array notation ------------------------------------------------------------------------------------------------


def in_arrays(node: Expression, order: tuple[str, ...]) -> str:
    """Array notation of an expression whose axes are its free letters in this order."""
    match node:
        case Read():
            return _contraction((node,), order)
        case Number(value):
            return _number(value)
        case Product(factors):
            return _contraction(factors, order)
        case Add(parts):
            return " + ".join(in_arrays(part, order if free_letters(part) else ()) for part in parts)
        case Power(base, exponent):
            return f"({in_arrays(base, order)}) ** {exponent}"
        case Function(name, argument):
            return f"pgmc.{name}({in_arrays(argument, order)})"
        case Sum(body, over, where):
            return _sum(body, over, bool(where), order)
        case LogSumExp(body, over):
            axes = ", ".join(str(len(order) + k) for k in range(len(over)))
            return f"pgmc.logsumexp({in_arrays(body, (*order, *over))}, axis=({axes},))"


def _sum(body: Expression, over: tuple[str, ...], related: bool, order: tuple[str, ...]) -> str:
    if related:
        raise NotInArrays
    if not over:
        return in_arrays(body, order)
    return _contraction(body.factors if isinstance(body, Product) else (body,), order)


def _contraction(factors: tuple[Expression, ...], order: tuple[str, ...]) -> str:
    """The product of the factors, summed over every letter that is not in the order."""
    scalars = [part for part in factors if not free_letters(part)]
    arrays = [part for part in factors if free_letters(part)]
    texts = [_within(part, in_arrays(part, ())) if not isinstance(part, Read) else _element(part) for part in scalars]
    if len(arrays) == 1 and not order and len(set(_subscripts(arrays[0]))) == len(_subscripts(arrays[0])):
        return f"({_times([*texts, _within(arrays[0], _element_or_array(arrays[0]))])}).sum()"
    if arrays:
        texts.append(_einsum([(_element_or_array(part), _subscripts(part)) for part in arrays], "".join(order)))
    return _times(texts)


def _einsum(operands: list[tuple[str, str]], output: str) -> str:
    """The shortest of: the array itself, ``@``, and ``pgmc.einsum``."""
    (first, letters), *more = operands
    if not more and letters == output:
        return first
    if _is_chain([subscripts for _, subscripts in operands], output):
        return f"({' @ '.join(f'({text})' if not text.isidentifier() else text for text, _ in operands)})"
    subscripts = ",".join(subscripts for _, subscripts in operands)
    return f'pgmc.einsum("{subscripts}->{output}", {", ".join(text for text, _ in operands)})'


def _is_chain(subscripts: list[str], output: str) -> bool:
    """Whether ``a @ b @ c`` is the product: vectors and matrices that meet in letters of their own."""
    joined = "".join(subscripts)
    meet = all(left[-1] == right[0] for left, right in pairwise(subscripts))
    inner = [left[-1] for left in subscripts[:-1]]
    sizes = [len(letters) for letters in subscripts]
    shaped = len(subscripts) > 1 and max(sizes) <= 2 and all(size == 2 for size in sizes[1:-1])
    once = all(joined.count(letter) == 2 for letter in inner) and len(set(inner)) == len(inner)
    ends = "".join(letter for letter in joined if letter not in inner)
    return shaped and meet and once and ends == output and len(set(ends)) == len(ends)


def _element_or_array(part: Expression) -> str:
    return _element(part) if isinstance(part, Read) else in_arrays(part, free_letters(part))


def _subscripts(part: Expression) -> str:
    if isinstance(part, Read):
        return "".join(place.letters for place in part.places)
    return "".join(free_letters(part))


def _element(read: Read) -> str:
    """The array itself, or its slice where a place is a number."""
    if any(len(place.letters) > 1 or (place.letters and place.offset) or place.end for place in read.places):
        raise NotInArrays
    if all(place.letters for place in read.places):
        return _whole(read)
    return f"{_whole(read)}[{', '.join(':' if place.letters else str(place.offset) for place in read.places)}]"
