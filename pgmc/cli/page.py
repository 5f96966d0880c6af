"""The report of a run as one page of HTML that needs nothing else."""

from __future__ import annotations

import base64
import platform
from collections.abc import Iterable
from html import escape
from importlib.metadata import version

from pgmc.cli.evaluation import Evaluation
from pgmc.cli.task import Task
from pgmc.cli.wording import data_line, likelihood_rows, mixing_line, partition_rows, settings_line
from pgmc.learning.report import Fit

STYLE = """
body { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2733;
       line-height: 1.5; max-width: 1060px; margin: 40px auto; padding: 0 24px; }
h1 { font-size: 26px; margin-bottom: 4px; } h2 { font-size: 18px; margin-top: 40px; }
p.lead { color: #5a6675; margin-top: 0; }
table.numbers { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.numbers td, table.numbers th { padding: 6px 18px 6px 0; text-align: right; border-bottom: 1px solid #e3e7ec; }
table.numbers td:first-child, table.numbers th:first-child { text-align: left; }
.warning { background: #fdf3e3; border-left: 4px solid #d9822b; padding: 8px 14px; margin: 10px 0; }
.remark { background: #f1f4f7; border-left: 4px solid #8a94a3; padding: 8px 14px; margin: 10px 0; }
figure { display: inline-block; margin: 0 24px 24px 0; vertical-align: top; }
figure img { display: block; width: 480px; max-width: 100%; }
figure.wide img { width: 1010px; } figure.wide { margin-right: 0; }
figcaption { color: #5a6675; font-size: 14px; margin-top: 6px; max-width: 480px; }
pre { background: #f6f8fa; padding: 12px 14px; overflow-x: auto; font-size: 13px; }
.derivation { overflow-x: auto; }
"""


def build_page(
    task: Task, fit: Fit, evaluation: Evaluation, pictures: dict[str, tuple[bytes, str]], command: str
) -> str:
    """The page.

    Parameters
    ----------
    task, fit, evaluation
        The run.
    pictures
        Name -> PNG and caption; ``curves`` is wide.
    command
        What repeats the run.
    """
    title = f"{task.model.name} on {task.images.name}"
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>',
        f"<h1>{escape(title)}</h1>",
        f'<p class="lead">{escape(data_line(task))}</p>',
        *(_note("warning", text) for text in evaluation.warnings),
        *(_note("remark", text) for text in evaluation.remarks),
        "<h2>How good it is</h2>",
        _table(("log-likelihood, nats per image", "train", "test"), likelihood_rows(evaluation)),
        "<p></p>",
        _table(("log Z", "nats", "", "weights worth"), partition_rows(evaluation)),
        f"<p>{escape(mixing_line(evaluation))}</p>",
        "<h2>What it learned</h2>" if pictures else "",
        *(_figure(name, content, caption) for name, (content, caption) in pictures.items()),
        "<h2>What was derived</h2>",
        f'<div class="derivation">{task.program.report()._repr_html_()}</div>',
        "<h2>How to repeat it</h2>",
        f"<pre>{escape(command)}</pre><p>{escape(settings_line(task, fit))}</p><p>{escape(_versions())}</p>",
        "</html>",
    ]
    return "\n".join(part for part in parts if part)


def _note(kind: str, text: str) -> str:
    return f'<div class="{kind}">{escape(text)}</div>'


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["".join(f"<th>{escape(head)}</th>" for head in heads)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return f'<table class="numbers">{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'


def _figure(name: str, content: bytes, caption: str) -> str:
    data = base64.b64encode(content).decode()
    wide = ' class="wide"' if name == "curves" else ""
    return (
        f'<figure{wide}><img alt="{escape(name)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _versions() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pgmc", "numpy", "numba"))
    return f"{packages}, Python {platform.python_version()} on {platform.system()} {platform.machine()}."
