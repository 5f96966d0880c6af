"""The commands about the installation: what it runs on, and the kernels it keeps."""

from __future__ import annotations

from cyclopts import App

from pgmc.cli.application import app, say

cache_app = App(name="cache", help="The kernels that were compiled and are kept on disk.")
app.command(cache_app)


@cache_app.command
def info() -> None:
    """Show where kernels are kept, how many they are and how much room they take."""
    from pgmc.runtime.cache import default_cache

    cache = default_cache()
    if cache.directory is None:
        say("The cache is off: kernels are compiled in memory.")
        return
    entries = len(list(cache.directory.glob("*/kernel.py"))) if cache.directory.is_dir() else 0
    say(f"{cache.directory}: {entries} kernels, {cache.size() / 2**20:.1f} MiB of at most {cache.max_bytes >> 20} MiB")


@cache_app.command
def clear() -> None:
    """Remove the kernels; they are compiled again when needed."""
    from pgmc.runtime.cache import default_cache

    cache = default_cache()
    size = cache.size()
    cache.clear()
    say(f"Removed {size / 2**20:.1f} MiB from {cache.directory}." if cache.directory else "The cache is off.")


@app.command
def doctor() -> int:
    """Show what pgmc runs on, and compile and check a small model."""
    from pgmc.cli.doctor import examine

    return examine(say)
