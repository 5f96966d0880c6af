"""The compile cache: hits, damage, directories that cannot be used, many processes."""

import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgmc.errors import CacheWarning, InternalError
from pgmc.ir.signatures import Argument, KernelModule, Result, Role
from pgmc.runtime import keys
from pgmc.runtime.cache import FILES, Cache, default_cache
from pgmc.runtime.keys import compiler_hash, kernel_key
from pgmc.runtime.loader import load_or_build

SOURCE = """\
from numba import njit


@njit("void(float64[::1], float64[::1])", nogil=True, cache=True)
def double(x, out):
    for k in range(x.shape[0]):
        out[k] = 2.0 * x[k]
"""
MODULE = KernelModule(
    "double",
    "evaluate",
    SOURCE,
    (
        Argument("x", Role.STATE, "x", 1, "float64"),
        Argument("size", Role.EXTENT, "x", 0, "int64", -1),
        Argument("out", Role.RESULT, "doubled", 1, "float64"),
    ),
    (Result("doubled", (("x", 0), ("x", -1)), True, "float64"),),
)
KEY = kernel_key("double")


class Builds:
    """Counts how often the kernel is generated."""

    def __init__(self, module=MODULE):
        self.count = 0
        self.module = module

    def __call__(self):
        self.count += 1
        return self.module


