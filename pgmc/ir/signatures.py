"""The contract between generated code and the code that runs it: what each argument of a kernel is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias


class Role(Enum):
    """What the run time passes for an argument."""

    STATE = "state"  # (n, *shape) array of a variable: floats, or integer codes of a categorical one
    INPUT = "input"  # the same for an input
    PARAMETER = "parameter"  # array of the declared shape
    CONSTANT = "constant"  # array of the declared shape
    EXTENT = "extent"  # int64: length of axis ``axis`` of the symbol; axis -1 is its number of states
    SITE = "site"  # int64: number of the first unit of the variable, counted in declaration order
    ORDER = "order"  # (units, rank) int64: positions of the variable's units, in the order in which they are drawn
    STARTS = "starts"  # (places + 1,) int64: where the list of each place starts, of the table or the masked parameter
    MEMBERS = "members"  # int64: the lists one after the other, see runtime.listings
    MASK = "mask"  # (n, *shape) boolean array: units of the variable that keep their value
    WEIGHTS = "weights"  # (n,) weights of the examples in a batch mean
    RESULT = "result"  # array to fill: the quantity of that name
    KEY = "key"  # uint64: one half of the stream's key ("key_0", "key_1")
    FIRST_CHAIN = "first_chain"  # int64: number of the first chain of the panel
    FIRST_SWEEP = "first_sweep"  # int64: number of the first sweep
    SWEEPS = "sweeps"  # int64: how many sweeps to do


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: ``name`` in the source, ``symbol`` it stands for, ``rank`` of the array (0 is a number)."""

    name: str
    role: Role
    symbol: str
    rank: int
    dtype: Literal["float32", "float64", "int64", "uint64", "bool"]
    axis: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A quantity a kernel fills.

    ``axes`` says where each axis' length comes from: (symbol name, axis number) or (symbol name, -1) for its number of
    states; ``per_example`` adds the leading axis of examples.
    """

    name: str
    axes: tuple[tuple[str, int], ...]
    per_example: bool
    dtype: Literal["float32", "float64"]


Kind: TypeAlias = Literal["evaluate", "sweep"]


@dataclass(frozen=True, slots=True)
class KernelModule:
    """The text of one generated module and how to call its one kernel."""

    name: str
    kind: Kind
    source: str
    arguments: tuple[Argument, ...]
    results: tuple[Result, ...] = ()
