"""A report as one file of HTML that needs no network: sections of text, tables, formulas, drawings, pictures, code."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from pgmc.errors import ArgumentError

TEMPLATE = "report.html.jinja"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str
    head: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to worry about, or to know."""

    kind: ClassVar[str] = "note"
    text: str
    level: Literal["warning", "remark"] = "remark"
    head: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first column to the left, the others to the right unless they are ``words``."""

    kind: ClassVar[str] = "table"
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    head: str = ""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Words and what there is to say of each."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, Sequence[str]]]
    head: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture and its caption."""

    name: str
    content: bytes = field(repr=False)
    caption: str
    wide: bool = False

    @property
    def media(self) -> str:
        """The kind of picture."""
        return "image/png" if self.content.startswith(b"\x89PNG") else "image/svg+xml"

    @property
    def data(self) -> str:
        """The content in the page itself."""
        return base64.b64encode(self.content).decode()


@dataclass(frozen=True, slots=True)
class Figures:
    """Pictures side by side where there is room."""

    kind: ClassVar[str] = "figures"
    figures: Sequence[Figure]
    head: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing as SVG text."""

    kind: ClassVar[str] = "drawing"
    svg: str = field(repr=False)
    head: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """An equation as HTML, and how it came about, to be opened."""

    html: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Formulas:
    """Equations, one below the other."""

    kind: ClassVar[str] = "formulas"
    rows: Sequence[Formula]
    head: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Highlighted source to be opened, its name, and what it is."""

    kind: ClassVar[str] = "code"
    name: str
    html: str = field(repr=False)
    about: str = ""
    is_open: bool = False
    head: str = ""


Block: TypeAlias = Text | Note | Table | Facts | Figures | Drawing | Formulas | Code


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page, with a title."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """Where a link leads to."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Page:
    """A report: title, the line below it, notes, sections and a last line."""

    title: str
    lead: str
    sections: Sequence[Section]
    notes: Sequence[Note] = ()
    footer: str = ""

    def html(self) -> str:
        """The whole page. All text is escaped.

        Raises
        ------
        ArgumentError
            If jinja2 (extra ``report``) is not installed.
        """
        try:
            import jinja2
        except ImportError:
            raise ArgumentError('A report needs jinja2, which is not installed: pip install "pgmc[report]"') from None
        loader = jinja2.PackageLoader("pgmc", "inspection")
        made: Any = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
        return str(made.get_template(TEMPLATE).render(page=self))
