"""What sampling returns."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

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


class ChainState(_Arrays):
    """Where chains stopped: name -> ``(chains, *shape)``. As ``init=`` of another call they go on from there.

    Attributes
    ----------
    seed : int
        The seed of their random numbers.
    sweeps : int
        How many sweeps they have done, and so the number of the next one.
    """

    def __init__(self, arrays: Mapping[str, Array], *, seed: int, sweeps: int) -> None:
        super().__init__(arrays)
        self.seed = seed
        self.sweeps = sweeps

    def _title(self) -> str:
        return f"ChainState after {self.sweeps} sweeps, seed {self.seed}"


class Samples(_Arrays):
    """Recorded states: name -> ``(chains, keep, *shape)``, or what ``observe`` made of them.

    Attributes
    ----------
    last : ChainState
        Where the chains stopped.
    """

    def __init__(self, arrays: Mapping[str, Array], *, last: ChainState) -> None:
        super().__init__(arrays)
        self.last = last

    def _title(self) -> str:
        return f"Samples, (chains, keep, ...) after {self.last.sweeps} sweeps, seed {self.last.seed}"
