"""Packages that are not always installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pgmc.errors import ArgumentError


def need(module: str, extra: str, purpose: str) -> Any:
    """The module.

    Raises
    ------
    ArgumentError
        If it is not installed; the message names what to install.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.replace("_", "-")
        raise ArgumentError(f'{purpose} needs {package}, which is not installed: pip install "pgmc[{extra}]"') from None
