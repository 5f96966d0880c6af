"""The commands that show what is derived from a model, or prove it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pgmc.cli.application import app, cannot_write, say

if TYPE_CHECKING:
    from pgmc.program.program import Program


@app.command
def models() -> None:
    """List the models that come with pgmc."""
    from pgmc.cli.catalogue import find_spec, list_names

    for name in list_names():
        spec = find_spec(name)
        sizes = " ".join(f"--{size} {default}" for size, default in spec.sizes.items())
        say(f"{name:<26}{spec.summary}")
        say(f"{'':<26}{spec.model().build()}")
        say(f"{'':<26}{sizes}\n")


@app.command
def show(
    model: str,
    /,
    *,
    latex: bool = False,
    source: bool = False,
    trace: bool = False,
    steps: bool = False,
    html: Path | None = None,
    diagram: Path | None = None,
    **sizes: int,
) -> None:
    """Show what is derived from a model.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    latex
        Print the equations in LaTeX.
    source
        Print the generated Python.
    trace
        Print every stage of the sweep: specification, graph, blocks, laws, schedule, programs and source.
    steps
        Print how each conditional, free energy and gradient follows from the energy.
    html
        Write the report to this file, as HTML.
    diagram
        Write the graph of the variables to this file: .svg, .dot, .mmd (Mermaid) or .tex (TikZ).
    sizes
        Sizes of the model, such as `--hidden 64`.
    """
    from pgmc.cli.catalogue import find_spec
    from pgmc.inspection.markup import write_atomically
    from pgmc.program.program import compile

    program = compile(find_spec(model).model(**sizes))
    drawing = None if diagram is None else _drawing(program, diagram.suffix)
    for path, content in ((html, program.report().html), (diagram, drawing)):
        if path is not None and content is not None:
            try:
                write_atomically(path, content().encode())
            except OSError as error:
                raise cannot_write(path, error) from None
            say(f"wrote {path}")
    if latex:
        say(program.equations().latex())
    if source:
        say(program.source())
    if trace:
        say(str(program.trace()))
    if steps:
        groups = ("conditionals", "free energy", "gradients")
        names = [name for name, entry in program.equations().items() if entry.group in groups]
        say("\n\n".join(f"{name}\n{program.explain(name)}" for name in names))
    if not (latex or source or trace or steps or html or diagram):
        say(str(program))


def _drawing(program: Program, suffix: str) -> Callable[[], str]:
    """What writes the graph of a program in the format of a suffix.

    Raises
    ------
    ArgumentError
        If there is no such format.
    """
    from pgmc.errors import ArgumentError
    from pgmc.inspection.diagrams import Diagram

    made = Diagram(program.graph, program.model.name)
    formats = {
        "": made.svg,
        ".svg": made.svg,
        ".dot": made.dot,
        ".mmd": made.mermaid,
        ".tex": lambda: made.tikz(standalone=True),
    }
    if suffix not in formats:
        known = ", ".join(name for name in formats if name)
        raise ArgumentError(f"--diagram: there is no drawing as {suffix}. The suffix of the file is one of {known}.")
    return formats[suffix]


@app.command
def compile(model: str, /, *, numpy: bool = False, out: Path | None = None, **sizes: int) -> None:
    """Print the code that is generated for a model, or write it to a file.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    numpy
        Whole-array NumPy, from which the loops are made, instead of the loops.
    out
        The file to write to.
    sizes
        Sizes of the model, such as `--hidden 64`; the code is the same for all of them.
    """
    from pgmc.cli.catalogue import find_spec
    from pgmc.inspection.markup import write_atomically
    from pgmc.program.program import compile

    text = compile(find_spec(model).model(**sizes)).source(language="numpy" if numpy else "numba")
    if out is None:
        say(text)
        return
    try:
        write_atomically(out, f"{text}\n".encode())
    except OSError as error:
        raise cannot_write(out, error) from None
    say(f"wrote {out}")


@app.command
def diff(before: str, after: str, /) -> int:
    """Show which equations change from one model to another; the status is 1 if any does.

    Parameters
    ----------
    before, after
        Names from `pgmc models`, or Python files.
    """
    from pgmc.cli.catalogue import find_spec
    from pgmc.program.program import compile

    first, second = (compile(find_spec(name).model()).equations() for name in (before, after))
    difference = first.diff(second)
    say(str(difference))
    return int(bool(difference))


@app.command
def verify(model: str, /, *, seed: int = 0, **sizes: int) -> None:
    """Prove the kernels of a model on a small instance, against brute force over all its states.

    Parameters
    ----------
    model
        A name from `pgmc models`, or a Python file.
    seed
        Where parameters, states and random numbers come from.
    sizes
        Sizes of the model, such as `--hidden 64`; it is shrunk from there.
    """
    from pgmc.cli.catalogue import find_spec
    from pgmc.program.program import compile

    say(str(compile(find_spec(model).model(**sizes)).verify(seed)))
