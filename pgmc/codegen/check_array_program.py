"""What a well-formed array program is, as code; run between lowering and printing."""

from __future__ import annotations

from collections.abc import Iterable

from pgmc.codegen.array_program import (
    ArrayProgram,
    Assign,
    Draw,
    DrawInBlocks,
    Leapfrog,
    Step,
    flat_steps,
    read_expressions,
)
from pgmc.errors import InternalError
from pgmc.ir.rewrite import accesses


def check_array_program(program: ArrayProgram) -> ArrayProgram:
    """The program, if every buffer is filled exactly once and before it is read, and every result is filled.

    Raises
    ------
    InternalError
        Naming the array and the step.
    """
    own = {operand.symbol.name for operand in (*program.buffers, *program.results)}
    filled: set[str] = set()
    for step in flat_steps((*program.once, *program.steps)):
        for name in _read(step):
            if name in own and name not in filled:
                raise InternalError(f"{step}: reads {name} before it is filled. Please report it.")
        if not isinstance(step, Draw | DrawInBlocks | Assign | Leapfrog):
            name = step.target.symbol.name
            if name not in own or name in filled:
                raise InternalError(f"{step}: {name} is filled twice or not allocated. Please report it.")
            filled.add(name)
    if own != filled:
        raise InternalError(f"nothing fills {', '.join(sorted(own - filled))}. Please report it.")
    return program


def _read(step: Step) -> Iterable[str]:
    return (access.symbol.name for node in read_expressions(step) for access in accesses(node))
