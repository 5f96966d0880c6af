"""What people write in place of some combinations; equal in value, and for printing only."""

from __future__ import annotations

from fractions import Fraction

from pgmc.ir.nodes import ONE, Add, BatchMean, Bracket, Call, Index, LogSumExp, Mul, Pow, Scalar, Sum, at
from pgmc.ir.rewrite import free_indices, map_children, split_conditions, substitute

INVERSE = Fraction(-1)
SQUARE = Fraction(2)


def idiom(node: Scalar) -> Scalar:
    """The node as it is written by hand, its parts being so already."""
    match node:
        case Call("softplus", LogSumExp(body, over)):
            relations, exponent = split_conditions(body)
            power: Scalar = Call("exp", exponent)
            if relations:
                power = Mul((Bracket(tuple(relations)), power))
            return Call("log", Add((ONE, Sum(power, over))))
        case Mul(factors):
            return _square_over(factors) or node
        case BatchMean(Add(terms)):
            return BatchMean(_common_factors_out(terms))
        case _:
            return node


def _square_over(factors: tuple[Scalar, ...]) -> Scalar | None:
    """a · (X / a)² as X² / a."""
    for k, factor in enumerate(factors):
        if not (isinstance(factor, Pow) and factor.exponent == SQUARE and isinstance(factor.base, Mul)):
            continue
        inner = factor.base.factors
        for j, other in enumerate(factors):
            place = next((i for i, part in enumerate(inner) if _is_inverse(part, other)), None)
            if j == k or place is None:
                continue
            rest = inner[:place] + inner[place + 1 :]
            square = Pow(rest[0] if len(rest) == 1 else Mul(rest), SQUARE)
            kept = [square if i == k else old for i, old in enumerate(factors) if i != j]
            return Mul((*kept, Pow(other, INVERSE)))
    return None


def _is_inverse(part: Scalar, of: Scalar) -> bool:
    return isinstance(part, Pow) and part.exponent == INVERSE and _equal(part.base, of)


def _equal(first: Scalar, second: Scalar) -> bool:
    """Whether two expressions are the same but for which indices their sums bind."""
    return _with_plain_sums(first) == _with_plain_sums(second)


def _with_plain_sums(node: Scalar, depth: int = 0) -> Scalar:
    """The expression, the indices that its sums bind numbered from outside to inside."""
    if isinstance(node, Sum | LogSumExp):
        plain = tuple(Index(-1_000_000 - depth - k, "") for k in range(len(node.over)))
        body = substitute(node.body, {old: at(new) for old, new in zip(node.over, plain, strict=True)})
        inside = _with_plain_sums(body, depth + len(plain))
        return Sum(inside, plain) if isinstance(node, Sum) else LogSumExp(inside, plain)
    return map_children(node, lambda child: _with_plain_sums(child, depth))


def _common_factors_out(terms: tuple[Scalar, ...]) -> Scalar:
    """Factors that all terms share, in front of which the terms stand in brackets."""
    products = [term.factors if isinstance(term, Mul) else (term,) for term in terms]
    common = [factor for factor in products[0] if all(factor in product for product in products[1:])]
    common = [factor for factor in dict.fromkeys(common) if free_indices(factor)]
    if not common:
        return Add(terms)
    rests = [tuple(factor for factor in product if factor not in common) for product in products]
    if any(len(rest) + len(common) != len(product) for rest, product in zip(rests, products, strict=True)):
        return Add(terms)  # a factor that stands twice would be lost
    inner = Add(tuple(rest[0] if len(rest) == 1 else Mul(rest) if rest else ONE for rest in rests))
    return Mul((inner, *common))
