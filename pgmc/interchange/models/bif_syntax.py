"""The syntax of BIF, the interchange format of Bayesian networks: from text to variables and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pgmc.errors import DataError

Array: TypeAlias = npt.NDArray[np.float64]

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|[(){}\[\];,|]|[^\s(){}\[\];,|"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark, and the line it stands in."""

    text: str
    line: int


@dataclass(slots=True)
class Table:
    """p(child | parents): ``values`` has an axis for each parent, and the child's states last. NaN is not given."""

    child: str
    parents: tuple[str, ...]
    values: Array
    line: int


@dataclass(slots=True)
class Network:
    """Name of each variable -> its states, and one table for each."""

    name: str = "network"
    states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)


def parse_bif(text: str, source: str) -> Network:
    """The network of a text.

    Raises
    ------
    DataError
        Naming ``source``, the line and what was expected there.
    """
    return _Reader(list(_tokens(text)), source).read()


def _tokens(text: str) -> Iterator[Token]:
    line, end = 1, 0
    for found in TOKEN.finditer(text):
        line += text.count("\n", end, found.start())
        end = found.start()
        if not found.group().startswith(("//", "/*")):
            yield Token(found.group().strip('"'), line)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[Token], source: str) -> None:
        self._tokens, self._source, self._at = tokens, source, 0

    def read(self) -> Network:
        network = Network()
        sections = {"network": self._network, "variable": self._variable, "probability": self._probability}
        while self._at < len(self._tokens):
            token = self._next("network, variable or probability")
            if token.text not in sections:
                raise self._wrong("network, variable or probability", token)
            sections[token.text](network)
        return network

    def _network(self, network: Network) -> None:
        name = [word.text for word in self._until("{")]
        network.name = name[0] if name else network.name
        for _ in self._entries():
            pass

    def _variable(self, network: Network) -> None:
        name = self._next("the name of a variable")
        self._expect("{")
        for words in self._entries():
            if words[0].text == "type":
                network.states[name.text] = self._states(words)
        if name.text not in network.states:
            raise self._error(f"variable {name.text} has no type", name.line)

    def _states(self, words: list[Token]) -> tuple[str, ...]:
        texts = [word.text for word in words]
        if texts[1:2] != ["discrete"] or texts[2:3] != ["["] or "{" not in texts:
            raise self._wrong("type discrete [ number ] { states }", words[0])
        states = tuple(text for text in texts[texts.index("{") + 1 :] if text not in ",}")
        if texts[3] != str(len(states)):
            raise self._error(f"{texts[3]} states are announced, and {len(states)} are listed", words[0].line)
        return states

    def _probability(self, network: Network) -> None:
        line = self._expect("(").line
        names = [token.text for token in self._until(")") if token.text != ","]
        child, *rest = names or [""]
        if rest[:1] not in ([], ["|"]):
            raise self._error(f"expected one variable in front of |, got {' '.join(names)}", line)
        parents = tuple(rest[1:])
        for name in (child, *parents):
            if name not in network.states:
                raise self._error(f"{name!r} is not declared above", line)
        shape = tuple(len(network.states[name]) for name in (*parents, child))
        table = Table(child, parents, np.full(shape, np.nan), line)
        self._expect("{")
        for words in self._entries():
            self._row(network, table, words)
        network.tables[child] = table

    def _row(self, network: Network, table: Table, words: list[Token]) -> None:
        head, values = words[0], table.values
        if head.text == "table":
            # The last variable in the parentheses changes fastest, and the child is the first.
            numbers = self._numbers(words[1:], values.size)
            values[...] = np.moveaxis(numbers.reshape(values.shape[-1], *values.shape[:-1]), 0, -1)
        elif head.text == "default":
            rows = np.isnan(values).all(axis=-1)
            values[rows] = self._numbers(words[1:], values.shape[-1])
        elif head.text == "(":
            close = next((k for k, word in enumerate(words) if word.text == ")"), len(words))
            given = [word.text for word in words[1:close] if word.text != ","]
            if len(given) != len(table.parents):
                raise self._error(f"{len(given)} states for {len(table.parents)} parents", head.line)
            place = []
            for parent, state in zip(table.parents, given, strict=True):
                if state not in network.states[parent]:
                    raise self._error(f"{parent} has no state {state!r}", head.line)
                place.append(network.states[parent].index(state))
            values[tuple(place)] = self._numbers(words[close + 1 :], values.shape[-1])
        elif head.text != "property":
            raise self._wrong("table, default or the states of the parents", head)

    def _numbers(self, words: list[Token], count: int) -> Array:
        texts = [word for word in words if word.text != ","]
        try:
            numbers = np.array([float(word.text) for word in texts])
        except ValueError:
            raise self._error("expected numbers", words[0].line) from None
        if len(numbers) != count:
            line = words[0].line if words else self._tokens[self._at - 1].line
            raise self._error(f"expected {count} numbers, got {len(numbers)}", line)
        return numbers

    def _entries(self) -> Iterator[list[Token]]:
        """The entries of a block, which end in semicolons, up to its closing brace; braces inside belong to them."""
        words: list[Token] = []
        depth = 0
        while True:
            token = self._next("}")
            if token.text == "}" and depth == 0:
                return
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            if token.text == ";" and depth == 0:
                if words:
                    yield words
                words = []
            else:
                words.append(token)

    def _until(self, mark: str) -> list[Token]:
        words = []
        while (token := self._next(mark)).text != mark:
            words.append(token)
        return words

    def _expect(self, mark: str) -> Token:
        token = self._next(mark)
        if token.text != mark:
            raise self._wrong(mark, token)
        return token

    def _next(self, wanted: str) -> Token:
        if self._at == len(self._tokens):
            line = self._tokens[-1].line if self._tokens else 1
            raise self._error(f"expected {wanted}, and the file ends", line)
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self, wanted: str, token: Token) -> DataError:
        return self._error(f"expected {wanted}, got {token.text!r}", token.line)

    def _error(self, reason: str, line: int) -> DataError:
        return DataError(f"{self._source}:{line}  {reason}.")
