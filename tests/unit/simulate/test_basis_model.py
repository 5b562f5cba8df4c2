"""The file of a face basis: what is taken, what is refused, and that nothing else is learned from either."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import InputRefused, OutputFailed
from medveil.simulate.basis import model as model_module
from medveil.simulate.basis.folder import import_folder, read_obj
from medveil.simulate.basis.layout import ICT, ICT_VERTICES, MIRROR, Layout
from medveil.simulate.basis.model import FaceBasis, read_basis
from medveil.simulate.basis.surface import _holes

from .basis_heads import arrays, write


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory) -> FaceBasis:
    return read_basis(write(tmp_path_factory.mktemp("basis") / "head.npz"))


def test_centimetres_left_up_forward_become_millimetres_right_forward_up(basis: FaceBasis) -> None:
    content = arrays()
    left, up, forward = content["vertices"][123]
    assert basis.model.mean[123] == pytest.approx([-10 * left, 10 * forward, 10 * up], rel=1e-6)
    left, up, forward = content["identity_modes"][3, 123].astype(float)
    assert basis.model.modes[3, 123] == pytest.approx([-10 * left, 10 * forward, 10 * up], rel=1e-5)


def test_a_person_is_the_mean_plus_weighted_modes(basis: FaceBasis) -> None:
    model, weights = basis.model, np.zeros(16)
    assert np.allclose(model.vertices(weights), model.mean)
    weights[[2, 5]] = 2.0, -1.0
    assert np.allclose(model.vertices(weights), model.mean + 2 * model.modes[2] - model.modes[5], atol=1e-4)


def test_a_basis_is_small_to_send_equal_by_its_file_and_says_nothing_of_it(basis: FaceBasis) -> None:
    sent = pickle.dumps(basis)
    assert len(sent) < 1000
    assert pickle.loads(sent) == basis  # noqa: S301 - our own bytes, as joblib sends them
    assert hash(pickle.loads(sent)) == hash(basis)  # noqa: S301
    for thing in (basis, basis.model, basis.model.surface):
        assert "head" not in repr(thing)
        assert "/" not in repr(thing)


def test_an_unknown_layout_is_told_by_the_file_and_that_of_ict_facekit_is_known() -> None:
    assert len(ICT.landmarks) == 68
    assert len(set(ICT.landmarks)) == 68
    assert ICT.largest() < ICT_VERTICES
    assert max(ICT.landmarks) < ICT.skin
    assert (MIRROR[MIRROR] == np.arange(68)).all()
    fixed = [k for k in range(68) if MIRROR[k] == k]
    assert fixed == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


def refused(path: Path) -> str:
    with pytest.raises(InputRefused) as refusal:
        read_basis(path)
    message = str(refusal.value)
    assert message.startswith("face basis: ")
    assert "\n" not in message
    assert str(path.parent) not in message
    return message


CONTENT = arrays()
TRIANGLES, VERTICES, MODES = (CONTENT[k] for k in ("triangles", "vertices", "identity_modes"))


CLOSED = np.concatenate(
    [TRIANGLES]
    + [
        np.stack([np.full(len(rim) - 2, rim[0]), rim[2:], rim[1:-1]], axis=1)
        for rim in _holes(TRIANGLES)
        if len(rim) < 80
    ]
).astype(np.int32)


def _with(array: np.ndarray, at: tuple[int, ...], value: float) -> np.ndarray:
    out = array.copy()
    out[at] = value
    return out


BAD: dict[str, tuple[dict[str, np.ndarray | None], str]] = {
    "no vertices": ({"vertices": None}, "no array vertices"),
    "no triangles": ({"triangles": None}, "no array triangles"),
    "no modes": ({"identity_modes": None}, "no array identity_modes"),
    "flat vertices": ({"vertices": VERTICES.ravel()}, "vertices have shape"),
    "two coordinates": ({"vertices": VERTICES[:, :2]}, "vertices have shape"),
    "few vertices": ({"vertices": VERTICES[:50]}, "vertices have shape"),
    "quads": ({"triangles": TRIANGLES[:, [0, 1, 2, 2]]}, "triangles have shape"),
    "fractions": ({"triangles": TRIANGLES.astype(float)}, "triangles name vertices outside"),
    "negative": ({"triangles": _with(TRIANGLES, (0, 0), -1)}, "triangles name vertices outside"),
    "out of range": (
        {"triangles": _with(TRIANGLES, (0, 0), len(VERTICES))},
        "triangles name vertices outside",
    ),
    "other modes": ({"identity_modes": MODES[:, :-1]}, "identity_modes have shape"),
    "few modes": ({"identity_modes": MODES[:13]}, "with 14 to"),
    "a nan": ({"vertices": _with(VERTICES, (7, 1), np.nan)}, "vertices are not all finite"),
    "infinite": ({"identity_modes": _with(MODES, (0, 7, 1), np.inf)}, "identity_modes are not all finite"),
    "whole numbers": ({"vertices": VERTICES.astype(np.int32)}, "vertices are not all finite floating-point"),
    "text": ({"vertices": np.array(["a", "b"])}, "vertices does not hold numbers"),
    "objects": ({"vertices": np.array([{}, {}], dtype=object)}, "vertices does not hold numbers"),
    "millimetres": ({"vertices": 10 * VERTICES}, "the mean head is"),
    "metres": ({"vertices": 0.01 * VERTICES}, "the mean head is"),
    "no layout": (
        dict.fromkeys(("skin_vertices", "landmarks", "ear_canals", "eyeballs")),
        f"expected {ICT_VERTICES}",
    ),
    "half a layout": ({"landmarks": None}, "landmarks: expected whole numbers"),
    "67 landmarks": ({"landmarks": CONTENT["landmarks"][:67]}, "landmarks: expected whole numbers"),
    "landmark inside": ({"landmarks": _with(CONTENT["landmarks"], (3,), len(VERTICES) - 1)}, "no skin"),
    "skin too large": ({"skin_vertices": np.array(len(VERTICES) + 1)}, "no skin"),
    "empty eyeball": ({"eyeballs": np.array([[9, 9], [20, 90]])}, "no skin"),
    "a torn skin": ({"triangles": TRIANGLES[::2]}, "not one surface"),
    "a skin without eyes": ({"triangles": CLOSED}, "not one surface"),
    "two skins on an edge": ({"triangles": np.concatenate([TRIANGLES, TRIANGLES[:1]])}, "not one surface"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_array_is_refused_by_name(tmp_path: Path, name: str) -> None:
    changes, words = BAD[name]
    assert words in refused(write(tmp_path / "bad.npz", **changes))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "missing.npz")
    assert "no such file" in refused(tmp_path)
    for name, content in {"empty": b"", "text": b"hello", "npy": b"\x93NUMPY\x01\x00"}.items():
        (tmp_path / name).write_bytes(content)
        assert "not an npz archive" in refused(tmp_path / name)
    whole = write(tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    assert "not an npz archive" in refused(tmp_path / "cut")
    broken = bytearray(whole)
    broken[2000:2400] = bytes(400)
    (tmp_path / "broken").write_bytes(broken)
    assert "not an npz archive" in refused(tmp_path / "broken")


def test_an_array_of_absurd_size_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.npz", identity_modes=None)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 1000000, 3), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "identity_modes.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        )
    assert "more than" in refused(path)


def test_a_file_that_has_gone_is_refused_when_it_is_needed(tmp_path: Path) -> None:
    basis = FaceBasis(write(tmp_path / "gone.npz"))
    basis.path.unlink()
    with pytest.raises(InputRefused, match="no such file"):
        _ = basis.model


def obj(vertices: np.ndarray, faces: np.ndarray) -> str:
    lines = ["mtllib some.mtl", "# made up"]
    lines += [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in vertices]
    lines += ["vt 0.5 0.5", "g head"]
    lines += ["f " + " ".join(f"{k + 1}/1" for k in face) for face in faces]
    return "\n".join(lines) + "\n"


def test_polygons_become_fans_of_triangles_counted_from_zero(tmp_path: Path) -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]])
    path = tmp_path / "square.obj"
    path.write_text(obj(square, np.array([[0, 1, 2, 3], [3, 2, 1, 0]])))
    points, triangles = read_obj(path)
    assert np.allclose(points, square)
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 1], [3, 1, 0]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model's folder with vertices as its makers write them: whole shapes, not differences."""
    out = tmp_path / "FaceXModel"
    out.mkdir()
    vertices = CONTENT["vertices"].astype(np.float64)
    (out / "generic_neutral_mesh.obj").write_text(obj(vertices, TRIANGLES))
    for k in range(3):
        moved = vertices + MODES[k].astype(np.float64)
        (out / f"identity{k:03d}.obj").write_text(obj(moved, TRIANGLES[:1]))
    return out


