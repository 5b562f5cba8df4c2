"""Face basis: a file with a mean head and the modes in which heads differ.

    model.npz  vertices        (V, 3)     cm; +x the head's left, +y up, +z forward
               triangles       (T, 3)     vertex numbers
               identity_modes  (K, V, 3)  cm; a person is vertices + sum_k w_k * identity_modes[k], w ~ N(0, 1)

This is what `--face-basis` takes; `folder.py` writes it from the folder of ICT-FaceKit. The file is read
without pickle, and the shape of each array is read before the array: a small file can unpack to anything.
Every refusal is one line and says nothing of the folder it lies in.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from medveil.core.errors import InputRefused
from medveil.simulate.basis.layout import ICT, ICT_VERTICES, LANDMARKS, Layout
from medveil.simulate.basis.surface import Surface
from medveil.simulate.person import BRAIN_LATENTS

Array = npt.NDArray[Any]

REQUIRED = ("vertices", "triangles", "identity_modes")
OPTIONAL = ("skin_vertices", "landmarks", "ear_canals", "eyeballs")
MOST_VERTICES, MOST_TRIANGLES, MOST_MODES = 200_000, 400_000, 400
LEAST_BALL = 10
"""Fewest vertices of an eyeball."""
MOST_NUMBERS = 60_000_000
"""Numbers in the largest array; the 100 modes of ICT-FaceKit have 8 million."""
HEAD_CM = (15.0, 80.0)
"""Least and most height of a mean head with its neck: what lies outside was not stored in centimetres."""
HINT = "a model in the layout of ICT-FaceKit, as written by `import_folder`"


@dataclass(frozen=True)
class FaceBasis:
    """A face basis on disk: cheap to hash and to send to another process, read once in each.

    Args:
        path: the file, absolute.
    """

    path: Path

    @property
    def model(self) -> Model:
        """Its contents.

        Raises:
            InputRefused: the file has gone or changed into something else.
        """
        return _read(self.path)

    def __repr__(self) -> str:
        return "FaceBasis()"


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A statistical head model in millimetres, RAS+: +x the person's right, +y forward, +z up.

    Args:
        mean: (V, 3) float32, mm.
        modes: (K, V, 3) float32, mm a unit of weight.
        layout: what the vertices are.
        surface: the closed skin and how it is refined.
    """

    mean: Array
    modes: Array
    layout: Layout
    surface: Surface

    def vertices(self, weights: Array) -> Array:
        """(V, 3) float64 mm of the person with weights (K,)."""
        out: Array = self.mean + np.tensordot(weights, self.modes, axes=1)
        return out

    def __repr__(self) -> str:
        return f"Model({len(self.mean)} vertices, {len(self.modes)} modes)"


def read_basis(path: str | Path) -> FaceBasis:
    """Check a file and give a handle to it.

    Raises:
        InputRefused: no such file, not an npz archive, an array missing, of a wrong shape or kind, too large
            or not finite, triangles that name no vertex, a skin that is no surface, fewer than 14 modes.
    """
    basis = FaceBasis(Path(path).resolve())
    _ = basis.model
    return basis


def _refused(what: str) -> InputRefused:
    return InputRefused(f"face basis: {what}", hint=HINT)


