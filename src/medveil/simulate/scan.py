"""A scan: a person's head laid into a scanner on one day.

    head field -> tissues -> signals -> pose, view -> surroundings -> acquire -> storage

Another visit of the same person has another pose, noise, bias and thickness of fat; another contrast of the
same visit shares the pose and the fat. Whoever attacks such a scan has to find the face in this volume;
the field it came from stays here.

Frames: head millimetres (see `person.py`) and scanner millimetres (RAS+); `Scan.pose` maps the first to the
second and is the truth for every test of registration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, gaussian_filter

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.simulate.acquire import acquire, draw_coil, wrapped
from medveil.simulate.anatomy import tissues_of
from medveil.simulate.field import Grid, Vector
from medveil.simulate.head import Head, build_head
from medveil.simulate.person import Person
from medveil.simulate.placing import View, draw_motion, draw_pose, moved_by, posed, stored_as, view_of
from medveil.simulate.scanner import Scanner
from medveil.simulate.signals import signals
from medveil.simulate.surroundings import with_metal, with_table
from medveil.simulate.tissues import CONTRASTS, Labels, Tissue, Tissues

__all__ = ["Scan", "Scanner", "head_for", "scan"]


@dataclass(frozen=True, eq=False, repr=False)
class Scan:
    """A simulated scan with its truth.

    Args:
        image: int16, slope 1; (I, J, K), or (I, J, K, T) for several volumes.
        pose: (4, 4) head mm to scanner mm; of the first volume.
        brain_mask: (I, J, K) bool, the image's grid; of the first volume.
        labels: (I, J, K) uint8, values of `Tissue`, the image's grid; of the first volume. What wraps
            around or is no part of the person (a couch) has no label.
        poses: (4, 4) each, one per volume.
    """

    image: Image
    pose: Vector
    brain_mask: npt.NDArray[np.bool_]
    labels: Labels
    poses: tuple[Vector, ...]

    def __repr__(self) -> str:
        return f"Scan({self.image!r})"


def head_for(person: Person, scanner: Scanner) -> Head:
    """The head that such a scanner sees: as fine as its voxels, with shoulders where they may come into view."""
    finest = min(scanner.spacings_mm) / scanner.size
    if scanner.beyond_the_neck:
        return build_head(person, float(np.clip(finest, 1.5, 2.0)), box="body")
    return build_head(person, float(np.clip(finest, 1.0, 2.0)))


def scan(
    person: Person,
    seeds: Seeds,
    *,
    visit: int = 0,
    scanner: Scanner | None = None,
    head: Head | None = None,
) -> Scan:
    """Scan a person.

    Args:
        person: who.
        seeds: root of the randomness.
        visit: number of the visit; another one is a rescan of the same person.
        scanner: settings; a 2 mm T1-weighted scan by default.
        head: the person's head, eyes shut, if it is at hand already; see `head_for`.
    """
    scanner = scanner or Scanner()
    day = seeds.stream("simulate/scan/visit", person.index, visit)
    pose = posed(draw_pose(day, scanner.tilt_deg, scanner.shift_mm), scanner)
    fat_mm = float(day.uniform(2.0, 5.0))
    rng = seeds.stream(f"simulate/scan/{scanner.contrast}", person.index, visit)
    motions = draw_motion(seeds.stream("simulate/scan/motion", person.index, visit), scanner)
    head = head or head_for(person, scanner)
    tissues = tissues_of(head, fat_mm=fat_mm)
    view = view_of(scanner, head, pose)
    poses = tuple(moved_by(motion, pose) for motion in motions)

    blur = np.maximum(np.array(scanner.spacings_mm) / (head.spacing_mm * scanner.size) - 1, 0) * 0.45
    clear = signals(head, tissues, scanner.contrast, rng)
    if blur.max() > 0.02:
        clear = tuple(gaussian_filter(c, blur) for c in clear)
    coil = draw_coil(scanner, rng)
    volumes = [acquire(_seen(clear, scanner, head, view, at), scanner, coil, rng) for at in poses]
    stored = volumes[0] if scanner.volumes == 1 else np.stack(volumes, axis=-1)

    to_grid = np.linalg.inv(head.affine) @ np.linalg.inv(pose) @ view.affine
    labels = affine_transform(
        tissues.labels, to_grid[:3, :3], to_grid[:3, 3], output_shape=view.shape, order=0
    )
    mask = _resampled_brain(tissues, to_grid, view.shape)
    data, affine = stored_as(stored, view.affine, scanner.storage)
    mask, _ = stored_as(mask, view.affine, scanner.storage)
    labels, _ = stored_as(labels, view.affine, scanner.storage)
    return Scan(Image(data, affine), pose, mask, labels, poses)


def _seen(
    clear: tuple[Grid, ...], scanner: Scanner, head: Head, view: View, pose: Vector
) -> tuple[Grid, ...]:
    """What lies in the field of view, before coil and noise: the head at a pose and what is around it."""
    to_head = np.linalg.inv(pose) @ view.affine
    to_grid = np.linalg.inv(head.affine) @ to_head
    outside = CONTRASTS[scanner.contrast][Tissue.AIR] if scanner.contrast == "CT" else 0.0
    beyond = (view.shape[0], view.shape[1] + view.wrapped, view.shape[2])
    seen = tuple(
        affine_transform(c, to_grid[:3, :3], to_grid[:3, 3], output_shape=beyond, order=1, cval=outside)
        for c in clear
    )
    if scanner.metal_mm:
        seen = with_metal(seen, scanner, head, to_head)
    if scanner.table:
        seen = tuple(with_table(s, head, pose, view.affine) for s in seen)
    return tuple(wrapped(s, view.wrapped) for s in seen)


def _resampled_brain(tissues: Tissues, to_grid: Vector, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The brain's share of each voxel of the scan, cut at one half."""
    start = np.array([s.start for s in tissues.brain.where])
    share = affine_transform(
        tissues.brain.inside, to_grid[:3, :3], to_grid[:3, 3] - start, output_shape=shape, order=1
    )
    out: npt.NDArray[np.bool_] = share > 0.5
    return out