def test_a_whole_folder_becomes_the_file_with_differences_as_modes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(3, 14):
        (folder / f"identity{k:03d}.obj").write_text(obj(VERTICES + MODES[k].astype(float), TRIANGLES[:1]))
    left, right = (int(k) for k in CONTENT["ear_canals"])
    (a, b), (c, d) = CONTENT["eyeballs"].tolist()
    known = Layout(
        int(CONTENT["skin_vertices"]), tuple(CONTENT["landmarks"]), (left, right), ((a, b), (c, d))
    )
    monkeypatch.setattr(model_module, "ICT", known)
    monkeypatch.setattr(model_module, "ICT_VERTICES", len(VERTICES))
    basis = import_folder(folder, tmp_path / "out.npz", modes=14)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as written:
        assert sorted(written) == ["identity_modes", "triangles", "vertices"]
        assert np.allclose(written["vertices"], VERTICES, atol=1e-5)
        assert np.array_equal(written["triangles"], TRIANGLES)
        assert np.allclose(written["identity_modes"], MODES[:14], atol=2e-3)
    assert len(basis.model.modes) == 14
    assert sorted(p.name for p in tmp_path.iterdir()) == ["FaceXModel", "out.npz"]


def test_a_folder_with_too_few_modes_or_an_unknown_layout_writes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputRefused, match="has no identity003"):
        import_folder(folder, tmp_path / "out.npz", modes=16)
    with pytest.raises(InputRefused, match="face basis: "):
        import_folder(folder, tmp_path / "out.npz", modes=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["FaceXModel"]


def test_bad_folders_are_refused_by_the_name_of_the_file(folder: Path, tmp_path: Path) -> None:
    def message(**settings: int) -> str:
        with pytest.raises(InputRefused) as refusal:
            import_folder(folder, tmp_path / "out.npz", **settings)
        assert str(tmp_path) not in str(refusal.value)
        return str(refusal.value)

    assert "expected 1 to" in message(modes=0)
    neutral = folder / "generic_neutral_mesh.obj"
    (folder / "identity001.obj").write_text(obj(VERTICES[:-1], TRIANGLES[:1]))
    assert "identity001.obj has" in message(modes=2)
    (folder / "identity001.obj").write_text("v 1 2\n")
    assert "identity001.obj is no OBJ file" in message(modes=2)
    neutral.write_text(obj(VERTICES, TRIANGLES[:0]))
    assert "has no polygons" in message()
    neutral.write_text(obj(VERTICES[:10], TRIANGLES))
    assert "points that it does not have" in message()
    neutral.write_bytes(b"\x00\xff" * 500)
    assert "has 0 points" in message()
    neutral.unlink()
    assert "has no generic_neutral_mesh.obj" in message()


def test_a_file_that_is_there_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.npz").write_text("mine")
    with pytest.raises(OutputFailed, match="exists already"):
        import_folder(folder, tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_text() == "mine"
