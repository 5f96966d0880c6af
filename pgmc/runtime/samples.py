"""What sampling returns."""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pgmc.errors import DataError
from pgmc.ir.model import Model
from pgmc.ir.symbols import shape_of
from pgmc.runtime.hamiltonian import Moves
from pgmc.runtime.kernels import Array


class _Arrays(Mapping[str, Array]):
    """Arrays by name, read-only."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = dict(arrays)
        for array in self._arrays.values():
            array.flags.writeable = False

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def to_numpy(self) -> dict[str, Array]:
        """Copies of the arrays, by name."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def _title(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        lines = [f"  {name}: {array.dtype} {array.shape}" for name, array in self._arrays.items()]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{array.dtype}</td><td>{array.shape}</td></tr>"
            for name, array in self._arrays.items()
        )
        head = "<tr><th>name</th><th>dtype</th><th>shape</th></tr>"
        return f"<p>{html.escape(self._title())}</p><table>{head}{rows}</table>"


@dataclass(frozen=True, eq=False)
class ReplicaState:
    """Where the replicas of each chain stopped.

    Attributes
    ----------
    states
        Name -> ``(chains, rungs, *shape)``, replica by replica.
    rungs
        The rung of the ladder that each replica is on, ``(chains, rungs)``.
    headings
        +1 for a replica that was on the hottest rung last, -1 for one that came from there to the coldest, else 0.
    """

    states: Mapping[str, Array]
    rungs: Array
    headings: Array


class ChainState(_Arrays):
    """Where chains stopped: name -> ``(chains, *shape)``. As ``init=`` of another call they go on from there.

    Attributes
    ----------
    seed : int
        The seed of their random numbers.
    sweeps : int
        How many sweeps they have done, and so the number of the next one.
    replicas : ReplicaState or None
        All replicas, if they were tempered.
    step_sizes : ndarray of shape (chains,), or None
        The sizes of the steps of Hamiltonian moves, if there were any.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        *,
        seed: int,
        sweeps: int,
        replicas: ReplicaState | None = None,
        step_sizes: Array | None = None,
    ) -> None:
        super().__init__(arrays)
        self.seed = seed
        self.sweeps = sweeps
        self.replicas = replicas
        self.step_sizes = step_sizes

    def _title(self) -> str:
        return f"ChainState after {self.sweeps} sweeps, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Origin:
    """What samples remember of where they came from.

    Attributes
    ----------
    model
        The model that was sampled.
    energy
        The energies ``(chains, keep)`` of states ``(chains, keep, *shape)``, in nats.
    """

    model: Model
    energy: Callable[[Mapping[str, Array]], Array]


class Samples(_Arrays):
    """Recorded states: name -> ``(chains, keep, *shape)``, or what ``observe`` made of them.

    Attributes
    ----------
    last : ChainState
        Where the chains stopped.
    swap_rates : ndarray of shape (rungs - 1,), or None
        With ``tempering``: the mean probability with which neighbours on the ladder swapped in this run, over all
        chains; NaN for a pair that was not tried. A rate near 0 cuts the ladder in two.
    round_trips : ndarray of shape (chains,), or None
        With ``tempering``: how often a replica came back to the hottest rung after it had been on the coldest. Without
        any, cold states have not been renewed from the hot ones.
    moves : Moves or None
        With ``sampler=pgmc.HMC(...)``: how many moves each chain accepted, how many diverged, the sizes of the steps.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        *,
        last: ChainState,
        swap_rates: Array | None = None,
        round_trips: Array | None = None,
        moves: Moves | None = None,
        origin: Origin | None = None,
    ) -> None:
        super().__init__(arrays)
        self.last = last
        self.swap_rates = swap_rates
        self.moves = moves
        self.round_trips = round_trips
        self.origin = origin

    @cached_property
    def energies(self) -> Array:
        """E of every recorded state, ``(chains, keep)``, in nats; computed when it is first asked for.

        Raises
        ------
        DataError
            If what was recorded is not the state of the model: ``observe=`` made something else of it, or every rung
            of a ladder was kept.
        """
        if not self._holds_states():
            raise DataError("Energies are those of states, and these samples hold something else. Record states.")
        assert self.origin is not None
        return self.origin.energy(self)

    def _holds_states(self) -> bool:
        if self.origin is None:
            return False
        shapes = {variable.name: shape_of(variable) for variable in self.origin.model.variables}
        return {name: array.shape[2:] for name, array in self.items()} == shapes

    def to_arviz(self) -> Any:
        """The samples as an ``xarray.DataTree`` for ArviZ, with axes of chains and draws and labelled units.

        The group ``posterior`` holds what was recorded, ``sample_stats`` the energy of every draw in nats. Needs
        arviz-base (extra ``diag``).

        Raises
        ------
        ArgumentError
            If arviz-base is not installed, or something recorded is called ``chain`` or ``draw``.

        Examples
        --------
        >>> arviz_stats.summary(samples.to_arviz(), var_names=["h"])
        """
        from pgmc.interchange.samples.arviz_data import to_arviz

        return to_arviz(self, self.energies if self._holds_states() else None, self._attributes())

    def to_pandas(self, units: bool = False) -> Any:
        """The energy of every draw as a ``pandas.DataFrame`` with the index ``(chain, draw)``.

        Parameters
        ----------
        units : bool
            Whether every recorded number has a column as well: ``v[3]``, ``s[0, 2]``.

        Raises
        ------
        ArgumentError
            If pandas is not installed (extra ``diag``).
        """
        from pgmc.interchange.samples.energy_table import to_pandas

        return to_pandas(self, self.energies if self._holds_states() else None, units)

    def to_dimod(self, labels: Sequence[Hashable] | None = None) -> Any:
        """The samples of binary units or spins as a ``dimod.SampleSet``, each with its energy.

        Parameters
        ----------
        labels : sequence, optional
            A label for each unit, such as ``labels["s"]`` of :func:`pgmc.from_dimod`. By default units are numbered, or
            named ``v[3]``, ``s[0, 2]`` where there are several variables or axes.

        Raises
        ------
        ArgumentError
            If dimod is not installed (extra ``ising``), units are of other kinds, or the labels do not fit.
        DataError
            If the samples are not states.
        """
        from pgmc.interchange.samples.sample_set import to_dimod

        energies = self.energies
        assert self.origin is not None
        kinds = {str(variable.domain) for variable in self.origin.model.variables}
        return to_dimod(self, energies, kinds, labels, self._attributes())

    def _attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {"seed": self.last.seed, "sweeps": self.last.sweeps}
        return found if self.origin is None else {"model": self.origin.model.name, **found}

    def _title(self) -> str:
        title = f"Samples, (chains, keep, ...) after {self.last.sweeps} sweeps, seed {self.last.seed}"
        if self.moves is not None:
            return f"{title}; {self.moves}"
        if self.swap_rates is None or self.round_trips is None or len(self.swap_rates) == 0:
            return title
        rates = f"swap rates {self.swap_rates.min():.2f} to {self.swap_rates.max():.2f}"
        return f"{title}; {rates}, {self.round_trips.mean():.1f} round trips a chain"
