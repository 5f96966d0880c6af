"""references.bib: the page of references, and links to it from docstrings."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.plugin import find_plugin

BIBLIOGRAPHY = Path(__file__).parents[1] / "references.bib"
CITED = re.compile(r"\[([a-z]+\d{4})\]_")


@cache
def bibliography() -> BibliographyData:
    """The entries of references.bib."""
    return parse_file(str(BIBLIOGRAPHY), bib_format="bibtex")


def author_and_year(entry: Entry) -> str:
    """``Hinton, Osindero and Teh (2006)``."""
    people = entry.persons.get("author") or entry.persons["editor"]
    names = [" ".join(map(str, person.rich_last_names)) for person in people]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    if len(names) > 3:
        listed = f"{names[0]} and others"
    return f"{listed} ({entry.fields['year']})"


def link_citations(text: str, root: str = "../") -> str:
    """Text in which ``[neal2001]_`` is a link to the page of references."""

    def link(found: re.Match[str]) -> str:
        return f"[{author_and_year(bibliography().entries[found[1]])}]({root}references.md#{found[1]})"

    return CITED.sub(link, text)


def references_page() -> str:
    """Every entry, in the order of the file, which is that of the alphabet."""
    style = find_plugin("pybtex.style.formatting", "unsrt")()
    backend = find_plugin("pybtex.backends", "html")()
    lines = ["# References", "", "What docstrings, models and pages cite.", ""]
    for entry in style.format_entries(list(bibliography().entries.values())):
        text = " ".join(entry.text.render(backend).split())
        lines.append(f'<p class="reference" id="{entry.key}">{text}</p>\n')
    return "\n".join(lines)
