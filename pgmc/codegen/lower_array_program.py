"""From the answer of a query to an array program."""

from __future__ import annotations

from dataclasses import replace

from pgmc.codegen.array_program import ArrayProgram, Assign, Contract, Draw, Map, Operand, Reduce, Step, make_buffer
from pgmc.codegen.check_array_program import check_array_program
from pgmc.codegen.lower_contractions import ContractionLowering
from pgmc.codegen.names import NameRegistry
from pgmc.ir.answers import Answer, Assignment, BlockUpdate, Computation, PassSchedule, Quantity, SweepSchedule
from pgmc.ir.nodes import Access, Scalar, at
from pgmc.ir.symbols import is_per_example


def lower_answer(answer: Answer, names: NameRegistry) -> ArrayProgram:
    """The checked array program of an answer; ``names`` has the symbols of the model already."""
    if isinstance(answer, Computation):
        return check_array_program(lower_computation(answer, names))
    return check_array_program(lower_sweep(answer, names))


def lower_computation(computation: Computation, names: NameRegistry) -> ArrayProgram:
    """The steps that fill the result arrays of a computation."""
    names_of = {q: names.claim(f"out_{q.name}" if q.per_example else f"grad_{q.name}") for q in computation.quantities}
    lowering = ContractionLowering(names)
    results: list[Operand] = []
    for quantity in computation.quantities:
        target = _result_operand(quantity, names_of[quantity])
        results.append(target)
        body = lowering.lower(quantity.body, quantity.indices)
        if not _retarget(lowering, body, target):
            lowering.steps.append(Map(target, body))
    return ArrayProgram((), tuple(lowering.steps), tuple(lowering.buffers), tuple(results))


def lower_sweep(schedule: SweepSchedule | PassSchedule, names: NameRegistry) -> ArrayProgram:
    """The steps of one sweep: the matrix products each update needs, then its draws or its assignment."""
    lowering = ContractionLowering(names)
    for update in schedule.updates:
        changed = frozenset(target.name for target in update.targets)
        lowering.changing = changed if update.mode == "sequential" else _generic(update)
        lowering.steps.extend(_lower_update(update, lowering))
        lowering.forget(changed)
    free = frozenset(target.name for update in schedule.updates for target in update.targets)
    once = tuple(s for s in lowering.steps if not isinstance(s, Draw | Assign) and not _sources(lowering, s) & free)
    steps = tuple(s for s in lowering.steps if s not in once)
    return ArrayProgram(once, steps, tuple(lowering.buffers))


def _generic(update: BlockUpdate | Assignment) -> frozenset[str]:
    """The variables whose density is looked at in several places while their units are drawn."""
    laws = update.laws if isinstance(update, BlockUpdate) else ()
    return frozenset(law.target.name for law in laws if law.family == "Generic")


def _lower_update(update: BlockUpdate | Assignment, lowering: ContractionLowering) -> list[Step]:
    if isinstance(update, Assignment):
        return [Assign(Operand(update.target, update.indices), lowering.lower(update.body), update.mode)]
    laws = [law.map(lowering.lower) for law in update.laws]
    return [Draw(law, update) for law in laws]


def _result_operand(quantity: Quantity, name: str) -> Operand:
    return Operand(make_buffer(name, len(quantity.indices), quantity.per_example), quantity.indices)


def _retarget(lowering: ContractionLowering, body: Scalar, target: Operand) -> bool:
    """Let the step that filled a buffer fill the result instead, if the buffer is the result and nothing else."""
    if not isinstance(body, Access) or not lowering.steps:
        return False
    last = lowering.steps[-1]
    owned = isinstance(last, Map | Contract | Reduce) and last.target.symbol == body.symbol
    same_order = body.positions == tuple(at(index) for index in target.indices)
    if not owned or not same_order or is_per_example(body.symbol) != is_per_example(target.symbol):
        return False
    assert isinstance(last, Map | Contract | Reduce)
    lowering.steps[-1] = _renamed(last, target)
    lowering.release(last.target)
    return True


def _renamed(step: Map | Contract | Reduce, target: Operand) -> Step:
    """The step filling another array. Its target carries the same indices, so its body need not change."""
    return replace(step, target=replace(target, indices=step.target.indices))


def _sources(lowering: ContractionLowering, step: Step) -> frozenset[str]:
    if isinstance(step, Contract):
        return lowering.sources_of(step.left.access) | lowering.sources_of(step.right.access)
    if isinstance(step, Map | Reduce):
        return lowering.sources_of(step.body)
    return frozenset()
