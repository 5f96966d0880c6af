"""The source of one kernel: header, helpers, signature, and the description the run time calls it by."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import Literal

from pgmc.analysis.axes import unify_axes
from pgmc.codegen.array_program import ArrayProgram, Operand, flat_steps, read_expressions
from pgmc.codegen.check_array_program import check_array_program
from pgmc.codegen.kept_fields import keep_fields
from pgmc.codegen.loop_nests import LoopNests
from pgmc.codegen.loop_program import Statement
from pgmc.codegen.lower_array_program import lower_answer
from pgmc.codegen.lower_contractions import WEIGHTS
from pgmc.codegen.lower_loop_program import LoopLowering
from pgmc.codegen.named_constants import name_constants
from pgmc.codegen.names import NameRegistry
from pgmc.codegen.numba_printer import NumbaPrinter
from pgmc.codegen.outline import outline
from pgmc.codegen.own_fields import keep_own_fields
from pgmc.codegen.prelude import IMPORTS, Dtype, prelude
from pgmc.ir.answers import WIDE, Answer, Computation, Quantity
from pgmc.ir.model import Model
from pgmc.ir.rewrite import accesses, own_positions, tables, walk
from pgmc.ir.signatures import Argument, KernelModule, Kind, Result, Role
from pgmc.ir.symbols import Constant, Input, Parameter, Symbol, Variable, is_one_hot

# Sums of a kernel may be added up in another order, so that a row is summed in vector registers. Helpers may not:
# flags belong to instructions, and those of a helper keep its own wherever it is inlined.
FASTMATH = '{"contract", "reassoc"}'


@dataclass(frozen=True, slots=True)
class Stages:
    """Every stage of one kernel, kept for inspection."""

    answer: Answer
    array_program: ArrayProgram
    loop_program: tuple[Statement, ...]
    module: KernelModule

    def __str__(self) -> str:
        parts = (
            ("answer", self.answer),
            ("array program", self.array_program),
            ("loop program", outline(self.loop_program)),
            ("source", self.module.source),
        )
        return "\n\n".join(f"{title}\n{'-' * len(title)}\n{stage}" for title, stage in parts)


def build_kernel_module(model: Model, name: str, answer: Answer, dtype: Dtype) -> Stages:
    """Generate the kernel ``name`` that carries out an answer for a model."""
    answer, axes = name_constants(answer), unify_axes(model)
    model = replace(model, definitions=())  # to a kernel they are buffers of its own
    names = NameRegistry()
    printer = NumbaPrinter(names, dtype)
    printer.aliases = {symbol.name: names.claim(symbol.name) for symbol in model.symbols} | {WEIGHTS.name: "weights"}
    fixed: tuple[Parameter | Constant, ...] = (*model.parameters, *model.constants)
    printer.numbers = frozenset(symbol.name for symbol in fixed if not symbol.axes)
    printer.axes = axes
    lowering = LoopLowering(LoopNests(names), axes)
    program = check_array_program(keep_fields(keep_own_fields(lower_answer(answer, names), names), names))
    kind: Kind = "evaluate" if isinstance(answer, Computation) else "sweep"
    if isinstance(answer, Computation):
        lowering.nests.precision = "float64" if answer.quantities[0].name in WIDE else "program"
        statements = lowering.lower_evaluation(program)
    else:
        statements = lowering.lower_sweeps(program)
    body = list(printer.statements(statements))
    arguments, results = _Signature(model, printer, lowering, program, answer, dtype).build()
    source = _source(name, model, answer, printer, arguments, body, dtype)
    return Stages(answer, program, statements, KernelModule(name, kind, source, arguments, results))


@dataclass(slots=True)
class _Signature:
    """Finds out which arguments the printed body mentions."""

    model: Model
    printer: NumbaPrinter
    lowering: LoopLowering
    program: ArrayProgram
    answer: Answer
    dtype: Dtype

    def build(self) -> tuple[tuple[Argument, ...], tuple[Result, ...]]:
        used = self._used_symbols()
        arguments = [self._array(symbol) for symbol in self.model.symbols if symbol.name in used]
        if WEIGHTS.name in used:
            arguments.append(Argument("weights", Role.WEIGHTS, "weights", 1, self.dtype))
        arguments += [
            Argument(text, Role.EXTENT, axis[0], 0, "int64", axis[1]) for axis, text in self.printer.extents.items()
        ]
        for listing, (starts, members) in self.printer.listings.items():
            arguments.append(Argument(starts, Role.STARTS, listing.symbol, 1, "int64", listing.axis))
            arguments.append(Argument(members, Role.MEMBERS, listing.symbol, 1, "int64", listing.axis))
        if not isinstance(self.answer, Computation):
            arguments += self._sweep_arguments()
            return tuple(arguments), ()
        operands, quantities = self.program.results, self.answer.quantities
        results = tuple(map(self._result, operands, quantities))
        arguments += [
            Argument(o.symbol.name, Role.RESULT, r.name, max(1, len(r.axes) + r.per_example), r.dtype)
            for o, r in zip(operands, results, strict=True)
        ]
        return tuple(arguments), results

    def _used_symbols(self) -> set[str]:
        steps = flat_steps((*self.program.once, *self.program.steps))
        return {a.symbol.name for step in steps for node in read_expressions(step) for a in accesses(node)}

    def _tables(self) -> set[str]:
        """The constants that places are looked up in."""
        steps = flat_steps((*self.program.once, *self.program.steps))
        nodes = (node for step in steps for node in read_expressions(step))
        positions = (p for node in nodes for part in walk(node) for p in own_positions(part))
        return {table.symbol.name for position in positions for table in tables(position)}

    def _array(self, symbol: Symbol) -> Argument:
        role = Role.CONSTANT
        rank = len(symbol.axes)
        if isinstance(symbol, Variable | Input):
            role, rank = (Role.STATE if isinstance(symbol, Variable) else Role.INPUT), rank + 1
        elif isinstance(symbol, Parameter):
            role = Role.PARAMETER
        whole = is_one_hot(symbol) or symbol.name in self._tables()
        dtype: Literal["int64", "float32", "float64"] = "int64" if whole else self.dtype
        return Argument(self.printer.array(symbol.name), role, symbol.name, rank, dtype)

    def _sweep_arguments(self) -> list[Argument]:
        sites = [Argument(t, Role.SITE, s, 0, "int64") for s, t in self.printer.sites.items()]
        orders = [Argument(text, Role.ORDER, name, 2, "int64") for name, text in self.printer.orders.items()]
        masks = [
            Argument(text, Role.MASK, name, 1 + len(self.model.variable(name).axes), "bool")
            for name, text in self.printer.masks.items()
        ]
        keys = [Argument(f"key_{k}", Role.KEY, f"key_{k}", 0, "uint64") for k in (0, 1)]
        counters = [
            Argument(role.value, role, role.value, 0, "int64")
            for role in (Role.FIRST_CHAIN, Role.FIRST_SWEEP, Role.SWEEPS)
        ]
        return [*sites, *orders, *masks, *keys, *counters]

    def _result(self, operand: Operand, quantity: Quantity) -> Result:
        dtype = "float64" if quantity.name in WIDE else self.dtype
        axes = tuple(self.lowering.extent(index) for index in operand.indices)
        return Result(quantity.name, axes, quantity.per_example, dtype)


_PER_EXAMPLE = (Role.STATE, Role.INPUT, Role.WEIGHTS, Role.RESULT)  # a gradient always has weights


def _source(
    name: str,
    model: Model,
    answer: Answer,
    printer: NumbaPrinter,
    arguments: tuple[Argument, ...],
    body: list[str],
    dtype: Dtype,
) -> str:
    leads = [a.name for a in arguments if a.role in _PER_EXAMPLE][:1]  # a pass over nothing has none
    header = f'"""{name} of the model {model.name}, generated by pgmc. State: {dtype}; logits and energies in nats."""'
    call = textwrap.fill(", ".join(a.name for a in arguments), 100, initial_indent="    ", subsequent_indent="    ")
    signature = textwrap.fill(
        ", ".join(_type(a) for a in arguments), 100, initial_indent='    "', subsequent_indent='    "',
        break_long_words=False,
    )  # fmt: skip
    signature = "\n".join(line + (' "' if k < len(signature.splitlines()) - 1 else '"')
                          for k, line in enumerate(signature.splitlines()))  # fmt: skip
    helpers = prelude(printer.helpers, dtype)
    equations = textwrap.indent(str(answer), "    ")
    return "\n".join(
        [
            header,
            "",
            IMPORTS,
            "",
            *([helpers, ""] if helpers else []),
            "@njit(",
            f'    "void("\n{signature}\n    ")",',
            f'    nogil=True,\n    cache=True,\n    fastmath={FASTMATH},\n    error_model="numpy",',
            ")",
            f"def {name}(",
            call + ",",
            "):",
            f'    """{equations.strip()}"""',
            *(f"    {printer.examples} = {lead}.shape[0]" for lead in leads),
            *body,
            "",
        ]
    )


def _type(argument: Argument) -> str:
    """The type of an argument in a Numba signature."""
    base = "boolean" if argument.dtype == "bool" else argument.dtype
    if argument.rank == 0:
        return base
    return f"{base}[{', '.join([':'] * (argument.rank - 1) + ['::1'])}]"
