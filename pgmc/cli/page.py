"""The report of a specification, a saved model or a run, as one page of HTML that needs nothing else."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy.typing as npt

from pgmc.cli.evaluation import Evaluation
from pgmc.cli.pictures import has_matplotlib
from pgmc.cli.run_sections import chains_section, learned_section, mixing_words, quality_section, training_section
from pgmc.cli.task import Task
from pgmc.cli.wording import data_line
from pgmc.inspection.page import Code, Note, Page, Section, Text
from pgmc.inspection.program_sections import (
    equations_section,
    graph_section,
    lead,
    source_section,
    specification_section,
)
from pgmc.program.inspection import usual_queries
from pgmc.program.program import Program
from pgmc.runtime.samples import Samples

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Contents:
    """What a report may be about; what is None is left out.

    Attributes
    ----------
    program
        The compiled model.
    command
        What repeats the report, or the run.
    spec
        The Python that declares the model.
    params
        Trained parameters.
    task, evaluation
        The data it was trained on, and what was measured.
    history
        Columns of the epochs.
    samples, mixing
        Chains of a model without data, and whether they mix, in words.
    settings
        How it was trained, in words.
    """

    program: Program
    command: str
    spec: str | None = None
    params: Arrays | None = None
    task: Task | None = None
    evaluation: Evaluation | None = None
    history: Mapping[str, Any] | None = None
    samples: Samples | None = None
    mixing: str = ""
    settings: str = ""


def can_report() -> bool:
    """Whether what the template needs is installed."""
    return find_spec("jinja2") is not None


def build_page(contents: Contents) -> str:
    """The page.

    Raises
    ------
    ArgumentError
        If jinja2 is not installed.
    """
    program, task, evaluation = contents.program, contents.task, contents.evaluation
    title = program.model.name if task is None else f"{program.model.name} on {task.images.name}"
    notes: list[Note] = []
    if evaluation is not None:
        notes += [Note(text, "warning") for text in evaluation.warnings]
        notes += [Note(text) for text in evaluation.remarks]
    if not has_matplotlib() and contents.params is not None:
        notes.append(Note('There are no pictures, as matplotlib is not installed: pip install "pgmc[plot]"'))
    sections = [section for section in (*_run(contents), *_model(contents), _repeat(contents)) if section is not None]
    words = lead(program.compiler) if task is None else f"{lead(program.compiler)}. {_sentence(data_line(task))}"
    return Page(title, words, sections, notes, _versions()).html()


def _run(contents: Contents) -> list[Section | None]:
    """What there is to say of parameters."""
    program, task, params = contents.program, contents.task, contents.params
    if params is None:
        return []
    pictures = has_matplotlib()
    found: list[Section | None] = []
    if contents.evaluation is not None:
        found.append(quality_section(contents.evaluation, pictures))
    if task is not None and pictures:
        found.append(learned_section(task, params, contents.evaluation))
    if contents.history and pictures:
        found.append(training_section(contents.history))
    samples = contents.samples if contents.evaluation is None else contents.evaluation.samples
    words = contents.mixing if contents.evaluation is None else mixing_words(contents.evaluation)
    if samples is not None:
        data = None if task is None else task.train
        found.append(chains_section(program, params, samples, words, data, pictures))
    return found


def _model(contents: Contents) -> list[Section]:
    """What was declared and derived."""
    program, compiler = contents.program, contents.program.compiler
    return [
        specification_section(program.model, contents.spec),
        graph_section(compiler),
        equations_section(compiler, program.equations()),
        source_section(compiler, usual_queries(program)),
    ]


def _repeat(contents: Contents) -> Section:
    command = Code("command", f"<pre>{_escaped(contents.command)}</pre>", is_open=True)
    return Section("How to repeat it", [command, *([Text(contents.settings)] if contents.settings else [])])


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _versions() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pgmc", "numpy", "numba"))
    return f"{packages}, Python {platform.python_version()} on {platform.system()} {platform.machine()}."
