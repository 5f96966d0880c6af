"""The README says what is so: its code runs and prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pgmc
from pgmc.cli.app import run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- ([^\n]*) -->\n)?```(\w+)\n(.*?)```\n", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the comment in front of it, its language and its text."""

    mark: str
    language: str
    text: str


BLOCKS = [Block(*found) for found in BLOCK.findall(README)]


def test_examples_print_what_is_shown() -> None:
    names: dict[str, Any] = {}
    compared = 0
    for block, following in zip(BLOCKS, [*BLOCKS[1:], None], strict=True):
        if block.language != "python" or block.mark:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, "README.md", "exec"), names)
        if following is not None and following.language == "text":
            assert printed.getvalue() == following.text
            compared += 1
    assert compared == 3


def test_the_excerpt_is_generated() -> None:
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(next(block.text for block in BLOCKS if block.language == "python"), names)
    excerpt = next(block for block in BLOCKS if block.mark.startswith("excerpt"))
    assert excerpt.text in names["p"].source()


def test_the_commands_are_there_and_their_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    commands = {block.mark: block.text.strip() for block in BLOCKS if block.language == "sh"}
    assert commands["run"].endswith(".venv/bin/pgmc train rbm digits")
    assert commands["test"].endswith(".venv/bin/pytest -n 2")
    for line in commands.values():
        assert "\n" not in line and line.startswith("python3 -m venv .venv && .venv/bin/pip install -e ")
    run(["show", "--help"])
    run(["train", "--help"])
    shown = capsys.readouterr().out
    for option in re.findall(r"`(--[a-z]+)(?: \d+)?`", README):
        assert option in shown, option


def test_files_that_are_named_exist() -> None:
    for link in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (ROOT / link).exists() or link == "docs/figures.md", link


@pytest.mark.parametrize(
    "missing",
    ["Model.scan"],
)
def test_what_is_said_not_to_work_is_not_there(missing: str) -> None:
    """When this fails, move it to the other column of the table."""
    owner, name = missing.split(".")
    assert not hasattr(getattr(pgmc, owner), name)
