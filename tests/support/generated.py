"""Generated texts run as plain Python, and compared with the interpreter of the ir."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeAlias

import numpy as np
import pytest

from enumeration import Array, Arrays, base_params, random_params, random_states
from pgmc.codegen.numpy_printer import NumpyText, build_numpy_text
from pgmc.compiler import Compiler
from pgmc.ir.answers import Refusal
from pgmc.ir.model import Model
from pgmc.ir.queries import (
    Ancestral,
    Conditional,
    Energy,
    Ensemble,
    FreeEnergy,
    Gradient,
    MeanField,
    MeanFieldBound,
    Query,
    Sweep,
    TemperatureStep,
    kernel_name,
)
from pgmc.ir.signatures import Argument, Role
from pgmc.ir.symbols import Categorical, Real, shape_of
from pgmc.runtime.interpreted import InterpretedKernel
from pgmc.runtime.kernels import CompiledKernel, Kernel, Launch, Panel, first_sites
from pgmc.runtime.streams import random_words, uniforms

Potential: TypeAlias = Energy | FreeEnergy | MeanFieldBound

ROWS = 4
LAUNCH = Launch(key=(123, 456), first_chain=3, first_sweep=5, sweeps=2)


def run_as_python(source: str, name: str) -> Callable[..., None]:
    """The function of a generated module with ``njit`` doing nothing."""
    text = source.replace("from numba import njit", "def njit(*_, **__):\n    return lambda function: function")
    space: dict[str, Any] = {}
    exec(compile(text, f"<{name}>", "exec"), space)  # noqa: S102  the text under test

    def call(*arguments: Any) -> None:
        with np.errstate(over="ignore"):  # random words are meant to wrap around
            space[name](*arguments)

    return call


# ---- queries -----------------------------------------------------------------------------------------------------


def subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every subset, in order."""
    return itertools.chain.from_iterable(itertools.combinations(names, size) for size in range(len(names) + 1))


def free_energies(compiler: Compiler, ensemble: Ensemble = Ensemble.PLAIN) -> list[FreeEnergy]:
    """Every free energy that is offered."""
    names = tuple(variable.name for variable in compiler.model.variables)
    queries = [FreeEnergy(observed, ensemble) for observed in subsets(names)]
    return [query for query in queries if not isinstance(compiler.derive(query), Refusal)]


def all_queries(compiler: Compiler, ensemble: Ensemble = Ensemble.PLAIN) -> list[Query]:
    """Everything that can be asked, a few sweeps among it."""
    names = tuple(variable.name for variable in compiler.model.variables)
    free = free_energies(compiler, ensemble)
    queries: list[Query] = [Energy(ensemble), *(Conditional(name, ensemble) for name in names)]
    queries += [*free, Sweep(names, ensemble=ensemble)]
    if ensemble is not Ensemble.PLAIN:
        queries += [TemperatureStep(Energy(ensemble)), *(TemperatureStep(of) for of in free[:1])]
    else:
        bounds = mean_field_bounds(compiler)
        parameters = tuple(parameter.name for parameter in compiler.model.parameters)
        potentials: list[Potential] = [Energy(), *free, *bounds[-1:]]
        queries += [Gradient(of, parameters) for of in potentials if parameters]
        queries += [*bounds[:1], *(MeanField(bound.observed) for bound in bounds[:1])]
        queries += [Sweep(names, masked=names[:1], backward=True)]
        queries += [Sweep(names[1:], first=names[-1:], masked=names[1:])] if len(names) > 1 else []
    return queries


def mean_field_bounds(compiler: Compiler) -> list[MeanFieldBound]:
    """The bounds on offer for no or one observed variable."""
    names = tuple(variable.name for variable in compiler.model.variables)
    queries = [MeanFieldBound(observed) for observed in [(), *((name,) for name in names)]]
    return [query for query in queries if not isinstance(compiler.mean_model(query.observed), Refusal)]


# ---- data --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Data:
    """Random parameters, states, weights and masks for a model, in one dtype."""

    params: Arrays
    state: Arrays
    weights: Any
    masks: Arrays

    def panel(self, model: Model, masked: tuple[str, ...] = ()) -> Panel:
        """The data for one call, with a state that may be overwritten, and with means where the model has them."""
        state = {name: array.copy() for name, array in self.state.items()}
        for variable in model.variables:
            if isinstance(variable.domain, Real):
                rng = np.random.default_rng([len(variable.name), 23])
                state[variable.name] = rng.random((ROWS, *shape_of(variable))).astype(self.weights.dtype)
        masks = {name: self.masks[name] for name in masked}
        return Panel(ROWS, self.params, state, self.weights, masks)


def random_data(model: Model, dtype: str = "float64", seed: int = 0) -> Data:
    """Data for every ensemble of a model."""
    rng = np.random.default_rng([seed, 7])
    betas = {"inverse_temperature": rng.random(ROWS), "next_inverse_temperature": rng.random(ROWS)}
    state = random_states(model, ROWS, seed) | betas
    masks = {variable.name: rng.random(state[variable.name].shape) < 0.4 for variable in model.variables}
    params = random_params(model, seed) | base_params(model, seed) | {"damping": np.array(0.3)}
    return Data(_converted(params, dtype), _converted(state, dtype), rng.random(ROWS).astype(dtype), masks)


def _converted(arrays: Arrays, dtype: str) -> Arrays:
    return {
        name: np.array(array, dtype=np.int64 if array.dtype.kind == "i" else dtype, order="C")
        for name, array in arrays.items()
    }


