"""Folder: read a head model as its makers publish it, and write the one file that `--face-basis` takes.

    FaceXModel/  generic_neutral_mesh.obj   the mean head
                 identity000.obj            the mean moved by one unit of mode 0, the same vertices in order
                 identity001.obj ...
                                            ──import_folder──> model.npz, see `model.py`

Only lines that begin with v (a point) and f (a polygon) are read; polygons are cut into fans of triangles.

Source: ICT-FaceKit, folder FaceXModel (https://github.com/ICT-VGL/ICT-FaceKit, MIT licence).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, OutputFailed
from medveil.simulate.basis.model import MOST_MODES, MOST_TRIANGLES, MOST_VERTICES, FaceBasis, read_basis

Array = npt.NDArray[Any]

NEUTRAL = "generic_neutral_mesh.obj"
MOST_BYTES = 50_000_000
"""Largest OBJ file that is read; one of ICT-FaceKit has 3 million."""


def import_folder(folder: str | Path, to: str | Path, *, modes: int = 60) -> FaceBasis:
    """Write the model in a folder as one npz file, and read it back.

    Args:
        folder: with `generic_neutral_mesh.obj`, `identity000.obj`, `identity001.obj` and so on.
        to: the file to write; it must not exist yet.
        modes: how many of the modes, from the first one on; those of ICT-FaceKit come in falling order.

    Raises:
        InputRefused: a file is missing or no OBJ file, its vertices are others than those of the neutral one,
            or the result is no face basis.
        OutputFailed: the file exists already, or cannot be written.
    """
    folder, to = Path(folder), Path(to)
    if to.exists():
        raise OutputFailed("face basis: the file to write exists already")
    if not 1 <= modes <= MOST_MODES:
        raise InputRefused(f"face basis: asked for {modes} modes, expected 1 to {MOST_MODES}")
    vertices, triangles = read_obj(folder / NEUTRAL)
    shapes = np.empty((modes, *vertices.shape), np.float16)
    for k in range(modes):
        name = f"identity{k:03d}.obj"
        moved, _ = read_obj(folder / name, polygons=False)
        if moved.shape != vertices.shape:
            raise InputRefused(
                f"face basis: {name} has {len(moved)} vertices, expected the {len(vertices)} of {NEUTRAL}"
            )
        shapes[k] = moved - vertices
    aside = to.with_name(f".{to.name}.part")
    try:
        with aside.open("wb") as file:
            np.savez_compressed(
                file, vertices=vertices.astype(np.float32), triangles=triangles, identity_modes=shapes
            )
        read_basis(aside)
        aside.rename(to)
    except OSError as error:
        raise OutputFailed("face basis: the file cannot be written") from error
    finally:
        aside.unlink(missing_ok=True)
    return read_basis(to)


def read_obj(path: Path, *, polygons: bool = True) -> tuple[Array, Array]:
    """Points and triangles of a Wavefront OBJ file.

    Args:
        path: the file.
        polygons: whether to read the polygons as well.

    Returns:
        (V, 3) float64 as written, (T, 3) int32 counted from 0; no triangles without `polygons`.

    Raises:
        InputRefused: no such file, too large, or not points and polygons.
    """
    name = path.name
    if not path.is_file():
        raise InputRefused(
            f"face basis: the folder has no {name}", hint="the folder FaceXModel of ICT-FaceKit"
        )
    if path.stat().st_size > MOST_BYTES:
        raise InputRefused(f"face basis: {name} is larger than {MOST_BYTES} bytes")
    points: list[list[float]] = []
    triangles: list[tuple[int, int, int]] = []
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("v "):
                    x, y, z = line.split()[1:4]
                    points.append([float(x), float(y), float(z)])
                elif polygons and line.startswith("f "):
                    corners = [int(word.split("/", 1)[0]) - 1 for word in line.split()[1:]]
                    triangles += [(corners[0], b, c) for b, c in pairwise(corners[1:])]
    except (ValueError, OSError) as error:
        raise InputRefused(f"face basis: {name} is no OBJ file that can be read") from error
    if not points or len(points) > MOST_VERTICES or len(triangles) > MOST_TRIANGLES:
        raise InputRefused(f"face basis: {name} has {len(points)} points, expected 1 to {MOST_VERTICES}")
    if polygons and not triangles:
        raise InputRefused(f"face basis: {name} has no polygons")
    if any(min(t) < 0 or max(t) >= len(points) for t in triangles):
        raise InputRefused(f"face basis: {name} has polygons of points that it does not have")
    return np.array(points, np.float64), np.array(triangles, np.int32).reshape(-1, 3)
