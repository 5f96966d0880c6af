"""What sampling returns."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
    """

    def __init__(
        self, arrays: Mapping[str, Array], *, seed: int, sweeps: int, replicas: ReplicaState | None = None
    ) -> None:
        super().__init__(arrays)
        self.seed = seed
        self.sweeps = sweeps
        self.replicas = replicas

    def _title(self) -> str:
        return f"ChainState after {self.sweeps} sweeps, seed {self.seed}"


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
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        *,
        last: ChainState,
        swap_rates: Array | None = None,
        round_trips: Array | None = None,
    ) -> None:
        super().__init__(arrays)
        self.last = last
        self.swap_rates = swap_rates
        self.round_trips = round_trips

    def _title(self) -> str:
        title = f"Samples, (chains, keep, ...) after {self.last.sweeps} sweeps, seed {self.last.seed}"
        if self.swap_rates is None or self.round_trips is None or len(self.swap_rates) == 0:
            return title
        rates = f"swap rates {self.swap_rates.min():.2f} to {self.swap_rates.max():.2f}"
        return f"{title}; {rates}, {self.round_trips.mean():.1f} round trips a chain"
