"""How much memory there is, so that what cannot be held is refused before any of it is allocated."""

from __future__ import annotations

import os


def machine_memory() -> int | None:
    """The bytes of main memory, or None where the system does not tell."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return memory if memory > 0 else None
