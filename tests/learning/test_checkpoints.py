"""Saved models: whatever happens to a file, it loads as it was saved or raises CheckpointError."""

import io
import json
import os
import pickle
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgmc.dsl.model import Model
from pgmc.errors import CheckpointError, DataError
from pgmc.ir.canonical import canonical_text
from pgmc.learning import tensorfile
from pgmc.learning.checkpoints import load, save


def declare() -> Model:
    m = Model("small")
    v, h = m.binary("v", 3), m.spin("h", 2)
    m.energy(-(v @ m.param("W", (3, 2), mask=np.ones((3, 2))) @ h) - m.param("t") * 0.3 * (m.param("b", 3) @ v))
    return m


def parameters() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(3, 2)).astype("f4"), "t": np.array(0.5), "b": rng.normal(size=3)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "model.pgmc"
    save(target, declare(), parameters())
    return target


def assert_whole(path: Path) -> None:
    model, params = load(path)
    assert canonical_text(model) == canonical_text(declare().build())
    for name, value in parameters().items():
        assert params[name].dtype == value.dtype and params[name].shape == value.shape
        assert np.array_equal(params[name], value)
        assert params[name].flags.writeable or params[name].ndim == 0


def refused(path: Path, content: bytes, message: str | None = None) -> None:
    path.write_bytes(content)
    began = time.perf_counter()
    with pytest.raises(CheckpointError, match=message):
        load(path)
    assert time.perf_counter() - began < 1


def build(header: Any, data: bytes = b"", text: bytes | None = None) -> bytes:
    body = json.dumps(header).encode() if text is None else text
    return struct.pack("<Q", len(body)) + body + data


def header_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


# ---- saving ----------------------------------------------------------------------------------------------


def test_what_was_saved_is_loaded(path: Path) -> None:
    assert_whole(path)
    assert [p.name for p in path.parent.iterdir()] == ["model.pgmc"]


def test_the_same_model_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    for number in range(8):  # safetensors would choose the order of its texts at random
        save(tmp_path / f"{number}.pgmc", declare(), parameters())
        assert (tmp_path / f"{number}.pgmc").read_bytes() == path.read_bytes()


def test_arrays_of_any_layout_are_saved_right(tmp_path: Path) -> None:
    """safetensors 0.8.0 writes the memory of an array as it lies, whatever its strides."""
    W = parameters()["W"]
    wide = np.zeros((6, 4), "f4")
    wide[::2, ::2] = W
    for k, same in enumerate((np.asfortranarray(W), wide[::2, ::2], W[::-1][::-1], W.T.copy().T, W.astype(">f4"))):
        save(tmp_path / str(k), declare(), parameters() | {"W": same})
        assert_whole(tmp_path / str(k))


def test_other_programs_can_read_the_file(path: Path) -> None:
    from safetensors.numpy import load_file

    assert np.array_equal(load_file(path)["param.W"], parameters()["W"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W": np.zeros((2, 3))}, "W must be float32 or float64 of shape"),
        ({"W": np.zeros((3, 2), int)}, "int64"),
        ({"W": np.full((3, 2), np.nan)}, "not finite"),
        ({"W": np.array([[object()] * 2] * 3)}, "object"),
        ({"x": np.zeros(1)}, "expected"),
    ],
)
def test_parameters_that_do_not_fit_are_not_saved(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        save(tmp_path / "x", declare(), parameters() | change)
    with pytest.raises(DataError, match="expected"):
        save(tmp_path / "x", declare(), {})
    assert list(tmp_path.iterdir()) == []


def test_a_description_that_could_not_be_read_back_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorfile, "MAX_HEADER", 500)
    with pytest.raises(CheckpointError, match="exceeds 500 bytes"):
        save(tmp_path / "x", declare(), parameters())
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_takes_its_place_only_when_it_is_on_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)

        def record(*args: Any, name: str = name, original: Callable[..., Any] = original) -> Any:
            directory = name == "fsync" and os.path.isdir(f"/proc/self/fd/{args[0]}")
            calls.append("fsync directory" if directory else name)
            return original(*args)

        monkeypatch.setattr(os, name, record)
    save(path, declare(), parameters())
    assert calls == ["fsync", "replace", "fsync directory"]


