"""TikZ: every variable, coupling and factor is there, in its layer and its colour, and LaTeX takes it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from pgmc.cli.app import run
from pgmc.inspection.appearance import PALETTE
from pgmc.inspection.diagrams import Diagram
from pgmc.inspection.tikz import ACROSS, UP, to_tikz


@pytest.fixture
def graph() -> Any:
    made = nx.Graph()
    made.add_node("v", kind="binary", shape=(784,), block=0)
    made.add_node("h_1", kind="categorical(3)", shape=(20, 5), block=1)
    made.add_node("mu", kind="real", shape=(), block=0)
    made.add_node("x", kind="input", shape=(3,))
    made.add_edge("v", "h_1", terms=["-Σ_ij W[i,j]·v[i]·h_1[j]"], parameters=["W"])
    made.add_edge("h_1", "h_1", terms=["-Σ_ij S[i,j]·h_1[i]·h_1[j]"], parameters=["S"])
    for a, b in (("h_1", "mu"), ("h_1", "x"), ("mu", "x")):
        made.add_edge(a, b, terms=["-Σ_ijk T[i,j,k]·h_1[i]·mu·x[k]"], parameters=["T"])
    return made


def test_everything_is_there(graph: Any) -> None:
    text = to_tikz(graph)
    assert text == Diagram(graph).tikz()
    for part in ("{$v$}", "{$h^{(1)}$}", "{$\\mu$}", "{$x$}", "{$W$}", "{$S$}", "784 units", "20 $\\times$ 5"):
        assert part in text, part
    assert text.count("\\draw[coupling] (f") == 3 and text.count("\\node[factor,") == 1
    assert re.search(r"\\draw\[coupling\] \((v\d)\) to\[out=160, in=200, looseness=7\].*\(\1\);", text)
    assert text.count("random variable, draw=") == 3 and text.count("given variable, draw=") == 1
    assert f"\\definecolor{{blockBfill}}{{HTML}}{{{PALETTE[1][0][1:].upper()}}}" in text
    assert text.count("{") == text.count("}") and text.count("[") == text.count("]")


def test_layers_and_colours(graph: Any) -> None:
    found = re.findall(r"draw=(\w+)line.*at \((\S+), (\S+)\) \{\$(\S+)\$\}", to_tikz(graph))
    place = {name: (float(x), float(y), look) for look, x, y, name in found}
    assert place["v"] == (0.0, 0.0, "blockA") and place["h^{(1)}"] == (0.0, UP, "blockB")
    assert place["\\mu"][1] == place["x"][1] == 2 * UP and abs(place["\\mu"][0] - place["x"][0]) == ACROSS
    assert place["x"][2] == "given"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_latex_takes_it(graph: Any, tmp_path: Path) -> None:
    path = tmp_path / "graph.tex"
    text = to_tikz(graph)
    path.write_text(f"\\documentclass{{article}}\n\\usepackage{{tikz}}\n\\begin{{document}}\n{text}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert made.returncode == 0, made.stdout.decode()[-2000:]
    assert path.with_suffix(".pdf").stat().st_size > 1000


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", "<svg"), ("dot", "graph {"), ("mmd", "graph BT"), ("tex", "\\documentclass")]
)
def test_the_command(suffix: str, start: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / f"graph.{suffix}"
    assert run(["show", "rbm", "--diagram", str(path)]) == 0
    assert path.read_text(encoding="utf-8").startswith(start)
    assert capsys.readouterr().out == f"wrote {path}\n"


def test_a_format_that_there_is_not(tmp_path: Path, capsys: Any) -> None:
    assert run(["show", "rbm", "--diagram", str(tmp_path / "graph.bmp")]) == 1
    assert "one of .svg, .dot, .mmd, .tex" in " ".join(capsys.readouterr().err.split())
