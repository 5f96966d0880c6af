"""Methods that stand in modules of their own are methods of their class in the page of the interface, too."""

from __future__ import annotations

import inspect

import pytest

import pgmc

griffe = pytest.importorskip("griffe")


@pytest.fixture(scope="module")
def package():
    from taken_methods import TakenMethods

    return griffe.load("pgmc", search_paths=["."], extensions=griffe.load_extensions(TakenMethods))


@pytest.mark.parametrize("path", ["program.program.Program", "dsl.model.Model"])
def test_every_public_method_is_a_method_with_its_own_words(path: str, package) -> None:
    found = package[path]
    public = inspect.getmembers(getattr(pgmc, found.name), inspect.isfunction)
    names = [name for name, _ in public if not name.startswith("_")]
    assert len(names) > 10
    for name in names:
        assert found[name].is_function and found[name].path == f"pgmc.{path}.{name}"
        assert found[name].docstring.value == inspect.getdoc(getattr(getattr(pgmc, found.name), name))
