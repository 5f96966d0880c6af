"""The table as Markdown, and its place in docs/catalogue.md."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path

from benchmarks.catalogue.row import Outcome
from benchmarks.harness import describe_machine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "catalogue.md"

HEAD = """# The catalogue

Every model of chapter 20 of Goodfellow, Bengio and Courville (2016), *Deep Learning*, that is in `models/` and has a
row here: what the compiler found in it, how far its generated kernels are from brute force, and what came out when it
was trained. The page is written by `python -m benchmarks.catalogue --write`, from a checkout with
`pip install -e ".[test]"`; a row by `python -m benchmarks.catalogue A4 --write`. Nothing in it is typed by hand.

*Spec* counts the lines between the head of the function `model` and its return. *Found* is for the sizes by default,
of which neither the derivation nor the kernels know. *Proof* has the largest error of each check of
`Program.verify()` in single precision, on the small instance that it enumerates. Log-likelihoods are in nats. A row
that does not show what it should is marked **no**. *s* is CPU time on one core; that of a proof is mostly the time of
compiling its kernels, unless they were in the cache.
"""

PROOFS = """## Found and proved

| | file of `models/` | spec | found | proof: largest errors | s |
|---|---|---|---|---|---|
"""
SHOWS = """## Trained

| | what | trained | result | as it should be | s |
|---|---|---|---|---|---|
"""


def proof_lines(outcome: Outcome) -> list[str]:
    """A line of the first table for every specification of a row."""
    return [
        f"| {outcome.row.key} | `{p.name}` | {p.lines} | {p.found} | {p.largest} | {p.seconds:.0f} |"
        for p in outcome.proofs
    ]


def show_line(outcome: Outcome) -> str:
    """The line of the second table."""
    shown, row = outcome.shown, outcome.row
    mark = "yes" if shown.holds else "**no**"
    return f"| {row.key} | {row.title} | {shown.trained} | {shown.result} | {mark} | {outcome.seconds_of_show:.0f} |"


def table(outcomes: Iterable[Outcome]) -> str:
    """Both tables."""
    found = list(outcomes)
    return _tables([line for o in found for line in proof_lines(o)], [show_line(o) for o in found])


def _tables(proofs: list[str], shows: list[str]) -> str:
    return PROOFS + "\n".join(proofs) + "\n\n" + SHOWS + "\n".join(shows) + "\n"


def write(outcomes: list[Outcome], keys: Iterable[str]) -> None:
    """Put rows into the page, in the place of what it said of them, in the order of all keys."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    new = {outcome.row.key for outcome in outcomes}
    proofs, shows = (
        [line for line in part.splitlines() if line.startswith("| ") and _key(line) and _key(line) not in new]
        for part in (old.partition("## Trained")[0], old.partition("## Trained")[2])
    )
    proofs += [line for o in outcomes for line in proof_lines(o)]
    shows += [show_line(o) for o in outcomes]
    order = list(keys)
    for lines in (proofs, shows):
        lines[:] = sorted((line for line in lines if _key(line) in order), key=lambda line: order.index(_key(line)))
    machine = f"Machine: {describe_machine()}. Last measured on {datetime.date.today()}.\n"
    PAGE.write_text("\n".join([HEAD, machine, _tables(proofs, shows)]), encoding="utf-8")


def _key(line: str) -> str:
    match = re.match(r"\| (\w+\d+) \|", line)
    return match[1] if match else ""