def load(directory, builds=None):
    """What a fresh process would get: a module, checked to work, and whether it was built."""
    builds = builds or Builds()
    module, function = load_or_build(KEY, builds, Cache(directory))
    out = np.empty(2)
    function(np.array([1.0, 3.0]), out)
    assert out.tolist() == [2.0, 6.0]
    return module, builds.count == 1


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A cache with one entry, to be copied and damaged."""
    folder = tmp_path_factory.mktemp("compiled") / "cache"
    load(folder)
    return folder


def quiet():
    return warnings.catch_warnings(action="error")


def test_a_second_process_hits(directory):
    with quiet():
        assert load(directory) == (MODULE, True)
        assert load(directory) == (MODULE, False)
    assert directory.stat().st_mode & 0o777 == 0o700
    files = [p.name for p in (directory / KEY).rglob("*")]
    assert "kernel.py" in files and "kernel.json" in files
    assert sum(name.endswith(".nbc") for name in files) == 1
    assert [p.name for p in directory.iterdir()] == [KEY]


def test_a_hit_does_not_compile(compiled):
    """The binary is read, not made again: Numba says so."""
    cache = Cache(compiled)
    _, function = load_or_build(KEY, Builds(), cache)
    assert sum(function.stats.cache_hits.values()) == 1
    assert load_or_build(KEY, Builds(), cache)[1] is function


def entry_files(directory):
    return sorted(p for p in (directory / KEY).rglob("*") if p.is_file())


def check_rebuilt(directory):
    with pytest.warns(CacheWarning, match="is damaged .* compiled again") as caught:
        assert load(directory)[1]
    assert len(caught) == 1
    with quiet():
        assert not load(directory)[1]


def test_truncated_files(compiled, directory):
    names = [p.relative_to(compiled) for p in entry_files(compiled)]
    assert len(names) >= 5
    for name in names:
        for share in (0.0, 0.3, 0.99):
            shutil.copytree(compiled, directory)
            path = directory / name
            os.truncate(path, int(share * path.stat().st_size))
            check_rebuilt(directory)
            shutil.rmtree(directory)


def test_flipped_bits(compiled, directory):
    """40 random bits of every file: the hashes catch each of them before anything is imported."""
    shutil.copytree(compiled, directory)
    rng = np.random.default_rng(0)
    for path in entry_files(directory):
        good = path.read_bytes()
        for _ in range(40):
            bad = bytearray(good)
            bad[rng.integers(len(bad))] ^= 1 << rng.integers(8)
            path.write_bytes(bytes(bad))
            cache = Cache(directory)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                entry = cache.fetch(KEY)
            if entry is not None:  # a letter in the name of a file's hash that reads the same
                assert entry.module == MODULE
            else:
                assert [w.category for w in caught] == [CacheWarning]
                shutil.rmtree(directory)
                shutil.copytree(compiled, directory)
        path.write_bytes(good)


def test_damage_that_hashes_do_not_see(compiled, directory):
    """Files that were published broken: Numba raises while it imports them."""
    import hashlib
    import json

    for ending in (".nbi", ".nbc", "kernel.py"):
        shutil.copytree(compiled, directory)
        path = next(p for p in entry_files(directory) if p.name.endswith(ending))
        os.truncate(path, 50)
        sums = json.loads((directory / KEY / FILES).read_text())
        name = path.relative_to(directory / KEY).as_posix()
        sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        (directory / KEY / FILES).write_text(json.dumps(sums))
        check_rebuilt(directory)
        shutil.rmtree(directory)


@pytest.mark.parametrize("what", ["file", "empty folder", "no list", "list of nonsense", "folder for a file"])
def test_strange_entries(compiled, directory, what):
    shutil.copytree(compiled, directory)
    entry = directory / KEY
    if what in ("file", "empty folder"):
        shutil.rmtree(entry)
        entry.write_text("x") if what == "file" else entry.mkdir()
    elif what == "no list":
        (entry / FILES).unlink()
    elif what == "list of nonsense":
        (entry / FILES).write_text("[1, 2]")
    else:
        (entry / "kernel.json").unlink()
        (entry / "kernel.json").mkdir()
    check_rebuilt(directory)


def check_uncached(directory, reason):
    with pytest.warns(CacheWarning, match=reason) as caught:
        assert load(directory)[1]
    assert len(caught) == 1


def test_refused_directories(tmp_path, directory):
    directory.mkdir()
    directory.chmod(0o777)
    check_uncached(directory, "others can write in it")
    assert list(directory.iterdir()) == []
    link = tmp_path / "link"
    directory.chmod(0o700)
    link.symlink_to(directory)
    check_uncached(link, "it is a symbolic link")
    assert list(directory.iterdir()) == []
    (tmp_path / "file").write_text("")
    check_uncached(tmp_path / "file", "cannot be used")


def test_planted_entries_are_not_run(compiled, directory):
    """An entry in a directory that others can write in, or that is another user's, is never imported."""
    shutil.copytree(compiled, directory)
    source = directory / KEY / "kernel.py"
    source.write_text("raise SystemExit('planted code ran')\n" + source.read_text())
    directory.chmod(0o770)
    check_uncached(directory, "others can write in it")
    assert source.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_directories_of_others(compiled, directory):
    shutil.copytree(compiled, directory)
    os.chown(directory, 12345, 12345)
    check_uncached(directory, "belongs to another user")


def test_no_space(directory, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pgmc.runtime.loader.write_entry", full)
    check_uncached(directory, "No space left on device")
    assert list(directory.iterdir()) == []


def test_numba_cannot_write(directory, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", full)
    check_uncached(directory, "No space left on device")
    assert list(directory.iterdir()) == []


def test_directory_deleted_while_running(directory):
    cache = Cache(directory)
    load_or_build(KEY, Builds(), cache)
    shutil.rmtree(directory)
    with quiet():
        load_or_build(kernel_key("another"), Builds(), cache)
    assert (directory / kernel_key("another")).is_dir()


def test_environment_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("PGMC_CACHE_DIR", str(tmp_path / "own"))
    assert default_cache().directory == tmp_path / "own"
    assert default_cache() is default_cache()
    monkeypatch.setenv("PGMC_CACHE", "off")
    assert default_cache().directory is None
    monkeypatch.delenv("PGMC_CACHE")
    monkeypatch.delenv("PGMC_CACHE_DIR")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        default_cache.__globals__["_cache_of"].cache_clear()
        assert default_cache().directory == tmp_path / "xdg" / "pgmc"
    default_cache.__globals__["_cache_of"].cache_clear()

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.warns(CacheWarning, match="home directory"):
        assert default_cache().directory is None
    default_cache.__globals__["_cache_of"].cache_clear()


def test_off_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with quiet():
        assert load(None)[1]
    assert list(tmp_path.iterdir()) == []


def test_numba_settings_do_not_move_binaries(directory, tmp_path, monkeypatch):
    from numba.core import config

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "elsewhere"))
    load(directory)
    assert not (tmp_path / "elsewhere").exists()
    assert str(tmp_path / "elsewhere") == config.CACHE_DIR


