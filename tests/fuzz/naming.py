"""Functions within expressions under names: the same model, spelled with ``define``."""

from __future__ import annotations

from collections.abc import Callable

from language import Expression, Function, LogSumExp, Place, Read, Sum, free_letters, reads, transform, walk


def with_names(
    node: Expression, names: Callable[[], str], spell: Callable[[Expression], str]
) -> tuple[list[str], Expression]:
    """The definitions that a term takes, and the term; inner functions are named before those around them."""
    lines: list[str] = []

    def change(part: Expression) -> Expression:
        if not isinstance(part, Function | LogSumExp) or not nameable(part):
            return part
        name, letters = names(), free_letters(part)
        axes = f", axes=({', '.join(letters)},)" if letters else ""
        lines.append(f'{name} = m.define("{name}", {spell(part)}{axes})')
        return Read(name, tuple(Place(letter) for letter in letters))

    return lines, transform(node, change)


def nameable(node: Expression) -> bool:
    """Whether every place in it is a letter or a number, each letter is bound once, and it reads something.

    What stands outside an axis is left out of a named value, and of a term as a whole.
    """
    places = [place for read in reads(node) for place in read.places]
    bound = [letter for part in walk(node) if isinstance(part, Sum | LogSumExp) for letter in part.over]
    plain = all(not p.end and (not p.letters or (len(p.letters) == 1 and not p.offset)) for p in places)
    related = {x for part in walk(node) if isinstance(part, Sum) for a, _, b in part.where for x in (a, b)}
    known = {place.letters for place in places}
    return plain and related <= known and len(set(bound)) == len(bound) and bool(reads(node))
