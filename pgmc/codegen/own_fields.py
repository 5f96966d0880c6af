"""Sequential updates whose laws are linear in the variable's own units.

Where the logit of unit i holds ``Σ_j a_ij·x_j``, x being the variable that is drawn one unit after the other, the sum
need not be made anew for every unit. With the coupling ``K_ij`` as one matrix, the fields ``K·x`` of some units at a
time are a matrix product, and a unit that changes by d adds ``K_ji·d`` to the fields that come after it. That is the
same scan of the units in the same order; only the sums are added up differently.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from pgmc.codegen.array_program import (
    EXAMPLES,
    ArrayProgram,
    Contract,
    Draw,
    DrawInBlocks,
    Map,
    Operand,
    OwnField,
    Step,
    make_buffer,
    read_expressions,
)
from pgmc.codegen.flat_products import factors_of, product_of, sum_of
from pgmc.codegen.names import NameRegistry
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.nodes import Access, Add, Index, Mul, Scalar, Sum, fresh_index
from pgmc.ir.rewrite import accesses, depends_on_example, free_indices, map_children, rename
from pgmc.ir.rewrite import replace as replace_nodes

FAMILIES = ("Bernoulli", "Spin", "Normal")
"""Those that are drawn a unit at a time from numbers, not from a row of logits."""


def keep_own_fields(program: ArrayProgram, names: NameRegistry) -> ArrayProgram:
    """The program with every such update done in blocks; the couplings are made once, before the sweeps."""
    once, steps, buffers = list(program.once), list(program.steps), list(program.buffers)
    for k, step in enumerate(steps):
        if not isinstance(step, Draw) or (found := _linear(step, names)) is None:
            continue
        law, fields = found
        law = _turn_buffers(law, k, steps, buffers)
        steps[k] = DrawInBlocks(law, step.update, tuple(own for own, _ in fields))
        once += [Map(own.coupling, body) for own, body in fields]
        buffers += [own.coupling for own, _ in fields]
    return ArrayProgram(tuple(once), tuple(steps), tuple(buffers), program.results)


def _linear(step: Draw, names: NameRegistry) -> tuple[ConditionalLaw, list[tuple[OwnField, Scalar]]] | None:
    """The law with fields in place of its own units, and the couplings; None if it is not linear in them."""
    law, update = step.law, step.update
    if update.mode != "sequential" or update.coloring is not None:
        return None
    if law.family not in FAMILIES or len(law.indices) != 1:
        return None
    fields = _OwnFields(law, names)
    law = law.map(fields.replaced)
    if not fields.found or any(a.symbol == law.target for value in law.expressions for a in accesses(value)):
        return None
    return law, fields.couplings()


_Key: TypeAlias = tuple[int, tuple[Scalar, ...]]  # the sum it stands in, and the factors that depend on the chain


@dataclass(slots=True)
class _OwnFields:
    """Collects the sums over own units; those of one sum that have the same factor of the chain become one field."""

    law: ConditionalLaw
    names: NameRegistry
    other: Index = field(init=False)
    found: dict[_Key, OwnField] = field(default_factory=dict)
    parts: dict[_Key, list[Scalar]] = field(default_factory=dict)
    _sums: int = 0

    def __post_init__(self) -> None:
        unit = self.law.indices[0]
        self.other = fresh_index("j" if unit.name != "j" else "i", (self.law.target.name, 0))

    def couplings(self) -> list[tuple[OwnField, Scalar]]:
        """The fields and the elements of their matrices."""
        return [(own, sum_of(self.parts[key])) for key, own in self.found.items()]

    def replaced(self, node: Scalar) -> Scalar:
        """The expression with fields in place of the sums."""
        self._sums += 1
        if not isinstance(node, Add):
            return self._term(node, self._sums) or map_children(node, self.replaced)
        fields: dict[Scalar, None] = {}
        others: list[Scalar] = []
        sums = self._sums
        for term in node.terms:
            found = self._term(term, sums)
            if found is None:
                others.append(map_children(term, self.replaced))
            else:
                fields[found] = None
        return sum_of([*fields, *others])

    def _term(self, node: Scalar, number: int) -> Scalar | None:
        """A product with a sum over own units: what depends on the chain stays, the rest goes into the matrix."""
        factors = factors_of(node)
        for k, factor in enumerate(factors):
            element = self._element(factor)
            if element is not None:
                rest = [*factors[:k], *factors[k + 1 :]]
                moving = tuple(f for f in rest if depends_on_example(f))
                matrix = product_of([*(f for f in rest if not depends_on_example(f)), element])
                if set(free_indices(Mul((*moving, matrix)))) <= {self.law.indices[0], self.other}:
                    return product_of([*moving, self._field((number, moving), matrix).field.access])
        return None

    def _element(self, node: Scalar) -> Scalar | None:
        """a_ij, if the node is ``Σ_j a_ij x_j`` with a_ij the same for every chain."""
        if not isinstance(node, Sum):
            return None
        factors = factors_of(node.body)
        units = [f for f in factors if isinstance(f, Access) and f.symbol == self.law.target]
        others: list[Scalar] = [f for f in factors if f not in units]
        if len(units) != 1 or any(depends_on_example(f) for f in others) or len(others) != len(factors) - 1:
            return None
        index = units[0].positions[0].index
        if index is None or index not in node.over:
            return None
        rest = tuple(i for i in node.over if i != index)
        body = Sum(product_of(others), rest) if rest else product_of(others)
        return rename(body, {index: self.other})

    def _field(self, key: _Key, element: Scalar) -> OwnField:
        if key not in self.found:
            unit, name = self.law.indices[0], self.law.target.name
            values = make_buffer(self.names.claim(f"field_{name}"), 2, per_example=False)
            matrix = make_buffer(self.names.claim(f"coupling_{name}"), 2, per_example=False)
            self.found[key] = OwnField(Operand(values, (unit, EXAMPLES)), Operand(matrix, (unit, self.other)))
        self.parts.setdefault(key, []).append(element)
        return self.found[key]


def _turn_buffers(law: ConditionalLaw, k: int, steps: list[Step], buffers: list[Operand]) -> ConditionalLaw:
    """Products that only this law reads get the chains last, as the law is drawn for all chains of a unit."""
    unit = law.indices[0]
    for j, step in enumerate(steps[:k]):
        if not isinstance(step, Contract) or step.target.indices != (unit,) or not _is_private(step.target, k, steps):
            continue
        symbol = step.target.symbol
        turned = Operand(make_buffer(symbol.name, 2, per_example=False), (unit, EXAMPLES))
        steps[j] = replace(step, target=turned)
        buffers[buffers.index(step.target)] = turned
        law = law.map(partial(_with_element, old=step.target.access, new=turned.access))
    return law


def _with_element(node: Scalar, old: Access, new: Access) -> Scalar:
    """The expression with one element in the place of another."""
    return replace_nodes(node, lambda inner: new if inner == old else None)


def _is_private(target: Operand, reader: int, steps: list[Step]) -> bool:
    """Whether a buffer is read by one step alone, and there at its unit."""
    for k, step in enumerate(steps):
        found = [a for node in read_expressions(step) for a in accesses(node) if a.symbol == target.symbol]
        if any(a != target.access or k != reader for a in found):
            return False
    return True