# ---- comparing ---------------------------------------------------------------------------------------------------


def python_kernel(compiler: Compiler, query: Query) -> CompiledKernel:
    """The generated kernel of a query, not compiled."""
    module = compiler.stages(query).module
    return CompiledKernel(
        module, run_as_python(module.source, module.name), compiler.model_of(query), compiler.colored.positions
    )


def compile_sweeps_alone(patch: pytest.MonkeyPatch) -> None:
    """Kernels that evaluate are generated, too, but their texts run as plain Python, which saves compiling them."""
    make = Compiler.make_kernel

    def make_kernel(self: Compiler, query: Query) -> Kernel:
        return make(self, query) if isinstance(query, Sweep | Ancestral) else python_kernel(self, query)

    patch.setattr(Compiler, "make_kernel", make_kernel)


def disagreement(compiler: Compiler, query: Query, kernel: Kernel, data: Data) -> float:
    """The largest error of a kernel, relative to the largest number; for sweeps, the share of units that differ."""
    model = compiler.model_of(query)
    reference = InterpretedKernel(compiler.stages(query).answer, model, compiler.dtype, compiler.colored.positions)
    masked = query.masked if isinstance(query, Sweep) else ()
    mine, wanted = data.panel(model, masked), data.panel(model, masked)
    if isinstance(query, Sweep | MeanField):
        kernel.sweep(mine, LAUNCH)
        reference.sweep(wanted, LAUNCH)
        return _changes(mine.state, wanted.state, query)
    return distance(kernel.evaluate(mine), reference.evaluate(wanted))


def _changes(mine: Mapping[str, Array], wanted: Mapping[str, Array], query: Query) -> float:
    """How far states differ: the share of units after a sweep, the largest error of a mean."""
    if isinstance(query, MeanField):
        return distance(mine, {name: wanted[name] for name in mine})
    return max(float(np.mean(mine[name] != wanted[name])) for name in mine)


def distance(mine: Mapping[str, Array], wanted: Mapping[str, Array]) -> float:
    """The largest relative error of a set of arrays of the same shapes."""
    assert set(mine) == set(wanted)
    assert {name: np.shape(array) for name, array in mine.items()} == {
        name: array.shape for name, array in wanted.items()
    }
    errors = [
        np.max(np.abs(mine[name] - array)) / (1 + np.max(np.abs(array))) for name, array in wanted.items() if array.size
    ]
    return float(max(errors, default=0.0))


# ---- NumPy texts -------------------------------------------------------------------------------------------------


def numpy_disagreement(compiler: Compiler, query: Query, data: Data) -> float:
    """The largest error of the NumPy text of a query, as ``disagreement`` has it."""
    model, answer = compiler.model_of(query), compiler.answer(query)
    text = build_numpy_text(model, kernel_name(query), answer)
    reference = InterpretedKernel(answer, model, "float64", compiler.colored.positions)
    masked = query.masked if isinstance(query, Sweep) else ()
    panel, wanted = data.panel(model, masked), data.panel(model, masked)
    before = {name: array.copy() for name, array in panel.state.items()}
    got = run_numpy(
        text,
        kernel_name(query),
        model,
        panel,
        LAUNCH if isinstance(query, Sweep | MeanField) else None,
        compiler.colored.positions,
    )
    assert all(np.array_equal(before[name], array) for name, array in panel.state.items()), "the text has side effects"
    if not isinstance(query, Sweep | MeanField):
        return distance(got, reference.evaluate(wanted))
    reference.sweep(wanted, LAUNCH)
    assert not isinstance(query, Sweep) or set(got) == set(query.free)
    assert all(got[name].dtype == before[name].dtype for name in got)
    return _changes(got, wanted.state, query)


def run_numpy(
    text: NumpyText,
    name: str,
    model: Model,
    panel: Panel,
    launch: Launch | None,
    order: Callable[[str], Array] | None = None,
) -> Arrays:
    """What the function of a NumPy text returns; ``order`` gives the units of a variable as they are drawn."""
    space: dict[str, Any] = {}
    exec(compile(text.source, f"<{name}>", "exec"), space)  # noqa: S102  the text under test
    arguments = {
        a.name: order(a.symbol) if order and a.role is Role.ORDER else _argument(a, model, panel)
        for a in text.arguments
    }
    if launch is not None:
        arguments |= {"first_sweep": launch.first_sweep, "sweeps": launch.sweeps}
    if launch is not None and "uniform" in signature(space[name]).parameters:
        chains = launch.first_chain + np.arange(panel.rows)
        arguments["uniform"] = lambda sweep, sites: uniforms(random_words(launch.key, chains, sweep, sites))
    result: Arrays = space[name](**arguments)
    return result


def _argument(argument: Argument, model: Model, panel: Panel) -> Any:
    symbols = {symbol.name: symbol for symbol in model.symbols}
    match argument.role:
        case Role.STATE | Role.INPUT:
            return panel.state[argument.symbol]
        case Role.PARAMETER:
            return panel.params[argument.symbol]
        case Role.CONSTANT:
            return symbols[argument.symbol].value  # type: ignore[union-attr]
        case Role.WEIGHTS:
            return panel.weights
        case Role.MASK:
            return panel.masks[argument.symbol]
        case Role.SITE:
            return first_sites(model)[argument.symbol]
        case _:
            domain = symbols[argument.symbol].domain  # type: ignore[union-attr]
            assert isinstance(domain, Categorical)
            return domain.states
