"""From the answer of a query to an array program."""

from __future__ import annotations

from collections import Counter

from pgmc.codegen.array_program import (
    ArrayProgram,
    Assign,
    Contract,
    Draw,
    Leapfrog,
    Map,
    Operand,
    Reduce,
    Step,
    make_buffer,
)
from pgmc.codegen.check_array_program import check_array_program
from pgmc.codegen.lower_contractions import ContractionLowering
from pgmc.codegen.names import NameRegistry
from pgmc.ir.answers import (
    Answer,
    Assignment,
    BlockUpdate,
    Computation,
    PassSchedule,
    Quantity,
    SweepSchedule,
    Trajectory,
)
from pgmc.ir.nodes import Access, Call
from pgmc.ir.rewrite import depends_on_example, free_indices, walk
from pgmc.ir.structural_key import Key, structural_key
from pgmc.ir.trajectory_symbols import ACCEPTANCE, DIVERGENCES, JITTER, LEAPS, STEP_SIZE

OFTEN = 8
"""A function of examples and units that occurs so many times is worked out once, into an array."""


def lower_answer(answer: Answer, names: NameRegistry) -> ArrayProgram:
    """The checked array program of an answer; ``names`` has the symbols of the model already."""
    if isinstance(answer, Computation):
        return check_array_program(lower_computation(answer, names))
    return check_array_program(lower_sweep(answer, names))


def lower_computation(computation: Computation, names: NameRegistry) -> ArrayProgram:
    """The steps that fill the result arrays of a computation."""
    names_of = {q: names.claim(f"out_{q.name}" if q.per_example else f"grad_{q.name}") for q in computation.quantities}
    definitions = {q.name: q for q in computation.definitions}
    lowering = ContractionLowering(names, definitions=definitions, frequent=_frequent_functions(computation))
    results: list[Operand] = []
    for quantity in computation.quantities:
        target = _result_operand(quantity, names_of[quantity])
        results.append(target)
        body = lowering.lower(quantity.body, quantity.indices)
        if not lowering.retarget(body, target):
            lowering.steps.append(Map(target, body))
    return ArrayProgram((), tuple(lowering.steps), tuple(lowering.buffers), tuple(results))


def _frequent_functions(computation: Computation) -> frozenset[Key]:
    """Functions of many places, such as σ(field[k]), that derivatives of derivatives repeat over and over."""
    calls = (n for q in computation.quantities for n in walk(q.body) if isinstance(n, Call) and depends_on_example(n))
    counts = Counter(structural_key(call)[0] for call in calls if free_indices(call))
    return frozenset(key for key, count in counts.items() if count >= OFTEN)


def lower_sweep(schedule: SweepSchedule | PassSchedule, names: NameRegistry) -> ArrayProgram:
    """The steps of one sweep: the matrix products each update needs, then its draws or its assignment."""
    named = schedule.definitions if isinstance(schedule, SweepSchedule) else ()
    lowering = ContractionLowering(names, definitions={q.name: q for q in named})
    for update in schedule.updates:
        changed = frozenset(target.name for target in update.targets)
        lowering.changing = changed if update.mode == "sequential" else _generic(update)
        lowering.steps.extend(_lower_update(update, lowering))
        lowering.forget(changed)
    free = frozenset(target.name for update in schedule.updates for target in update.targets)
    ahead = (s for s in lowering.steps if not isinstance(s, Draw | Assign | Leapfrog))
    once = tuple(s for s in ahead if not _sources(lowering, s) & free)
    steps = tuple(s for s in lowering.steps if s not in once)
    return ArrayProgram(once, steps, tuple(lowering.buffers))


def _generic(update: BlockUpdate | Trajectory | Assignment) -> frozenset[str]:
    """The variables whose density is looked at in several places while their units are drawn."""
    laws = update.laws if isinstance(update, BlockUpdate) else ()
    return frozenset(law.target.name for law in laws if law.family == "Generic")


def _lower_trajectory(update: Trajectory, lowering: ContractionLowering) -> Leapfrog:
    """The arrays that a slope and a potential need; what the move does not change is computed ahead of it."""
    moved = frozenset(target.name for target in update.targets)
    lowering.forget(moved)
    outer, lowering.steps = lowering.steps, []
    slopes = [lowering.fill(f"slope_{q.name}", lowering.lower(q.body, q.indices), q.indices) for q in update.slopes]
    gradient, lowering.steps = lowering.steps, []
    potential = lowering.fill("potential", lowering.lower(update.potential.body), ())
    energy, lowering.steps = lowering.steps, outer
    fixed = [step for step in (*gradient, *energy) if not _sources(lowering, step) & moved]
    ends = {operand.symbol for operand in (*slopes, potential)}
    fixed = [step for step in fixed if isinstance(step, Map | Contract | Reduce) and step.target.symbol not in ends]
    lowering.steps.extend(fixed)
    moving, judging = (tuple(step for step in steps if step not in fixed) for steps in (gradient, energy))
    told = tuple(Access(symbol, ()) for symbol in (STEP_SIZE, ACCEPTANCE, DIVERGENCES, LEAPS, JITTER))
    return Leapfrog(update, moving, judging, tuple(slopes), potential, told)


def _lower_update(update: BlockUpdate | Trajectory | Assignment, lowering: ContractionLowering) -> list[Step]:
    if isinstance(update, Trajectory):
        return [_lower_trajectory(update, lowering)]
    if isinstance(update, Assignment):
        return [Assign(Operand(update.target, update.indices), lowering.lower(update.body), update.mode)]
    laws = [law.map(lowering.lower) for law in update.laws]
    return [Draw(law, update) for law in laws]


def _result_operand(quantity: Quantity, name: str) -> Operand:
    return Operand(make_buffer(name, len(quantity.indices), quantity.per_example), quantity.indices)


def _sources(lowering: ContractionLowering, step: Step) -> frozenset[str]:
    if isinstance(step, Contract):
        return lowering.sources_of(step.left.access) | lowering.sources_of(step.right.access)
    if isinstance(step, Map | Reduce):
        return lowering.sources_of(step.body)
    return frozenset()
