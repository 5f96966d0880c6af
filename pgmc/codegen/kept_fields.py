"""Sequential updates whose laws hold sums over the variable's own units, within functions or within other sums.

Units that share a child explain one another away: the law of h_j holds, for every child i, a function of
``Σ_{j'≠j} W_ij'·h_j'``. Made anew for every unit, these sums cost the size of the layer each. Here the whole sums, one
for every child, are made once in a sweep by a product of matrices. A unit takes its own part off, and adds what its
draw has changed: it costs the number of children. That is the same scan of the units in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pgmc.codegen.array_program import ArrayProgram, Contract, Draw, KeptField, Map, Operand, Step, make_buffer
from pgmc.codegen.flat_products import factors_of, product_of
from pgmc.codegen.names import NameRegistry
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.nodes import Access, Add, Bracket, Compare, Index, Mul, Scalar, Sum, at, fresh_index, number
from pgmc.ir.rewrite import accesses, depends_on_example, free_indices, map_children, rename, substitute
from pgmc.ir.rewrite import replace as replace_nodes
from pgmc.ir.symbols import Parameter

NOT_NUMBERS = ("Categorical", "Exclusive", "Multinomial", "JointNormal", "Generic")
"""Families that are not drawn as one number from numbers."""


def keep_fields(program: ArrayProgram, names: NameRegistry) -> ArrayProgram:
    """The program with such sums kept while units are drawn; the elements of the sums are made before the sweeps."""
    once, steps, buffers = list(program.once), list[Step](), list(program.buffers)
    for step in program.steps:
        if isinstance(step, Draw) and _is_in_turn(step):
            sums = _Sums(step.law, names)
            law = step.law.map(sums.replaced)
            kept = tuple(sums.found.values())
            step = replace(step, law=law.map(sums.shortened), kept=kept) if kept else step
            for element, own in sums.found.items():
                once.append(Map(own.coupling, element))
                units = Operand(law.target, own.coupling.indices[:1])
                steps.append(Contract(own.field, units, own.coupling, own.coupling.indices[:1]))
                buffers += [own.coupling, own.field]
        steps.append(step)
    return ArrayProgram(tuple(once), tuple(steps), tuple(buffers), program.results)


def _is_in_turn(step: Draw) -> bool:
    law, update = step.law, step.update
    one_by_one = update.mode == "sequential" and update.coloring is None
    return one_by_one and law.family not in NOT_NUMBERS and len(law.indices) == 1


@dataclass(slots=True)
class _Sums:
    """Finds the sums of a law that can be kept, and says what stands in their places; ``found`` is by their element."""

    law: ConditionalLaw
    names: NameRegistry
    found: dict[Scalar, KeptField] = field(default_factory=dict)

    def replaced(self, node: Scalar) -> Scalar:
        """The expression with kept sums in place of those that are made anew."""
        return self._kept(node) or map_children(node, self.replaced)

    def shortened(self, node: Scalar) -> Scalar:
        """The expression with elements of the array that is made before the sweeps, where they stand for a unit."""
        return replace_nodes(node, self._at_unit)

    @property
    def _unit(self) -> Index:
        return self.law.indices[0]

    def _kept(self, node: Scalar) -> Scalar | None:
        """The whole sum less the part of the unit itself, if it does not count; None if the sum cannot be kept."""
        if not isinstance(node, Sum) or len(node.over) != 1:
            return None
        (other,) = node.over
        factors = factors_of(node.body)
        units = [f for f in factors if isinstance(f, Access) and f.symbol == self.law.target]
        relations = [r for f in factors if isinstance(f, Bracket) for r in f.relations]
        apart = [r for r in relations if _tells_apart(r, other, self._unit)]
        rest = tuple(r for r in relations if r not in apart)
        others = [f for f in factors if f not in units and not isinstance(f, Bracket)]
        element = product_of([*others, *([Bracket(rest)] if rest else [])])
        if units != [Access(self.law.target, (at(other),))] or not _is_array(element, other):
            return None
        if self._unit in free_indices(element):  # a sum for this unit alone costs no more than keeping it
            return None
        around = tuple(index for index in free_indices(element) if index != other)
        own = self._field(element, other, around)
        places = tuple(map(at, around))
        whole = Access(own.field.symbol, places)
        if not apart:
            return whole
        part = Mul((number(-1), Access(own.coupling.symbol, (at(self._unit), *places)), self._drawn))
        return Add((whole, part))

    @property
    def _drawn(self) -> Access:
        return Access(self.law.target, (at(self._unit),))

    def _field(self, element: Scalar, other: Index, around: tuple[Index, ...]) -> KeptField:
        """The field of sums with this element, whatever its indices are called."""
        for known, own in self.found.items():
            if len(own.field.indices) == len(around):
                same = dict(zip((other, *around), own.coupling.indices, strict=True))
                if rename(element, same) == known:
                    return own
        name = self.law.target.name
        new = tuple(fresh_index(index.name, index.extent) for index in around)
        own_index = fresh_index(other.name, (name, 0))
        values = make_buffer(self.names.claim(f"kept_{name}"), len(new), per_example=True)
        elements = make_buffer(self.names.claim(f"element_{name}"), len(new) + 1, per_example=False)
        own = KeptField(Operand(values, new), Operand(elements, (own_index, *new)))
        known = rename(element, dict(zip((other, *around), own.coupling.indices, strict=True)))
        self.found[known] = own
        return own

    def _at_unit(self, node: Scalar) -> Scalar | None:
        for element, own in self.found.items():
            if isinstance(element, Access) and isinstance(node, Access) and node.symbol == element.symbol:
                found = {p.index: q for p, q in zip(element.positions, node.positions, strict=True)}
                places = tuple(found[index] for index in own.coupling.indices)
                same = dict(zip(own.coupling.indices, places, strict=True))
                if places[0] == at(self._unit) and substitute(element, same) == node:
                    return Access(own.coupling.symbol, places)
        return None


def _tells_apart(relation: Compare, first: Index, second: Index) -> bool:
    sides = {relation.left, relation.right}
    return relation.operator == "!=" and relation.around is None and sides == {at(first), at(second)}


def _is_array(element: Scalar, other: Index) -> bool:
    """Whether the elements are the same for all chains, and no more than those of an array they are made of."""
    found = accesses(element)
    sparse = any(isinstance(a.symbol, Parameter) and a.symbol.constraint.sparse for a in found)
    plain = all(position.index is not None for a in found for position in a.positions)
    if depends_on_example(element) or sparse or not plain:
        return False
    indices = set(free_indices(element))
    return len(indices) > 1 and any(indices <= {p.index for p in a.positions} and other in indices for a in found)
