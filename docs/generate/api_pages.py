"""The page of the public interface: every name that ``import pgmc`` gives, by what it is for, and what is returned."""

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

RETURNED = (
    "pgmc.program.conditional.Conditional",
    "pgmc.inspection.equations.Equations",
    "pgmc.runtime.samples.Samples",
    "pgmc.runtime.mean_field.MeanFieldResult",
    "pgmc.evaluation.estimates.LogPartition",
    "pgmc.learning.report.Fit",
    "pgmc.learning.history.History",
    "pgmc.evaluation.enumerate.Enumeration",
)
"""What methods return that is worth a look."""


def public_names() -> dict[str, str]:
    """Every public name, with the module that it is defined in."""
    found = {name: getattr(getattr(pgmc, name), "__module__", "") for name in dir(pgmc) if not name.startswith("_")}
    return {name: home for name, home in found.items() if home.startswith("pgmc.")}


def api_page() -> str:
    """The page, for mkdocstrings to fill in."""
    homes = public_names()
    parts = ["# Interface", "Everything here is imported from `pgmc` itself, but for what is returned."]
    for package, heading in HEADINGS.items():
        names = [name for name, home in homes.items() if home.startswith(f"{package}.") or home == package]
        if names:
            parts.append(f"## {heading}")
        parts += [entry(f"{homes[name]}.{name}", f"pgmc.{name}") for name in names]
    parts += ["## What is returned", *(entry(path, path.rpartition(".")[2]) for path in RETURNED)]
    return "\n\n".join(parts) + "\n"


def entry(path: str, heading: str) -> str:
    """One entry, in the language of the tool."""
    return f"::: {path}\n    options:\n      heading: {heading}\n      toc_label: {heading}"
