"""What changes among the equations when a specification changes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from pgmc.inspection.equations import CELL_STYLE, HEAD_STYLE, TABLE_STYLE, Equation, Equations, equation_html


@dataclass(frozen=True, slots=True)
class Change:
    """An equation of one name in two derivations; None where there is none."""

    before: Equation | None
    after: Equation | None

    @property
    def name(self) -> str:
        """The name that both have."""
        equation = self.before or self.after
        assert equation is not None
        return equation.name

    def __str__(self) -> str:
        lines = [f"- {self.before}"] * (self.before is not None) + [f"+ {self.after}"] * (self.after is not None)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, repr=False)
class Difference:
    """Equations that changed, and the names of those that did not; ``print`` shows it as a list of - and + lines."""

    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        lines = [str(change) for change in self.changes]
        if self.unchanged:
            lines.append(f"unchanged: {', '.join(self.unchanged)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        names = ", ".join(change.name for change in self.changes) or "nothing"
        return f"<Difference: {names} changed, {len(self.unchanged)} equations did not>"

    def _repr_html_(self) -> str:
        rows = "\n".join(_row(change) for change in self.changes)
        same = f"<p>unchanged: {escape(', '.join(self.unchanged))}</p>" if self.unchanged else ""
        return f'<table class="pgmc-difference" style="{TABLE_STYLE}">\n{rows}\n</table>\n{same}'


def compare_equations(before: Equations, after: Equations) -> Difference:
    """What changes from one collection of equations to another.

    Equations are compared by name and as they are printed, so that specifications built apart, whose indices are not
    the same objects, compare as a reader would compare them.
    """
    names = list(dict.fromkeys((*before, *after)))
    pairs = [Change(before.get(name), after.get(name)) for name in names]
    changes = tuple(pair for pair in pairs if str(pair.before) != str(pair.after))
    return Difference(changes, tuple(pair.name for pair in pairs if pair not in changes))


def _row(change: Change) -> str:
    cells = (
        f'<div style="color: {colour}">{sign} {equation_html(equation)}</div>'
        for equation, sign, colour in ((change.before, "−", "#b02a2a"), (change.after, "+", "#1a7f37"))
        if equation is not None
    )
    return f'<tr><th style="{HEAD_STYLE}">{escape(change.name)}</th><td style="{CELL_STYLE}">{"".join(cells)}</td></tr>'
