"""Calling a kernel: each argument of a generated function is found by its role."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError, InternalError
from pgmc.ir.model import Model
from pgmc.ir.signatures import Argument, KernelModule, Result, Role
from pgmc.ir.symbols import Categorical, Constant, Symbol, access_axes, axis_length, shape_of
from pgmc.runtime.listings import make_listing

Array: TypeAlias = npt.NDArray[Any]
Dtype: TypeAlias = Literal["float32", "float64"]


@dataclass(frozen=True, slots=True)
class Panel:
    """The rows (examples or chains) that one call of a kernel works on."""

    rows: int
    params: Mapping[str, Array]
    state: Mapping[str, Array]
    weights: Array | None = None
    masks: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launch:
    """Which random numbers a sweep draws: the stream's key, and the numbers of the first chain and sweep."""

    key: tuple[int, int]
    first_chain: int
    first_sweep: int
    sweeps: int


class Kernel(Protocol):
    """What answers a query at run time."""

    @property
    def per_example(self) -> Mapping[str, bool]:
        """Per result: whether it has a leading axis of rows; one that has none is linear in the weights."""

    def evaluate(self, panel: Panel) -> dict[str, Array]:
        """The results for the rows of the panel."""

    def sweep(self, panel: Panel, launch: Launch) -> None:
        """Updates the state of the panel in place."""


def state_dtype(symbol: Symbol, dtype: Dtype) -> np.dtype[Any]:
    """The dtype in which kernels hold a variable or an input."""
    categorical = isinstance(getattr(symbol, "domain", None), Categorical)
    return np.dtype(np.int64 if categorical else dtype)


def first_sites(model: Model) -> dict[str, int]:
    """Number of the first unit of each variable. Units are numbered in declaration order, in C order within."""
    sites, total = {}, 0
    for variable in model.variables:
        sites[variable.name] = total
        total += math.prod(shape_of(variable))
    return sites


class CompiledKernel:
    """A generated function and the arguments it takes; ``model`` is the one it was generated from.

    ``find_order`` gives the positions of the units of a variable in the order in which they are drawn.
    """

    def __init__(
        self,
        module: KernelModule,
        function: Callable[..., None],
        model: Model,
        find_order: Callable[[str], Array] | None = None,
    ) -> None:
        self.module = module
        self._find_order = find_order
        self.per_example = {result.name: result.per_example for result in module.results}
        self._function = function
        self._symbols = {symbol.name: symbol for symbol in model.symbols}
        self._listings: dict[tuple[str, int], tuple[Array, Array]] = {}
        self._sites = first_sites(model)
        self._results = {result.name: result for result in module.results}
        self._shapes = {r.name: tuple(self._extent(name, axis) for name, axis in r.axes) for r in module.results}
        self._arguments = [(argument, self._fixed(argument)) for argument in module.arguments]

    def evaluate(self, panel: Panel) -> dict[str, Array]:
        """The results for the rows of the panel."""
        results = {name: self._allocate(result, panel) for name, result in self._results.items()}
        self._call(panel, None, results)
        return results

    def sweep(self, panel: Panel, launch: Launch) -> None:
        """Updates the state of the panel in place."""
        self._call(panel, launch, {})

    def _call(self, panel: Panel, launch: Launch | None, results: Mapping[str, Array]) -> None:
        self._function(
            *[self._value(a, panel, launch, results) if fixed is None else fixed for a, fixed in self._arguments]
        )

    def _fixed(self, argument: Argument) -> Any:
        """The value of an argument that is the same in every call, else None."""
        match argument.role:
            case Role.CONSTANT:
                symbol = self._symbols[argument.symbol]
                assert isinstance(symbol, Constant)
                return _contiguous(symbol.value, argument)
            case Role.EXTENT:
                return self._extent(argument.symbol, argument.axis)
            case Role.SITE:
                return self._sites[argument.symbol]
            case Role.ORDER:
                return self._order(argument.symbol)
            case Role.STARTS | Role.MEMBERS:
                return self._listing(argument.symbol, argument.axis)[argument.role is Role.MEMBERS]
            case _:
                return None

    def _order(self, name: str) -> Array:
        if self._find_order is None:
            raise InternalError(
                f"{self.module.name}: nothing says how units of {name} are ordered. Please report this."
            )
        return self._find_order(name)

    def _listing(self, name: str, axis: int) -> tuple[Array, Array]:
        """The starts and the members of a listing, for as many places as any axis has."""
        if (name, axis) not in self._listings:
            places = max(extent.size for symbol in self._symbols.values() for extent in access_axes(symbol))
            self._listings[name, axis] = make_listing(self._symbols[name], axis, places)
        return self._listings[name, axis]

    def _value(self, argument: Argument, panel: Panel, launch: Launch | None, results: Mapping[str, Array]) -> Any:
        match argument.role:
            case Role.STATE | Role.INPUT:
                return _contiguous(_find("the state", panel.state, argument.symbol), argument)
            case Role.PARAMETER:
                return _contiguous(_find("params", panel.params, argument.symbol), argument)
            case Role.MASK:
                return _contiguous(_find("masks", panel.masks, argument.symbol), argument)
            case Role.WEIGHTS:
                return _contiguous(panel.weights, argument)
            case Role.RESULT:
                result = results[argument.symbol]
                return result.reshape(1) if result.ndim == 0 else result
            case _:
                return self._counter(argument, launch)

    def _counter(self, argument: Argument, launch: Launch | None) -> Any:
        if launch is None:
            raise InternalError(f"{self.module.name}: only a sweep knows {argument.name}. Please report this.")
        match argument.role:
            case Role.KEY:
                return np.uint64(launch.key[int(argument.symbol == "key_1")])
            case Role.FIRST_CHAIN:
                return launch.first_chain
            case Role.FIRST_SWEEP:
                return launch.first_sweep
            case _:
                return launch.sweeps

    def _allocate(self, result: Result, panel: Panel) -> Array:
        shape = self._shapes[result.name]
        return np.zeros((panel.rows, *shape) if result.per_example else shape, dtype=result.dtype)

    def _extent(self, name: str, axis: int) -> int:
        """The length of an axis, of positions, states or blocks."""
        return axis_length(self._symbols[name], axis)


def _find(what: str, arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise DataError(f"{what}: there is no array {name!r}. Given: {', '.join(arrays) or 'nothing'}.")
    return arrays[name]


def _contiguous(value: Any, argument: Argument) -> Any:
    """The value as the kernel's signature has it, a number if it has rank 0: nothing is copied if it is so already."""
    array = np.asarray(value, dtype=argument.dtype, order="C")
    if argument.rank == 0:
        return array[()]
    return array if array.flags.writeable else array.copy()  # Numba gives read-only arrays a type of their own
