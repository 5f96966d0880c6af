"""The name under which a generated kernel is cached: a hash of everything that could change it."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

COMPILER_FOLDERS = ("ir", "analysis", "derivation", "schedule", "codegen")


def kernel_key(*parts: str) -> str:
    """The SHA-256, in hexadecimal, of the parts and of the environment that compiles and runs the kernel.

    Parameters
    ----------
    *parts
        What is compiled: the canonical text of the model, the query, the dtype.
    """
    digest = hashlib.sha256()
    for part in (*parts, *environment()):
        text = part.encode()
        digest.update(len(text).to_bytes(8, "little"))  # lengths keep ("ab", "c") apart from ("a", "bc")
        digest.update(text)
    return digest.hexdigest()


def environment() -> tuple[str, ...]:
    """Versions, processor, Numba's settings, and the compiler's own source."""
    settings = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_"))
    return (*_versions(), _processor(), compiler_hash(Path(__file__).parents[1]), *settings)


@cache
def _versions() -> tuple[str, ...]:
    packages = ("pgmc", "numba", "llvmlite", "numpy")
    return (sys.version, sys.platform, *(f"{name} {version(name)}" for name in packages))


@cache
def _processor() -> str:
    """Model and features of the processor, without asking LLVM: importing it takes longer than all the rest."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            wanted = ("model name", "cpu family", "model\t", "flags", "Features", "CPU part")
            found = []
            for line in lines:
                if not line.strip():  # the first processor speaks for all
                    break
                if line.startswith(wanted):
                    found.append(line.strip())
            return "\n".join([platform.machine(), *found])
    except OSError:
        return f"{platform.machine()} {platform.processor()}"


@cache
def compiler_hash(package: Path) -> str:
    """The SHA-256 of the source of every stage that decides what a kernel's text is."""
    digest = hashlib.sha256()
    for folder in COMPILER_FOLDERS:
        for path in sorted((package / folder).rglob("*.py")):
            text = path.read_bytes()
            digest.update(f"{path.relative_to(package).as_posix()} {len(text)}\n".encode())
            digest.update(text)
    return digest.hexdigest()
