"""The page of the public interface: every name that ``import pgmc`` gives, by what it is for."""

from __future__ import annotations

import pgmc

HEADINGS = {
    "pgmc.dsl": "Declaring",
    "pgmc.program": "Compiling, running, training",
    "pgmc.learning": "Objectives, optimisers, data",
    "pgmc.runtime": "Sampling",
    "pgmc.evaluation": "Evaluation",
    "pgmc.inspection": "Seeing",
    "pgmc.interchange": "Other libraries",
    "pgmc.errors": "Errors and warnings",
}


def public_names() -> dict[str, str]:
    """Every public name, with the module that it is defined in."""
    found = {name: getattr(getattr(pgmc, name), "__module__", "") for name in dir(pgmc) if not name.startswith("_")}
    return {name: home for name, home in found.items() if home.startswith("pgmc.")}


def api_page() -> str:
    """The page, for mkdocstrings to fill in."""
    homes = public_names()
    parts = ["# Interface", "Everything here is imported from `pgmc` itself."]
    for package, heading in HEADINGS.items():
        names = [name for name, home in homes.items() if home.startswith(package)]
        if names:
            parts.append(f"## {heading}")
        parts += [f"::: {homes[name]}.{name}\n    options:\n      heading: pgmc.{name}" for name in names]
    return "\n\n".join(parts) + "\n"
