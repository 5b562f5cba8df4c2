"""What is known beside the images: masks, a place in MNI space, landmarks, from a folder of the user's.

    DIR/sub-01/anat/sub-01_T1w_brain.nii.gz       for the image sub-01/anat/sub-01_T1w.nii.gz
    DIR/sub-01_T1w_to-mni.txt                     the same image; a file may also lie flat in DIR

Whoever gives something relies on it. So nothing is passed over that looks meant for an image: a file that
cannot be read, or that fits two images, refuses the image it is for.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.core.release import Given, Mask
from medveil.io import nifti
from medveil.io.folder import sha256
from medveil.io.names import stem

ENDINGS = {
    "brain": (".nii.gz", ".nii"),
    "keep": (".nii.gz", ".nii"),
    "to-mni": (".txt",),
    "landmarks": (".json",),
}
LANDMARKS = ("nasion", "nose_tip", "chin", "left_ear", "right_ear", "left_eye", "right_eye")
SAME_PLACE_MM = 0.1  # between a corner of a mask and that of its image
BESIDE_MM = 60.0  # so far out of view a landmark may lie: noses are cut off
SIZES = (0.4, 2.5)  # of a head in templates, the edge of what any affine may say
_NAME = re.compile(rf"(.+)_({'|'.join(ENDINGS)})((?:\..*)?)", re.IGNORECASE)


@dataclass(frozen=True, repr=False)
class GivenFiles:
    """The files that are given for one image, unread; `problem` says why they cannot be used."""

    files: Mapping[str, Path] = field(default_factory=dict)
    problem: str = ""

    def read(self, image: Image) -> Given:
        """What they say.

        Raises:
            InputRefused: a file that is not what its name says, or speaks of another image.
        """
        if self.problem:
            raise InputRefused(self.problem, hint="docs/how-to/release-a-folder.md says how to name them")
        masks = {
            kind: _mask(kind, path, image) for kind, path in self.files.items() if kind in ("brain", "keep")
        }
        to_mni, landmarks = self.files.get("to-mni"), self.files.get("landmarks")
        return Given(
            brain=masks.get("brain"),
            keep=masks.get("keep"),
            affine_to_mni=None if to_mni is None else _affine(to_mni),
            landmarks={} if landmarks is None else _landmarks(landmarks, image),
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know: which kinds of files were used."""
        return ("given and used: " + ", ".join(sorted(self.files)),) if self.files else ()

    def digest(self) -> str:
        """Hash of all of it, empty if nothing is given."""
        try:
            said = [[kind, sha256(path)] for kind, path in sorted(self.files.items())]
        except OSError:
            said = [["unreadable", ""]]
        if not said and not self.problem:
            return ""
        return hashlib.sha256(json.dumps([said, self.problem]).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"GivenFiles({', '.join(sorted(self.files)) or 'nothing'})"


NO_FILES = GivenFiles()


def find_given(folder: Path, images: Sequence[PurePosixPath]) -> tuple[dict[PurePosixPath, GivenFiles], int]:
    """Which files of a folder are given for which image, and how many are for none.

    Args:
        folder: what the user gave; images: places of the images below the input.

    Raises:
        InputRefused: the folder is not there.
    """
    if not folder.is_dir():
        raise InputRefused("given: the folder is not there", hint="--given names a folder")
    by_stem: dict[str, list[PurePosixPath]] = {}
    for place in images:
        by_stem.setdefault(stem(PurePosixPath(place.name)), []).append(place)
    found: dict[PurePosixPath, GivenFiles] = {}
    strangers = 0
    for place in _places(folder):
        match = _NAME.fullmatch(place.name)
        if match is None:
            strangers += 1
            continue
        named, kind, ending = by_stem.get(match[1], []), match[2].lower(), match[3].lower()
        flat = len(place.parts) == 1
        meant = named if flat else [i for i in named if i.parent == place.parent]
        strangers += not meant
        problem = f"given {kind}: fits several images, since it lies flat" if len(meant) > 1 else ""
        for image in meant:
            found[image] = _with(found.get(image, NO_FILES), kind, ending, folder / place, problem)
    return found, strangers


def _places(folder: Path) -> Iterable[PurePosixPath]:
    """Places of all files but hidden ones, in sorted order."""
    for path in sorted(folder.rglob("*")):
        place = PurePosixPath(path.relative_to(folder).as_posix())
        if path.is_file() and not any(part.startswith(".") for part in place.parts):
            yield place


def _with(known: GivenFiles, kind: str, ending: str, path: Path, problem: str) -> GivenFiles:
    """What is known of one image, and one file more."""
    if ending not in ENDINGS[kind]:
        problem = problem or f"given {kind}: expected a file that ends in {ENDINGS[kind][0]}"
    elif kind in known.files:
        problem = problem or f"given {kind}: is there twice"
    return GivenFiles({**known.files, kind: path}, known.problem or problem)


def _mask(kind: str, path: Path, image: Image) -> Mask:
    """(I, J, K) True where a mask is not 0."""
    try:
        mask = nifti.read(path)
    except InputRefused as error:
        raise InputRefused(f"given {kind}: {error.message}", hint=error.hint) from None
    if mask.data.shape != image.data.shape[:3]:
        raise InputRefused(
            f"given {kind}: has shape {mask.data.shape}, expected {image.data.shape[:3]} as its image",
            hint="resample it to the grid of the image, nearest neighbour",
        )
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * (np.array(mask.data.shape) - 1)
    apart = corners @ (mask.affine - image.affine)[:3, :3].T + (mask.affine - image.affine)[:3, 3]
    if not np.linalg.norm(apart, axis=1).max() <= SAME_PLACE_MM:
        raise InputRefused(
            f"given {kind}: lies elsewhere in space than its image",
            hint="give a mask on the image's own grid",
        )
    out: Mask = mask.values() != 0
    if not out.any():
        raise InputRefused(f"given {kind}: is empty", hint="leave the file out if there is nothing to mark")
    return out


def _affine(path: Path) -> npt.NDArray[np.float64]:
    """(4, 4) image RAS+ mm to MNI mm."""
    expected = "given to-mni: expected four rows of four numbers, RAS mm to MNI mm"
    try:
        rows = [[float(word) for word in line.split()] for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        raise InputRefused(expected) from None
    rows = [row for row in rows if row]
    if [len(row) for row in rows] != [4, 4, 4, 4]:
        raise InputRefused(expected)
    out = np.array(rows, dtype=np.float64)
    if not np.isfinite(out).all() or not np.allclose(out[3], (0, 0, 0, 1)):
        raise InputRefused(expected, hint="the last row is 0 0 0 1")
    size = float(np.linalg.det(out[:3, :3]))
    if size <= 0:
        raise InputRefused("given to-mni: mirrors left and right", hint="both sides must be RAS+ millimetres")
    if not SIZES[0] <= np.cbrt(size) <= SIZES[1]:
        raise InputRefused(
            "given to-mni: makes no head of usual size", hint="it maps millimetres, not voxels"
        )
    return out


def _landmarks(path: Path, image: Image) -> dict[str, tuple[float, float, float]]:
    """Name to (3,) RAS+ mm."""
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise InputRefused("given landmarks: is not well-formed JSON") from None
    if not isinstance(data, dict) or not data:
        raise InputRefused('given landmarks: expected {"nasion": [x, y, z], ...} in RAS mm')
    out = {}
    to_voxel = np.linalg.inv(image.affine)
    room = BESIDE_MM / np.array(image.spacing_mm)
    for name, at in data.items():
        if name not in LANDMARKS:
            raise InputRefused("given landmarks: unknown name", hint="known are " + ", ".join(LANDMARKS))
        if not (isinstance(at, list) and len(at) == 3 and all(_is_number(x) for x in at)):
            raise InputRefused(f"given landmarks: {name}: expected three numbers, RAS mm")
        voxel = to_voxel[:3, :3] @ np.array(at, dtype=np.float64) + to_voxel[:3, 3]
        if (voxel < -room).any() or (voxel > np.array(image.data.shape[:3]) + room).any():
            raise InputRefused(
                f"given landmarks: {name}: lies far outside the image", hint="expected RAS mm, not voxels"
            )
        out[name] = (float(at[0]), float(at[1]), float(at[2]))
    return out


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)