def test_source_that_does_not_compile(directory):
    broken = replace(MODULE, source=SOURCE.replace("2.0 * x[k]", "x.nothing"))
    for place in (directory, None):
        with pytest.raises(InternalError, match="double: the generated kernel does not compile"):
            load(place, Builds(broken))
    assert list(directory.iterdir()) == []


def test_size_is_bounded(directory, compiled):
    size = Cache(compiled).size()
    cache = Cache(directory, max_bytes=int(2.5 * size))
    names = [kernel_key(str(k)) for k in range(4)]
    for age, name in enumerate(names[:2]):
        load_or_build(name, Builds(), cache)
        os.utime(directory / name, (age, age))
    cache.fetch(names[0])  # now the one used last
    stale, fresh = directory / "tmp-old", directory / "tmp-new"
    stale.mkdir()
    fresh.mkdir()
    os.utime(stale, (0, 0))
    load_or_build(names[2], Builds(), cache)
    assert sorted(p.name for p in directory.iterdir()) == sorted([names[0], names[2], "tmp-new"])
    cache.clear()
    assert list(directory.iterdir()) == [] and cache.size() == 0


def test_keys(monkeypatch, tmp_path):
    key = kernel_key("model", "query", "float32")
    assert key == kernel_key("model", "query", "float32") and len(key) == 64
    changed = {kernel_key("model", "query", "float64"), kernel_key("model", "queryf", "loat32")}
    monkeypatch.setenv("NUMBA_OPT", "1")
    changed.add(kernel_key("model", "query", "float32"))
    monkeypatch.delenv("NUMBA_OPT")
    for name, value in {"_versions": ("other",), "_processor": "other"}.items():
        with monkeypatch.context() as patch:
            patch.setattr(keys, name, lambda value=value: value)
            changed.add(kernel_key("model", "query", "float32"))
    assert len(changed) == 5 and key not in changed

    (tmp_path / "codegen").mkdir()
    (tmp_path / "codegen" / "printer.py").write_text("a = 1")
    before = compiler_hash(tmp_path)
    (tmp_path / "codegen" / "printer.py").write_text("a = 2")
    compiler_hash.cache_clear()
    assert compiler_hash(tmp_path) != before


CHILD = """
import sys, warnings
warnings.simplefilter("error")
from pathlib import Path
import numpy as np
from pgmc.ir.signatures import KernelModule
from pgmc.runtime.cache import Cache
from pgmc.runtime.loader import load_or_build
built = []
def build():
    built.append(1)
    return KernelModule("double", "evaluate", {source!r}, ())
function = load_or_build({key!r}, build, Cache(Path({directory!r})))[1]
out = np.empty(2)
function(np.array([1.0, 3.0]), out)
print(out.tolist(), len(built))
"""


def test_sixteen_processes(directory):
    command = [sys.executable, "-c", CHILD.format(source=SOURCE, key=KEY, directory=str(directory))]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(16)]
    answers = [child.communicate(timeout=300)[0] for child in children]
    assert [child.returncode for child in children] == [0] * 16
    assert set(answers) <= {"[2.0, 6.0] 0\n", "[2.0, 6.0] 1\n"}
    assert [p.name for p in directory.iterdir()] == [KEY]
    with quiet():
        assert load(directory)[1] is False
