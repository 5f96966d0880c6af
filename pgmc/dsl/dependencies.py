"""Directed factors must not depend on one another in a circle."""

from __future__ import annotations

from collections.abc import Sequence

from pgmc.dsl.location import complaint
from pgmc.errors import ModelError
from pgmc.ir.dependencies import find_circle
from pgmc.ir.model import Factor


def check_order(factors: Sequence[Factor]) -> None:
    """Variables can be drawn one after the other, and so can the units of each.

    Raises
    ------
    ModelError
        Printing the circle.
    """
    circle = find_circle(factors)
    if not circle:
        return
    last = factors[-1].target.name
    arrows = " → ".join(circle)
    if len(set(circle)) > 1:
        reason = f"the variables depend on one another in a circle: {arrows}"
        remedy = "Drop one of these dependencies, or describe the group by an energy."
    else:
        reason = f"units of {circle[0]} depend on one another in a circle: {arrows}"
        remedy = "Let each depend on those before it only, with where=j < i, or describe them by an energy."
    raise complaint(ModelError, f"directed factor of {last}", reason, remedy)
