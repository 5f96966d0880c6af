"""Generated modules become functions: from the cache, or compiled and put there.

A module is a file, imported like any other, so that Numba can cache its binary and a traceback can show its lines.
Kernels have explicit signatures and are compiled, or read from Numba's cache, while they are imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, TypeAlias

from pgmc.errors import InternalError
from pgmc.ir.signatures import KernelModule
from pgmc.runtime.cache import SOURCE, Cache, Entry, default_cache, write_entry

Function: TypeAlias = Callable[..., None]


def load_or_build(
    key: str, build: Callable[[], KernelModule], cache: Cache | None = None
) -> tuple[KernelModule, Function]:
    """The kernel of that key, ready to call.

    Parameters
    ----------
    key
        ``pgmc.runtime.keys.kernel_key`` of everything that decides the kernel.
    build
        Generates the module; called only if the cache has no usable entry.
    cache
        Where kernels are kept; by default what the environment variables say.

    Returns
    -------
    module, function
        What was generated, and the compiled kernel.

    Raises
    ------
    InternalError
        If generated source does not compile.
    """
    cache = default_cache() if cache is None else cache
    with cache.lock:
        if key not in cache.loaded:
            entry = cache.fetch(key)
            loaded = None if entry is None else _load_entry(key, entry, cache)
            cache.loaded[key] = loaded or _compile(key, build(), cache)
        return cache.loaded[key]


def _load_entry(key: str, entry: Entry, cache: Cache) -> tuple[KernelModule, Function] | None:
    try:
        return entry.module, _import_file(key, entry.module.name, entry.folder)
    except Exception as error:  # unpickling a damaged file can raise anything
        cache.reject(key, error)
        return None


def _compile(key: str, module: KernelModule, cache: Cache) -> tuple[KernelModule, Function]:
    try:
        with cache.staging() as folder:
            if folder is not None:
                write_entry(folder, module)
                function = _import_file(key, module.name, folder)
                cache.publish(key, folder)
                return module, function
    except OSError as error:  # a full disk, a directory removed meanwhile
        cache.unusable(error)
    except Exception as error:
        raise _does_not_compile(module) from error
    try:
        return module, _import_text(key, module)
    except Exception as error:
        raise _does_not_compile(module) from error


def _does_not_compile(module: KernelModule) -> InternalError:
    return InternalError(f"{module.name}: the generated kernel does not compile. Please report this.")


def _import_file(key: str, name: str, folder: Path) -> Function:
    spec = importlib.util.spec_from_file_location(_module_name(key), folder / SOURCE)
    with _cache_beside_source():
        return _run(spec, name)


def _import_text(key: str, module: KernelModule) -> Function:
    """The same from memory, with nothing written to disk."""
    source = module.source.replace("cache=True", "cache=False")
    file = f"<pgmc {module.name} {key[:8]}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return _run(ModuleSpec(_module_name(key), _TextLoader(file, source), origin=file), module.name)


def _module_name(key: str) -> str:
    # Part of the binary, so it may depend on nothing but the key.
    return f"pgmc_kernel_{key}"


def _run(spec: ModuleSpec | None, name: str) -> Function:
    if spec is None or spec.loader is None:
        raise InternalError(f"{name}: a generated module has no loader. Please report this.")
    imported = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = imported  # where Numba looks up the globals of a cached function
    try:
        spec.loader.exec_module(imported)
    except BaseException:
        del sys.modules[spec.name]
        raise
    function: Function = getattr(imported, name)
    return function


class _TextLoader(SourceLoader):
    """Imports a module from a text."""

    def __init__(self, file: str, source: str) -> None:
        self._file = file
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return self._file

    def get_data(self, path: str | bytes) -> bytes:
        return self._source.encode()


@contextmanager
def _cache_beside_source() -> Iterator[None]:
    """Numba writes beside the source, even where NUMBA_CACHE_DIR says otherwise: entries are complete or absent."""
    config: Any = importlib.import_module("numba.core.config")
    configured, config.CACHE_DIR = config.CACHE_DIR, ""
    try:
        yield
    finally:
        config.CACHE_DIR = configured