@pytest.mark.parametrize("failing", ["fsync", "replace", "open"])
def test_a_save_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    def fail(*args: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, fail)
        with pytest.raises(OSError, match="Input/output"):
            save(path, declare(), {n: v + 1 for n, v in parameters().items()})
    assert_whole(path)
    assert [p.name for p in path.parent.iterdir()] == ["model.pgmc"]


# ---- damaged files ---------------------------------------------------------------------------------------


def test_a_file_truncated_anywhere(path: Path) -> None:
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError):
            load(path)


def test_any_bit_flipped(path: Path) -> None:
    """Every bit of the header and the arrays: nothing loads as another model."""
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    bits = rng.permutation(8 * len(content))[:10_000]
    for bit in bits:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            load(path)


def test_random_edits_raise_only_the_declared_error(path: Path) -> None:
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(3000):
        damaged = bytearray(content)
        start = int(rng.integers(len(damaged)))
        match rng.integers(4):
            case 0:
                del damaged[start : start + int(rng.integers(1, 40))]
            case 1:
                damaged[start:start] = rng.bytes(int(rng.integers(1, 40)))
            case 2:
                damaged[start : start + 8] = rng.bytes(8)
            case _:
                other = int(rng.integers(len(damaged)))
                damaged[start : start + 20] = damaged[other : other + 20]
        if damaged != content:
            path.write_bytes(damaged)
            try:
                load(path)
            except CheckpointError:
                continue
            assert_whole(path)  # an edit may spell the same content in another way


def test_something_appended(path: Path) -> None:
    refused(path, path.read_bytes() + b"\0", "something appended")


# ---- attacks ---------------------------------------------------------------------------------------------


class Payload:
    def __reduce__(self) -> Any:
        return (os.mkdir, ("/tmp/pgmc-payload-ran",))


def test_files_of_other_kinds(path: Path) -> None:
    refused(path, pickle.dumps(Payload()), "no pgmc file")
    assert not os.path.exists("/tmp/pgmc-payload-ran")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("W.npy", b"\0" * 10_000_000)
    refused(path, archive.getvalue(), "no pgmc file")
    declared = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296,), }".ljust(
        118
    )
    refused(path, declared, "no pgmc file")
    refused(path, b"")
    refused(path, b"\0" * 100)


def test_headers_that_are_too_long_or_too_deep(path: Path) -> None:
    refused(path, struct.pack("<Q", 2**63) + b"x" * 100, "length of its header")
    refused(path, build(None, text=b"{" + b" " * (1 << 20) + b"}"), "length of its header")
    refused(path, build(None, text=b"[" * 100_000 + b"]" * 100_000))
    refused(path, build(None, text=b'{"a":' * 100_000 + b"1" + b"}" * 100_000))
    refused(path, build(None, text=b"1" * 100_000))
    refused(path, build(None, text=b"\xff\xfe"))


def change(path: Path, edit: Callable[[dict[str, Any]], Any], message: str) -> None:
    header, data = header_of(path.read_bytes())
    edited = edit(header)
    refused(path, build(edited if edited is not None else header, data), message)


def _metadata(**items: Any) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["__metadata__"].update(items)


def _array(**items: Any) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["param.W"].update(items)


