"""For the page of the interface: methods that a class takes over from a module of functions are shown as methods."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import griffe


class TakenMethods(griffe.Extension):
    """Turns ``sample = sampling.sample`` in the body of a class into the function."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """All classes of a package, once it is loaded."""
        for cls in _classes(pkg):
            for name, member in list(cls.members.items()):
                if member.is_attribute and isinstance(member.value, griffe.ExprAttribute):
                    taken = _function(pkg, member.value.canonical_path.removeprefix(f"{pkg.name}."))
                    if taken is not None:
                        cls.set_member(name, taken)


def _function(pkg: griffe.Module, path: str) -> griffe.Function | None:
    """A copy of the function at a path of the package, if there is one."""
    try:
        found = pkg[path]
    except KeyError:
        return None
    return copy(found) if isinstance(found, griffe.Function) else None


def _classes(module: griffe.Module) -> Iterator[griffe.Class]:
    yield from module.classes.values()
    for inner in module.modules.values():
        yield from _classes(inner)
