"""Panels of rows on several threads, and one BLAS thread inside each.

Two BLAS threads on busy cores are slower than one, and their number can change the last bits of a product; so
while kernels run the BLAS library has one thread, and the panels are what is parallel. Threads live as long as
one call: nothing is left behind that a fork could break.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

from pgmc.errors import ArgumentError

Item = TypeVar("Item")
Value = TypeVar("Value")
Lowered: TypeAlias = list[tuple[Any, int]]


class _BlasLimit:
    """One BLAS thread for as long as anyone is inside.

    With most libraries the number is one for the process: the first to come in lowers it and the last to go out
    restores it. Some (those on OpenMP) keep one for each thread, so everyone who comes in lowers it, too.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._inside = 0
        self._first: Lowered = []
        self._libraries: list[Any] | None = None
        self._saw_numba_blas = False

    def enter(self) -> Lowered:
        with self.lock:
            lowered = self.lower()
            if self._inside == 0:
                self._first = lowered
            self._inside += 1
        return lowered

    def leave(self, lowered: Lowered) -> None:
        with self.lock:
            self._inside -= 1
            if self._inside == 0:
                _set_threads(self._first)
            elif lowered is not self._first:
                _set_threads(lowered)

    def lower(self) -> Lowered:
        """One BLAS thread for the calling thread; the libraries that had more, and how many."""
        numbers = [(library, library.get_num_threads()) for library in self._known_libraries()]
        lowered = [(library, number) for library, number in numbers if number is not None and number > 1]
        _set_threads([(library, 1) for library, _ in lowered])
        return lowered

    def _known_libraries(self) -> list[Any]:
        # Looking for libraries takes milliseconds. Numba's BLAS comes with scipy.linalg, which may be loaded late.
        numba_blas = "scipy.linalg.cython_blas" in sys.modules
        if self._libraries is None or numba_blas != self._saw_numba_blas:
            from threadpoolctl import ThreadpoolController

            self._saw_numba_blas = numba_blas
            self._libraries = [lib for lib in ThreadpoolController().lib_controllers if lib.user_api == "blas"]
        return self._libraries


def _set_threads(numbers: Lowered) -> None:
    # The library's own two calls take a microsecond each, threadpoolctl's context manager takes fifty.
    if numbers:
        _take_control()
    for library, number in numbers:
        library.set_num_threads(number)


def _take_control() -> None:
    """Lets the calling thread set numbers: since version 3.8 threadpoolctl obeys one thread only."""
    import threadpoolctl

    controller: Any = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(controller, "clear_controlling_thread"):
        controller.clear_controlling_thread(force=True)


_blas_limit = _BlasLimit()


def _after_fork() -> None:
    """A forked child has one thread, which is inside nothing and must not wait for another's lock."""
    global _blas_limit
    _blas_limit = _BlasLimit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """While inside, products of matrices run on the calling thread alone."""
    limit = _blas_limit
    lowered = limit.enter()
    try:
        yield
    finally:
        limit.leave(lowered)


def _start_worker() -> None:
    """A thread of a pool that is used inside ``one_blas_thread``, and gone before it ends."""
    with _blas_limit.lock:
        _blas_limit.lower()


def count_threads(threads: int | None) -> int:
    """The number of threads to use: by default one for each core this process may run on.

    Raises
    ------
    ArgumentError
        If it is not a positive integer.
    """
    if threads is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ArgumentError(f"threads={threads!r}: expected a positive integer, or None for one per core.")
    return threads


def map_panels(function: Callable[[Item], Value], panels: Sequence[Item], threads: int) -> Iterator[Value]:
    """``function`` of every panel, in order. At most ``threads`` values wait to be taken.

    To be used inside ``one_blas_thread``. An exception, Ctrl-C included, drops the panels that have not started.
    """
    if threads == 1 or len(panels) <= 1:
        yield from map(function, panels)
        return
    pool = ThreadPoolExecutor(min(threads, len(panels)), initializer=_start_worker)
    try:
        running = [pool.submit(function, panel) for panel in panels[:threads]]
        for next_panel in range(threads, len(panels) + threads):
            yield running.pop(0).result()
            if next_panel < len(panels):
                running.append(pool.submit(function, panels[next_panel]))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