def _rename(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda header: header.update({name: header.pop("param.W")})


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_metadata(pgmc_version="2"), "later pgmc.*Upgrade"),
        (_metadata(pgmc_version="999999"), "later pgmc"),
        (_metadata(pgmc_version="-1"), "no format version"),
        (_metadata(pgmc_kind="run"), "does not hold a model"),
        (_metadata(model="{}"), "digest"),
        (_metadata(extra=3), "no texts"),
        (lambda h: h.pop("__metadata__") and h, "no texts"),
        (_array(dtype="O"), "its type is not allowed"),
        (_array(dtype="F16"), "its type is not allowed"),
        (_array(dtype=["F64"]), "its type is not allowed"),
        (_array(shape=[-3, 2]), "not valid"),
        (_array(shape=[3.0, 2]), "not valid"),
        (_array(shape=[True, 6]), "not valid"),
        (_array(shape=[2**40, 2**40]), "does not fit its shape"),
        (_array(shape=[2**63, 2]), "not valid"),
        (_array(shape=[1] * 40), "not valid"),
        (_array(shape=[2, 2]), "does not fit its shape"),
        (_array(data_offsets=[0, 2**61]), "does not fit"),
        (_array(data_offsets=[24, 0]), "does not fit"),
        (_array(data_offsets=[0]), "not valid"),
        (_array(extra=1), "not complete"),
        (_rename("../../etc/passwd"), "name of an array"),
        (_rename("/etc/passwd"), "name of an array"),
        (_rename("param.W\n"), "name of an array"),
        (_rename("param.x"), "digest"),
    ],
)
def test_headers_that_lie(path: Path, edit: Callable[[dict[str, Any]], Any], message: str) -> None:
    change(path, edit, message)


def test_arrays_that_overlap_or_leave_gaps(path: Path) -> None:
    content = path.read_bytes()
    header, data = header_of(content)
    for name in [n for n in header if n != "__metadata__"]:
        for shift in (-1, 1, 8):
            moved = json.loads(json.dumps(header))
            moved[name]["data_offsets"] = [k + shift for k in header[name]["data_offsets"]]
            refused(path, build(moved, data))


def test_names_that_come_twice(path: Path) -> None:
    header, data = header_of(path.read_bytes())
    text = json.dumps(header)[:-1] + ', "param.W": ' + json.dumps(header["param.W"]) + "}"
    refused(path, build(None, data, text.encode()), "names something twice")


def forge(path: Path, tensors: dict[str, Any], text: dict[str, str]) -> None:
    """A file with a right digest: what an attacker who knows the format would write."""
    tensorfile.write_tensors(path, "model", tensors, text)
    with pytest.raises(CheckpointError):
        load(path)


def test_well_formed_files_with_bad_content(path: Path) -> None:
    tensors, text = tensorfile.read_tensors(path, "model")
    forge(path, tensors | {"param.W": np.full((3, 2), np.nan)}, text)
    forge(path, tensors | {"param.W": np.zeros((3, 3))}, text)
    forge(path, tensors | {"param.W": np.zeros((3, 2), np.int64)}, text)
    forge(path, tensors | {"param.x": np.zeros(3)}, text)
    forge(path, tensors | {"other": np.zeros(3)}, text)
    forge(path, {n: a for n, a in tensors.items() if n != "param.W"}, text)
    forge(path, tensors, {})
    forge(path, tensors, text | {"more": ""})
    forge(path, tensors, {"model": "[" * 100_000})
    forge(path, tensors, {"model": text["model"].replace('"v"', '"import os"')})
    forge(path, tensors, {"model": text["model"].replace('"Mul"', '"Exec"')})
    forge(path, tensors, {"model": '{"name":NaN}'})


def test_paths_that_lead_elsewhere(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for wrong in (link, fifo, tmp_path, tmp_path / "missing", tmp_path / "missing" / "x"):
        began = time.perf_counter()
        with pytest.raises(CheckpointError):
            load(wrong)
        assert time.perf_counter() - began < 1


def test_nothing_here_can_run_what_a_file_says() -> None:
    import pgmc.ir.deserialise
    import pgmc.learning.checkpoints

    for module in (pgmc.ir.deserialise, pgmc.learning.checkpoints, tensorfile):
        source = Path(str(module.__file__)).read_text()
        assert "pickle" not in source.replace("No pickle", "").replace("no pickle", "") and "eval(" not in source
