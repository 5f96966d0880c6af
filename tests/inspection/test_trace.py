"""The trace shows what every stage made, in order, and escapes what it shows."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

import pgmc
from pgmc.codegen.outline import outline
from pgmc.ir.canonical import canonical_text
from pgmc.ir.queries import Energy, FreeEnergy, Sweep

ORDER = [
    "specification",
    "representation",
    "graph",
    "blocks",
    "derivation",
    "schedule",
    "array program",
    "loop program",
    "source",
]


@pytest.fixture(scope="module")
def program() -> pgmc.Program:
    m = pgmc.Model("small")
    v, h = m.binary("v", 4), m.spin("h", 3)
    W, b = m.param("W", (4, 3)), m.param("b", 4)
    m.energy(-(v @ W @ h), name="coupling")
    m.energy(-b @ v)
    return pgmc.compile(m)


def test_every_stage_is_that_of_the_compiler(program: pgmc.Program) -> None:
    trace = program.trace()
    made = program.compiler.stages(Sweep(("v", "h")))
    assert list(trace) == ORDER and len(trace) == len(ORDER)
    assert str(trace["representation"]) == canonical_text(program.model)
    assert str(trace["schedule"]) == str(made.answer)
    assert str(trace["array program"]) == str(made.array_program)
    assert str(trace["loop program"]) == outline(made.loop_program)
    assert str(trace["source"]) == made.module.source
    assert str(trace["graph"]) == "v: binary\nh: spin\nv — h: -Σ_ij W[i,j]·v[i]·h[j]"
    assert str(trace["blocks"]) == "1. [v] parallel\n2. [h] parallel\nsummed out analytically: v"
    assert "Bernoulli: a unit with two values" in trace["derivation"].text
    assert "test_trace.py:" in trace["specification"].text
    assert repr(trace) == f"<Trace of Sweep(v, h) of small: {', '.join(ORDER)}>"
    text = str(trace)
    places = [text.index(f"\n{k + 1}. {name} ─") for k, name in enumerate(ORDER)]
    assert places == sorted(places)


def test_other_queries(program: pgmc.Program) -> None:
    assert program.trace(Energy())["schedule"].does == "what is computed"
    assert str(program.trace(FreeEnergy(("v",)))["schedule"]).startswith("F(v) = ")
    coupled = pgmc.Model("coupled")
    y = coupled.binary("y", 3)
    coupled.energy(-(y @ coupled.param("S", (3, 3)) @ y))
    with pytest.raises(pgmc.IntractableError):
        pgmc.compile(coupled).trace(FreeEnergy(()))


def test_html(program: pgmc.Program) -> None:
    trace = program.trace()
    root = ElementTree.fromstring(trace._repr_html_().replace("&nbsp;", " "))
    shown = "".join(root.itertext())
    assert [element.find("summary/b").text for element in root.iter("details")] == [  # type: ignore[union-attr]
        f"{k + 1}. {name}" for k, name in enumerate(ORDER)
    ]
    assert "np.dot(h, W.T, field_h_W)" in shown and "-Σ_ij W[i,j]·v[i]·h[j]" in shown
    page = trace.html()
    assert page.startswith("<!DOCTYPE html>") and "<script" not in page and "src=" not in page


def test_source_in_a_notebook(program: pgmc.Program, monkeypatch: pytest.MonkeyPatch) -> None:
    source = program.source(Energy())
    assert isinstance(source, str) and source == program.compiler.stages(Energy()).module.source
    html = source._repr_html_()
    assert html.count("<span style=") > 20
    text = "".join(ElementTree.fromstring(html).itertext())
    assert text.strip() == source.strip()
    monkeypatch.setitem(__import__("sys").modules, "pygments", None)
    plain = ElementTree.fromstring(source._repr_html_())
    assert plain.text is not None and plain.text.strip() == source.strip()


def test_outline_names_indices_apart() -> None:
    """Sums over an index of the same letter as the loop outside have a name of their own, as in the source."""
    m = pgmc.Model("centred")
    x, U, mu = m.binary("x", 3), m.param("U", (3, 3)), m.param("mu", 3)
    m.energy(-((x - mu) @ U @ (x - mu)))
    stages = pgmc.compile(m).compiler.stages(Sweep(("x",)))
    lines = [line.strip() for line in outline(stages.loop_program).splitlines()]
    assert "guard i′ != i" in lines and "loop i" in lines
    assert str(stages).index("array program") < str(stages).index("loop program\n") < str(stages).index("source\n")


@pytest.mark.parametrize(("value", "lines"), [("kernels", 1), ("stages", 30), ("kernels, stages", 31), ("", 0)])
def test_the_switches(value: str, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("PGMC_DEBUG", value)
    m = pgmc.Model("switched")
    v = m.binary("v", 3)
    m.energy(-v @ m.param("b", 3))
    p = pgmc.compile(m)
    p.energy(p.init(), {"v": [[0, 1, 1]]})
    told = capsys.readouterr().err.splitlines()
    assert len(told) >= lines and bool(told) == bool(value) and all(line.startswith("pgmc: ") for line in told)
    assert any("switched: Energy(), " in line for line in told) == ("kernels" in value)
    assert any("np" in line for line in told) == ("stages" in value)
    ((origin, seconds),) = p.compiler.origins.values()
    assert origin in ("compiled", "cached") and seconds > 0
    (note,) = p.report().kernels
    assert str(note) == f"{origin} in {seconds:.2f} s"


def test_a_switch_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGMC_DEBUG", "everything")
    p = pgmc.compile(_single())
    with pytest.raises(pgmc.ArgumentError, match=r"PGMC_DEBUG=everything says nothing. Set it to kernels or stages"):
        p.energy({}, {"v": [1]})


def test_interpreted_kernels_are_noted_too() -> None:
    p = pgmc.compile(_single(), backend="numpy")
    p.energy({}, {"v": [1]})
    assert [origin for origin, _ in p.compiler.origins.values()] == ["interpreted"]


def _single() -> pgmc.Model:
    m = pgmc.Model("single")
    m.energy(-0.5 * m.binary("v"))
    return m
