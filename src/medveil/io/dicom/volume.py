"""A series as one volume: slices sorted along their normal, volumes along time; and the way back to its files.

    files, frames (any order)                 Volume                        files
    position, orientation, spacing  --read--> data[i, j, k, t], affine  --restored--> stored numbers
    slope, intercept, time                    where[file][frame] = (k, t)             altered voxels only

An image is read only if its slices stand on one grid: one orientation, one size, even steps. A volume with a slice
missing would look whole, and a face in it would be sought in the wrong place. Steps may be oblique to the slices
(gantry tilt): the affine says so.

Source: DICOM PS3.3 C.7.6.2.1.1 (place of a pixel); NIfTI's RAS+ is DICOM's LPS+ with the first two axes turned.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io.dicom.frames import Frame, frames_of
from medveil.io.dicom.pixels import limits, put_pixels, stored

__all__ = ["Volume", "put_pixels", "read_series", "read_volume", "restored", "stored"]

FEWEST = 3  # slices; fewer have no inside
SAME_MM = 0.01  # places closer than that are one place
UNEVEN = 0.02  # of the distance between slices
TURNED = 1e-3  # of a direction cosine: a quarter of a millimetre at the edge of a field of view of 250 mm

_COPY = "copy all files of the series again, or leave it out"
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66."


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """A series as an image, and where each frame of each file is in it.

    Args:
        image: (I, J, K) or (I, J, K, T), I columns, J rows: `data[i, j, k]` is `frame[j, i]`. Stored numbers with
            their scaling where that is one for all frames, otherwise float32 real values.
        where: for each file, for each frame: k and t.
        scaling: for each file, for each frame: slope and intercept.
        limits: for each file: the lowest and the highest number that can be stored.
    """

    image: Image
    where: tuple[tuple[tuple[int, int], ...], ...]
    scaling: tuple[tuple[tuple[float, float], ...], ...]
    limits: tuple[tuple[float, float], ...]

    def __repr__(self) -> str:
        return f"Volume({self.image!r}, {len(self.where)} files)"


def read_series(paths: Sequence[Path]) -> Image:
    """The image in the files of one series, in whatever order they are given.

    Raises:
        InputRefused: a file cannot be read; or see `read_volume`.
    """
    from pydicom import config, dcmread

    datasets = []
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        for path in paths:
            try:
                datasets.append(dcmread(path, force=True))
            except FileNotFoundError:
                raise InputRefused("series: a file is not there") from None
            except PermissionError:
                raise InputRefused("series: permission to read a file is missing") from None
            except Exception:  # noqa: BLE001 - whatever a broken file does to the parser, it is not an image
                raise InputRefused("series: a file cannot be parsed as DICOM") from None
        return read_volume(datasets).image


def read_volume(datasets: Sequence[Any]) -> Volume:
    """The volume that the files of one series make.

    Args:
        datasets: pydicom datasets with their pixels, in any order.

    Raises:
        InputRefused: the images are not of one series, orientation, size or kind; slices are missing, uneven or
            there twice; pixels cannot be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _refuse_other_kinds(datasets)
        of = [frames_of(dataset) for dataset in datasets]
        frames = [(file, index, frame) for file, found in enumerate(of) for index, frame in enumerate(found)]
        order, affine = _stack(frames)
        where = {at[:2]: (k, t) for k, here in enumerate(order) for t, at in enumerate(here)}
        return _filled(datasets, of, where, affine, (len(order), len(order[0])))


