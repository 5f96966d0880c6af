"""Contractions: sums of products taken apart into matrix products and what is left.

A sum ``Σ_i a_i b_i`` of two factors becomes a matrix product when the summed indices are all the factors share and each
has indices of its own; examples count as an index of every per-example factor. The batch mean of a product whose
factors fall into two groups without a common index is a matrix product over the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

from pgmc.codegen.array_program import Contract, Map, Operand, Reduce, Step, make_buffer
from pgmc.codegen.factor_axes import (
    EXAMPLES,
    axes_of,
    bracket_indices,
    components,
    covers,
    find_moved_product,
    is_plain,
    places_to_guard,
)
from pgmc.codegen.flat_products import factors_of, product_of, sum_of
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.retarget import retargeted
from pgmc.ir.answers import Quantity
from pgmc.ir.nodes import (
    Access,
    Add,
    BatchMean,
    Bracket,
    Call,
    Compare,
    Index,
    LogSumExp,
    Mul,
    Number,
    Position,
    Quotient,
    Scalar,
    Sum,
    at,
    fresh_index,
)
from pgmc.ir.rewrite import (
    accesses,
    depends_on_example,
    free_indices,
    map_children,
    split_conditions,
    substitute,
    walk,
)
from pgmc.ir.structural_key import Key, structural_key
from pgmc.ir.symbols import Constant, Input, Intermediate, Symbol, block_axis, is_one_hot, is_per_example

Pair: TypeAlias = tuple[Scalar, Scalar, tuple[Index, ...]]
"""Two factors, and the indices that their matrix product sums over."""

WEIGHTS = Input("weight[n]", ())
"""The weights of the examples in a batch mean, under a name that no symbol of a model can have."""


@dataclass(slots=True)
class ContractionLowering:
    """Collects the steps of one kernel. ``changing`` names variables that a sequential update is rewriting."""

    names: NameRegistry
    steps: list[Step] = field(default_factory=list)
    buffers: list[Operand] = field(default_factory=list)
    changing: frozenset[str] = frozenset()
    sources: dict[str, frozenset[str]] = field(default_factory=dict)
    definitions: Mapping[str, Quantity] = field(default_factory=dict)
    _defined: dict[str, Operand] = field(default_factory=dict)  # the arrays of definitions that were computed
    frequent: frozenset[Key] = frozenset()  # functions that are asked for so often that they get arrays of their own
    _known: dict[tuple[Key, tuple[int, ...]], Operand] = field(default_factory=dict)
    _conditioned: set[Scalar] = field(default_factory=set)  # weights times a condition on their own indices
    _guarded: frozenset[Index] = frozenset()  # indices of brackets around: they may keep places inside

    def forget(self, names: frozenset[str]) -> None:
        """Drop what was computed from the named variables: they have changed."""
        stale = [k for k, target in self._known.items() if names & self.sources[target.symbol.name]]
        for key in stale:
            del self._known[key]
        self._defined = {k: t for k, t in self._defined.items() if not names & self.sources[t.symbol.name]}

    def release(self, target: Operand) -> None:
        """Drop a buffer whose step now fills another array."""
        self.buffers.remove(target)
        self._known = {key: known for key, known in self._known.items() if known != target}

    def retarget(self, body: Scalar, target: Operand) -> bool:
        """Let the step that filled a buffer fill another array, if the body is that buffer and nothing else."""
        moved = retargeted(self.steps[-1], body, target) if self.steps else None
        if moved is not None:
            old, self.steps[-1] = moved
            self.release(old)
        return moved is not None

    def fill(self, wish: str, value: Scalar, indices: tuple[Index, ...]) -> Operand:
        """A buffer of its own, with an entry for each example, for an expression that is lowered already."""
        target = self._new_buffer(wish, value, indices, per_example=True)
        self.steps.append(Map(target, value))
        return target

    def sources_of(self, node: Scalar) -> frozenset[str]:
        """Names of the model's symbols that a value is computed from, through any number of buffers."""
        names = (a.symbol.name for a in accesses(node))
        return frozenset().union(*(self.sources.get(name, frozenset((name,))) for name in names))

    def lower(self, node: Scalar, prefer: tuple[Index, ...] = ()) -> Scalar:
        """The expression with matrix products replaced by the buffers that hold them."""
        if isinstance(node, BatchMean):
            return self._lower_mean(node.body, prefer)
        if isinstance(node, Access) and isinstance(node.symbol, Intermediate):
            return Access(self._array_of(node.symbol).symbol, node.positions)
        often = isinstance(node, Call) and bool(self.frequent) and structural_key(node)[0] in self.frequent
        before = self._guarded
        self._guarded = before | bracket_indices(factors_of(node.body if isinstance(node, Sum) else node))
        node = map_children(node, lambda child: self.lower(child, prefer))
        if isinstance(node, Sum):
            node = self._lower_sum(factors_of(node.body), node.over)
        elif isinstance(node, LogSumExp) and split_conditions(node.body)[0]:
            node = self._lower_block(node)
        self._guarded = before
        return self._materialise(node, free_indices(node)).access if often and self._is_dense(node) else node

    def _array_of(self, symbol: Intermediate) -> Operand:
        """The array of a named intermediate value, computed where it is needed first."""
        if symbol.name not in self._defined:
            quantity = self.definitions[symbol.name]
            guarded, self._guarded = self._guarded, frozenset()
            body = self.lower(quantity.body, quantity.indices)
            self._guarded = guarded
            target = Operand(self._buffer_like(symbol), quantity.indices)
            self.sources[target.symbol.name] = self.sources_of(body)
            self.buffers.append(target)
            if not self.retarget(body, target):
                self.steps.append(Map(target, body))
            self._defined[symbol.name] = target
        return self._defined[symbol.name]

    def _buffer_like(self, symbol: Intermediate) -> Symbol:
        name = self.names.claim(symbol.name)
        return Input(name, symbol.axes) if symbol.per_example else Constant(name, symbol.axes)

    def _lower_block(self, node: LogSumExp) -> Scalar:
        """A sum over the units of a block in a buffer, one for each block, read where the block is asked for."""
        places: dict[Index, Position] = {}

        def at_block(relation: Compare) -> Compare:
            own, block = relation.left, relation.right
            (atom, _), *_ = own.terms
            assert isinstance(atom, Quotient) and atom.position.index is not None
            name, axis = atom.position.index.extent or ("", 0)
            index = fresh_index(atom.position.index.name, (name, block_axis(axis)))
            places[index] = block
            return Compare(own, "==", at(index))

        relations, exponent = split_conditions(node.body)
        condition = Call("log", Bracket(tuple(map(at_block, relations))))
        value = LogSumExp(Add((exponent, condition)), node.over)
        access = self._memoise(value, free_indices(value), "block", lambda target: Map(target, value))
        return substitute(access, places)

    def _lower_sum(self, factors: list[Scalar], over: tuple[Index, ...]) -> Scalar:
        outside = [f for f in factors if not set(free_indices(f)) & set(over)]
        inside = self._with_conditions([f for f in factors if set(free_indices(f)) & set(over)], over)
        while (found := self._matrix_factors(inside, over)) is not None:
            inside, (left, right, shared) = found
            inside = [f for f in inside if f is not left and f is not right]
            over = tuple(i for i in over if i not in shared)
            product = self._contract(left, right, shared)
            (inside if set(free_indices(product)) & set(over) else outside).append(product)
        if (spread := find_moved_product(inside, over, self._guarded, self._is_dense)) is not None:
            product = substitute(self._contract(spread.weights, spread.whole, spread.shared), spread.places)
            inside = [*(f for f in inside if f is not spread.weights and f is not spread.moved), product]
            over = tuple(i for i in over if i not in spread.shared)
        rest = [Sum(product_of(self._bent_once(inside)), over)] if over else inside
        return product_of([*outside, *rest])

    def _bent_once(self, factors: list[Scalar]) -> list[Scalar]:
        """Functions of fewer indices than the product has in an array, so that each of their values is worked out once.

        Of Σ_x f(u[x])·v[x+a] the function is the same for every a.
        """
        every = {index for factor in factors for index in free_indices(factor)}
        bent = [f for f in factors if self._is_dense(f) and any(isinstance(node, Call) for node in walk(f))]
        axes = {index for factor in bent for index in free_indices(factor)}
        if not bent or len(axes) == len(every):
            return factors
        product = product_of(bent)
        return [self._materialise(product, free_indices(product)).access, *(f for f in factors if f not in bent)]

    def _with_conditions(self, factors: list[Scalar], over: tuple[Index, ...]) -> list[Scalar]:
        """The factors with weights and a condition on their own indices as one array, ``W[i,j]·[j < i]``.

        Only where a matrix product comes of it: in a loop a condition costs less than an array.
        """
        joined = list(factors)
        for bracket in (f for f in factors if isinstance(f, Bracket)):
            weights = next((f for f in joined if covers(f, bracket)), None)
            if weights is not None:
                both = Mul((weights, bracket))
                joined = [both if f is weights else f for f in joined if f is not bracket]
                self._conditioned.add(both)
        return factors if self._matrix_factors(joined, over) is None else joined

    def _matrix_factors(self, factors: list[Scalar], over: tuple[Index, ...]) -> tuple[list[Scalar], Pair] | None:
        """The factors, some multiplied element by element if need be, and two of them that make a matrix product.

        Of ``Σ_f A[i,f]·x[f]·y[f]``, x and y are multiplied first.
        """
        while (pair := self._matrix_pair(factors, over)) is None:
            couple = self._elementwise_pair(factors, over)
            if couple is None:
                return None
            factors = [*(f for f in factors if f is not couple[0] and f is not couple[1]), product_of(list(couple))]
        return factors, pair

    def _elementwise_pair(self, factors: list[Scalar], over: tuple[Index, ...]) -> tuple[Scalar, Scalar] | None:
        """Two factors over one of the indices whose product has no axes that neither of them has alone."""
        couples: list[tuple[tuple[bool, bool], tuple[Scalar, Scalar]]] = []
        for couple in combinations(factors, 2):
            a, b = map(axes_of, couple)
            if a & b & set(over) and (a <= b or b <= a) and all(map(self._is_dense, couple)):
                mixed = (EXAMPLES in a) != (EXAMPLES in b)  # parameters alone are multiplied once for all examples
                couples.append(((a != b, mixed), couple))
        return min(couples, key=lambda found: found[0])[1] if couples else None

    def _matrix_pair(self, factors: list[Scalar], over: tuple[Index, ...]) -> Pair | None:
        """The two factors to multiply first: those that leave the fewest indices, and rather examples than weights.

        A product of weights with a few indices between them is wide; that of examples and weights is thin.
        """
        best: tuple[tuple[int, bool], Pair] | None = None
        for left, right in combinations(factors, 2):
            if not (self._is_dense(left) and self._is_dense(right)):
                continue
            a, b = axes_of(left), axes_of(right)
            others = {i for f in factors if f is not left and f is not right for i in free_indices(f)}
            shared = tuple(i for i in over if i in a and i in b and i not in others)
            own_a, own_b = a - set(shared), b - set(shared)
            if shared and own_a and own_b and not own_a & own_b:
                cost = (len(own_a) + len(own_b), EXAMPLES not in own_a | own_b)
                best = (cost, (left, right, shared)) if best is None or cost < best[0] else best
        return None if best is None else best[1]

    def _is_dense(self, factor: Scalar) -> bool:
        """Whether the factor may become a whole array: no bracket, nothing that changes meanwhile, no place outside."""
        if factor in self._conditioned:
            return True
        parts = list(walk(factor))
        changing = any(isinstance(n, Access) and n.symbol.name in self.changing for n in parts)
        outside = any(self._guarded & places_to_guard(n) for n in parts)
        return not (changing or outside or any(isinstance(n, Bracket) for n in parts))

    def _contract(self, left: Scalar, right: Scalar, over: tuple[Index, ...]) -> Scalar:
        if depends_on_example(right) and not depends_on_example(left):
            left, right = right, left  # examples are the rows of the product
        own_left = tuple(i for i in free_indices(left) if i not in over)
        own_right = tuple(i for i in free_indices(right) if i not in over)

        def build(target: Operand) -> Step:
            a = self._operand(left, own_left, over)
            return Contract(target, a, self._operand(right, own_right, over), over)

        return self._memoise(Sum(product_of([left, right]), over), (*own_left, *own_right), "field", build)

    def _operand(self, factor: Scalar, own: tuple[Index, ...], over: tuple[Index, ...]) -> Operand:
        """The factor as an array whose own indices and whose summed indices stand together."""
        if isinstance(factor, Access) and not is_one_hot(factor.symbol):
            indices = tuple(p.index for p in factor.positions if p.index is not None)
            plain = len(set(indices)) == len(factor.positions)
            layouts = [(*own, *over)] if own and is_per_example(factor.symbol) else [(*own, *over), (*over, *own)]
            if plain and indices in layouts:
                return Operand(factor.symbol, indices)
        return self._materialise(factor, (*own, *over))

    def _materialise(self, factor: Scalar, indices: tuple[Index, ...]) -> Operand:
        access = self._memoise(factor, indices, "part", lambda target: Map(target, factor))
        return Operand(access.symbol, indices)

    def _memoise(
        self, value: Scalar, indices: tuple[Index, ...], wish: str, build: Callable[[Operand], Step]
    ) -> Access:
        """The buffer that holds the value; computed once if the same value was needed before."""
        key, free = structural_key(value)
        order = tuple(free.index(index) for index in indices)
        if (key, order) not in self._known:
            target = self._new_buffer(wish, value, indices, depends_on_example(value))
            self.steps.append(build(target))
            self._known[key, order] = target
        return Access(self._known[key, order].symbol, tuple(at(index) for index in indices))

    def _new_buffer(self, wish: str, value: Scalar, indices: tuple[Index, ...], per_example: bool) -> Operand:
        name = self.names.claim(_wish(wish, value) if wish in _KINDS else wish)
        target = Operand(make_buffer(name, len(indices), per_example), indices)
        self.buffers.append(target)
        self.sources[name] = self.sources_of(value)
        return target

    def _lower_mean(self, body: Scalar, prefer: tuple[Index, ...]) -> Scalar:
        if isinstance(body, Add):
            return sum_of([self._lower_mean(term, prefer) for term in body.terms])
        factors = factors_of(self.lower(body))
        reach = frozenset().union(*(places_to_guard(n) for f in factors for n in walk(f)))
        moving = [
            f for f in factors if depends_on_example(f) or (isinstance(f, Bracket) and reach & bracket_indices([f]))
        ]
        fixed: list[Scalar] = [f for f in factors if f not in moving and not isinstance(f, Number)]
        coefficient: list[Scalar] = [f for f in factors if isinstance(f, Number)]
        over: tuple[Index, ...] = ()
        match moving:
            case [Sum(body, places) as everywhere] if self._meets_everywhere(everywhere):
                moving, over = factors_of(body), places
        groups = [g for g in components(moving, over) if any(free_indices(f) for f in g)]
        scalars = [f for f in moving if not free_indices(f)]
        weight = [*coefficient, Access(WEIGHTS, ()), *scalars]
        if len(groups) < 2 or not all(self._is_dense(f) for f in moving):
            return self._reduce(product_of([*weight, *[f for g in groups for f in g]]), fixed, prefer)
        return product_of([*fixed, self._contract_examples(groups, weight, prefer, over)])

    def _meets_everywhere(self, node: Sum) -> bool:
        """Whether a sum is over places at which two groups of factors without other common indices meet.

        Σ_nxy v[n,x+a,y+b]·h[n,k,x,y] is a matrix product over the places of all examples.
        """
        factors = factors_of(node.body)
        groups = components(factors, node.over)
        reach = [{index for f in g for index in free_indices(f)} for g in groups]
        own = all(indices > set(node.over) for indices in reach)
        examples = all(any(map(depends_on_example, g)) for g in groups)
        return len(groups) == 2 and own and examples and all(map(self._is_dense, factors))

    def _reduce(self, value: Scalar, fixed: list[Scalar], prefer: tuple[Index, ...]) -> Scalar:
        indices = free_indices(value)
        known = self._known.get((structural_key(value)[0], tuple(range(len(indices)))))
        if known is not None:
            value = Access(known.symbol, tuple(at(index) for index in indices))
        place = {index: k for k, index in enumerate(prefer)}
        indices = tuple(sorted(indices, key=lambda index: place.get(index, len(place))))
        target = self._new_buffer("mean", value, indices, per_example=False)
        self.steps.append(Reduce(target, value))
        return product_of([*fixed, target.access])

    def _contract_examples(
        self, groups: list[list[Scalar]], weight: list[Scalar], prefer: tuple[Index, ...], over: tuple[Index, ...] = ()
    ) -> Scalar:
        """Σ weight · left · right with the groups as rows and columns, in the order the result wants.

        The sum is over the examples, and at each over the places of ``over``.
        """
        place = {index: k for k, index in enumerate(prefer)}
        groups = sorted(groups, key=lambda g: min(place.get(i, 99) for f in g for i in free_indices(f)))
        right, rest = groups[-1], [f for g in groups[:-1] for f in g]
        sides = [rest, right]
        carrier = 0 if is_plain(sides[1]) and not is_plain(sides[0]) else 1
        sides[carrier] = [*weight, *sides[carrier]]
        values = [product_of(side) for side in sides]
        free = [[i for i in free_indices(v) if i not in over] for v in values]
        own = [tuple(sorted(indices, key=lambda i: place.get(i, 99))) for indices in free]
        operands = [self._operand(v, (*over, *o), ()) for v, o in zip(values, own, strict=True)]
        indices = (*own[0], *own[1])
        target = self._new_buffer("mean", product_of(values), indices, per_example=False)
        self.steps.append(Contract(target, operands[0], operands[1], (EXAMPLES, *over) if over else ()))
        return target.access


_KINDS = ("field", "part", "mean", "block")
_PREFIXES = tuple(f"{kind}_" for kind in _KINDS)


def _wish(kind: str, value: Scalar) -> str:
    """A telling name: the kind of buffer and the symbols that enter it, rather than other buffers."""
    symbols = dict.fromkeys(a.symbol.name for a in accesses(value) if a.symbol != WEIGHTS)
    short = [name for name in symbols if not name.startswith(_PREFIXES)]
    short = short or [name.split("_", 1)[1] for name in symbols]
    return "_".join([kind, *short])[:40]