@lru_cache(maxsize=2)
def _read(path: Path) -> Model:
    if not path.is_file():
        raise _refused("no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _arrays(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise _refused("not an npz archive that can be read") from error
    return _model(arrays)


def _arrays(archive: zipfile.ZipFile) -> dict[str, Array]:
    """The arrays asked for, each one's header checked before it is unpacked."""
    names = {name.removesuffix(".npy") for name in archive.namelist()}
    out = {}
    for name in (*REQUIRED, *(n for n in OPTIONAL if n in names)):
        if name not in names:
            raise _refused(f"has no array {name}")
        with archive.open(f"{name}.npy") as file:
            _check_size(name, file)
        with archive.open(f"{name}.npy") as file:
            out[name] = npy.read_array(file, allow_pickle=False)
    return out


def _check_size(name: str, file: IO[bytes]) -> None:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject or dtype.kind not in "fiu":
        raise _refused(f"{name} does not hold numbers")
    if np.prod([float(n) for n in shape]) > MOST_NUMBERS:
        raise _refused(f"{name} has more than {MOST_NUMBERS} numbers")


def _model(arrays: dict[str, Array]) -> Model:
    vertices, triangles, modes = (arrays[name] for name in REQUIRED)
    n = len(vertices) if vertices.ndim == 2 else 0
    if vertices.shape != (n, 3) or not 100 <= n <= MOST_VERTICES:
        raise _refused(f"vertices have shape {vertices.shape}, expected (V, 3) with 100 to {MOST_VERTICES} V")
    if triangles.ndim != 2 or triangles.shape[1] != 3 or not 100 <= len(triangles) <= MOST_TRIANGLES:
        raise _refused(f"triangles have shape {triangles.shape}, expected (T, 3), at most {MOST_TRIANGLES} T")
    if triangles.dtype.kind not in "iu" or triangles.min() < 0 or triangles.max() >= n:
        raise _refused(f"triangles name vertices outside 0 to {n - 1}")
    if modes.ndim != 3 or modes.shape[1:] != (n, 3) or not BRAIN_LATENTS <= len(modes) <= MOST_MODES:
        wanted = f"(K, {n}, 3) with {BRAIN_LATENTS} to {MOST_MODES} K"
        raise _refused(f"identity_modes have shape {modes.shape}, expected {wanted}")
    for name in ("vertices", "identity_modes"):
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise _refused(f"{name} are not all finite floating-point numbers")
    tall = float(np.ptp(vertices[:, 1].astype(np.float64)))
    if not HEAD_CM[0] <= tall <= HEAD_CM[1]:
        low, high = HEAD_CM
        raise _refused(f"the mean head is {tall:.3g} high, expected {low:g} to {high:g} centimetres")
    layout = _layout(arrays, n)
    mean = _ras_mm(vertices)
    surface = Surface.of(triangles.astype(np.int64), layout, mean)
    return Model(mean, _ras_mm(modes), layout, surface)


def _ras_mm(points: Array) -> Array:
    """Centimetres, left / up / forward, to millimetres, right / forward / up."""
    p = points.astype(np.float32) * np.float32(10)
    return np.stack([-p[..., 0], p[..., 2], p[..., 1]], axis=-1)


def _layout(arrays: dict[str, Array], n: int) -> Layout:
    """The file's own layout, or that of ICT-FaceKit."""
    own = [name for name in OPTIONAL if name in arrays]
    if not own:
        if n != ICT_VERTICES:
            raise _refused(f"has {n} vertices, expected {ICT_VERTICES} or the arrays {', '.join(OPTIONAL)}")
        return ICT
    shapes = {"skin_vertices": (), "landmarks": (LANDMARKS,), "ear_canals": (2,), "eyeballs": (2, 2)}
    for name, shape in shapes.items():
        if name not in arrays or arrays[name].shape != shape or arrays[name].dtype.kind not in "iu":
            raise _refused(f"{name}: expected whole numbers of shape {shape}, beside {', '.join(OPTIONAL)}")
    skin = int(arrays["skin_vertices"])
    (a, b), (c, d) = ((int(x), int(y)) for x, y in arrays["eyeballs"])
    left, right = (int(k) for k in arrays["ear_canals"])
    layout = Layout(skin, tuple(int(k) for k in arrays["landmarks"]), (left, right), ((a, b), (c, d)))
    named = (*layout.landmarks, left, right)
    balls_fit = min(a, c) >= 0 and max(b, d) <= n and min(b - a, d - c) >= LEAST_BALL
    if not 100 <= skin <= n or min(named) < 0 or max(named) >= skin or not balls_fit:
        raise _refused(f"its layout names vertices that are no skin, or outside 0 to {n - 1}")
    return layout