def restored(volume: Volume, image: Image, files: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """The frames of each file with the voxels that were altered, and all others bit for bit as they were.

    Numbers that a file cannot hold become the nearest it can.

    Args:
        volume: as it was read.
        image: the same with some voxels altered.
        files: for each file, what `stored` gave.

    Raises:
        OutputFailed: the image is not on the grid of the volume.
    """
    before, after = volume.image, image
    if before.data.shape != after.data.shape or not np.array_equal(before.affine, after.affine):
        raise OutputFailed("image: is not on the grid of its series")
    if len(files) != len(volume.where):
        raise OutputFailed("image: has another number of files than its series")
    out = []
    for file, frames in enumerate(files):
        new = frames.copy()
        for index, (k, t) in enumerate(volume.where[file]):
            old, now = _plane(before, k, t), _plane(after, k, t)
            changed = old != now
            if old.dtype.kind == "f":
                changed &= ~(np.isnan(old) & np.isnan(now))
            if not changed.any():
                continue
            slope, intercept = volume.scaling[file][index]
            numbers = now[changed].astype(np.float64)
            if (after.slope, after.intercept) != (slope, intercept):
                numbers = (numbers * after.slope + after.intercept - intercept) / slope
            numbers = np.nan_to_num(numbers) if frames.dtype.kind != "f" else numbers
            whole = np.rint(numbers) if frames.dtype.kind != "f" else numbers
            new[index][changed] = np.clip(whole, *volume.limits[file]).astype(frames.dtype)
        out.append(new)
    return out


def _plane(image: Image, k: int, t: int) -> npt.NDArray[Any]:
    """(J, I), as a frame is."""
    return (image.data[:, :, k] if image.data.ndim == 3 else image.data[:, :, k, t]).T


def _refuse_other_kinds(datasets: Sequence[Any]) -> None:
    try:
        several = len({str(d.get("SeriesInstanceUID")) for d in datasets}) != 1
        spaces = len({str(d.get("FrameOfReferenceUID")) for d in datasets}) != 1
        instances = [str(d.get("SOPInstanceUID")) for d in datasets if d.get("SOPInstanceUID")]
        mosaic = any("MOSAIC" in (d.get("ImageType") or ()) for d in datasets)
        grid = any((0x0065, 0x1051) in d for d in datasets)
        drawn = any(str(d.get("SOPClassUID") or "").startswith(_SEGMENTATION) for d in datasets)
        shapes = {(int(d.get("Rows") or 0), int(d.get("Columns") or 0)) for d in datasets}
        samples = {
            (int(d.get("SamplesPerPixel") or 1), str(d.get("PhotometricInterpretation"))) for d in datasets
        }
    except Exception:  # noqa: BLE001 - pydicom's errors show values
        raise InputRefused("series: the header of a file cannot be read") from None
    if several:
        raise InputRefused("series: expected the files of one series")
    if mosaic or grid:
        what = "a Siemens mosaic" if mosaic else "a grid of slices in one picture"
        raise InputRefused(
            f"series: is {what}, expected a picture for each slice",
            hint="convert it: medveil convert DIR --to BIDS",
        )
    if drawn:
        raise InputRefused("series: holds drawn regions, expected an image")
    if any(n != 1 for n, _ in samples) or any(kind == "PALETTE COLOR" for _, kind in samples):
        raise InputRefused("series: is in colour, expected grey values")
    if any(kind == "MONOCHROME1" for _, kind in samples):
        raise InputRefused("series: shows high values as dark, expected MONOCHROME2")
    if len(set(instances)) != len(instances):
        raise InputRefused("series: holds the same image twice")
    if any(0 in shape for shape in shapes):
        raise InputRefused("series: a file does not say how many rows and columns it has")
    if len(shapes) != 1:
        raise InputRefused("series: holds images of several sizes, expected one volume")
    if spaces:
        raise InputRefused("series: holds images in several frames of reference, expected one volume")


Placed = tuple[int, int, Frame]


def _stack(frames: list[Placed]) -> tuple[list[list[Placed]], npt.NDArray[np.float64]]:
    """Frames by slice, then by time; and the affine to RAS+."""
    first = frames[0][2]
    for name in ("row", "column"):
        turned = [np.abs(getattr(f, name) - getattr(first, name)).max() > TURNED for _, _, f in frames]
        if any(turned):
            raise InputRefused("series: holds images of several orientations, expected one volume")
    lengths = np.linalg.norm([first.row, first.column], axis=1)
    if np.abs(lengths - 1).max() > 1e-2 or abs(first.row @ first.column) > 1e-2:
        raise InputRefused("ImageOrientationPatient: expected two perpendicular unit vectors")
    if any(np.abs(f.spacing - first.spacing).max() > 1e-4 for _, _, f in frames):
        raise InputRefused("series: holds images of several pixel sizes, expected one volume")
    if first.spacing.min() <= 0:
        raise InputRefused("PixelSpacing: expected two positive numbers")
    normal = np.cross(first.row, first.column)
    slices: list[list[Placed]] = []
    for placed in sorted(frames, key=lambda f: float(f[2].position @ normal)):
        if slices and np.linalg.norm(placed[2].position - slices[-1][0][2].position) < SAME_MM:
            slices[-1].append(placed)
        else:
            slices.append([placed])
    if len(slices) < FEWEST:
        raise InputRefused(f"series: holds fewer than {FEWEST} slices, expected a volume")
    for here in slices:
        here.sort(key=lambda f: f[2].order)
        if len({f[2].order for f in here}) < len(here):
            raise InputRefused("series: holds the same slice twice")
    if len({len(here) for here in slices}) != 1:
        raise InputRefused(
            "series: slices are missing, not every place has the same number of images", hint=_COPY
        )
    places = np.array([here[0][2].position for here in slices])
    step = (places[-1] - places[0]) / (len(places) - 1)
    gaps = np.diff(places @ normal)
    allowed = max(UNEVEN * float(np.median(gaps)), SAME_MM)
    off = np.linalg.norm(places - places[0] - np.arange(len(places))[:, None] * step, axis=1)
    if gaps.min() < SAME_MM or np.abs(gaps - np.median(gaps)).max() > allowed or off.max() > allowed:
        raise InputRefused("series: slices are missing or unevenly spaced", hint=_COPY)
    affine = np.eye(4)
    affine[:3, 0] = first.row * first.spacing[1]
    affine[:3, 1] = first.column * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = places[0]
    affine[:2] *= -1
    return slices, affine + 0.0  # no negative zeros


def _filled(
    datasets: Sequence[Any],
    of: list[list[Frame]],
    where: dict[tuple[int, int], tuple[int, int]],
    affine: npt.NDArray[np.float64],
    counts: tuple[int, int],
) -> Volume:
    """Decodes one file after another into the volume; turns to real values where scaling or type varies."""
    scaling = tuple(tuple((f.slope, f.intercept) for f in found) for found in of)
    one = len({s for found in scaling for s in found}) == 1
    k_count, t_count = counts
    shape = (t_count, k_count, int(datasets[0].Rows), int(datasets[0].Columns))
    data: npt.NDArray[Any] | None = None
    bounds = []
    for file, dataset in enumerate(datasets):
        frames = stored(dataset)
        if frames.shape != (len(of[file]), *shape[2:]):
            raise InputRefused("series: a file holds another number of pixels than it says")
        bounds.append(limits(dataset, frames))
        if data is None:
            data = np.empty(shape, dtype=frames.dtype if one else np.float32)
        elif one and frames.dtype != data.dtype:  # real values from here on
            one = False
            data = (data * np.float64(of[0][0].slope) + of[0][0].intercept).astype(np.float32)
        for index, frame in enumerate(frames):
            k, t = where[file, index]
            slope, intercept = scaling[file][index]
            data[t, k] = frame if one else frame * np.float64(slope) + intercept
    if data is None or (data.dtype.kind == "f" and not np.isfinite(data).any()):
        raise InputRefused("image: holds no finite number")
    slope, intercept = scaling[0][0] if one else (1.0, 0.0)
    # (T, K, J, I) in memory is (I, J, K, T) with the first axis fastest.
    whole = data[0].T if t_count == 1 else data.T
    return Volume(
        image=Image(whole, affine, slope=slope, intercept=intercept),
        where=tuple(tuple(where[file, i] for i in range(len(found))) for file, found in enumerate(of)),
        scaling=scaling,
        limits=tuple(bounds),
    )
