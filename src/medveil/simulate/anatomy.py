"""What lies where under the skin: the label of every voxel of a head.

The skull follows two surfaces: the brain from inside and the skin from outside. Over the vault its inner
table runs between the two, nearer to the skin's, but never more than a few millimetres off the brain: a
small brain in a large head has a little more fluid around it, as after years of atrophy, then thicker bone,
then a thicker scalp. Under the base the skull hugs the brain. Everything in
front and below (sinuses, airway, tongue, teeth, jaws, spine) is placed by the levels of the face and only
fills what is still soft.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from medveil.simulate.brain import MNI_STEM, brain_affine, brain_in
from medveil.simulate.features.geometry import SIDES
from medveil.simulate.field import (
    Field,
    Grid,
    Shape,
    Vector,
    ellipsoid,
    logistic,
    moved,
    round_cone,
    smooth_min,
)
from medveil.simulate.head import Head
from medveil.simulate.tissues import SKIN_MM, Labels, Tissue, Tissues

BONE_UNDER_MM = 3.2
"""Bone is never closer to the surface than this."""
SCALP_MM = 5.0
"""Depth of the skull's outer table under the skin of the vault, where there is room for no more."""
FLUID_MM, VAULT_MM = 6.5, 10.0
"""Most fluid between brain and inner table, and most bone between the tables of the vault."""

LOWEST_MM = -262.0
"""Spine and windpipe go on down to here, for views that reach down to the shoulders."""


def _distance_to_brain(head: Head, inside: npt.NDArray[np.bool_]) -> Grid:
    """Distance in mm to the brain, 0 inside it; computed on every other voxel of a fine grid."""
    step = 2 if head.spacing_mm < 1.5 else 1
    coarse = distance_transform_edt(~inside[::step, ::step, ::step]) * (step * head.spacing_mm)
    out: Grid = gaussian_filter(coarse.astype(np.float32), 0.7)
    for axis in range(3) if step == 2 else ():
        n = inside.shape[axis]
        low = np.arange(n) // 2
        high = np.minimum(low + np.arange(n) % 2, out.shape[axis] - 1)
        out = 0.5 * (np.take(out, low, axis) + np.take(out, high, axis))
    return out


class _Painter:
    """Puts labels where a shape is, the tissue is still soft, and the skin is far enough."""

    def __init__(self, head: Head, labels: Labels) -> None:
        self.labels, self.grid = labels, Field.around(head.phi, head.axes)

    def put(
        self,
        shape: Shape,
        tissue: Tissue,
        *,
        depth_mm: float = BONE_UNDER_MM,
        over: tuple[Tissue, ...] = (Tissue.MUSCLE,),
        wall: Tissue | None = None,
        wall_mm: float = 2.0,
    ) -> None:
        where = self.grid.box(shape.lo - wall_mm - 1, shape.hi + wall_mm + 1)
        distance = np.asarray(shape.distance(*self.grid.coordinates(where)))
        labels = self.labels[where]
        free = (self.grid.phi[where] < -depth_mm) & np.isin(labels, over)
        if wall is not None:
            labels[free & (distance < wall_mm)] = wall
        labels[free & (distance < 0)] = tissue


def tissues_of(head: Head, *, fat_mm: float = 3.0) -> Tissues:
    """Label a head.

    Args:
        head: from `build_head`, with the eyes shut.
        fat_mm: thickness of the fat under the skin; it differs from one visit to the next.
    """
    phi, brain = head.phi, brain_in(head)
    labels = np.zeros(phi.shape, np.uint8)
    labels[phi < 0] = Tissue.SKIN
    labels[phi < -SKIN_MM] = Tissue.FAT
    labels[phi < -SKIN_MM - fat_mm] = Tissue.MUSCLE
    inside = np.zeros(phi.shape, bool)
    inside[brain.where] = brain.inside > 0.5
    _skull(head, labels, _distance_to_brain(head, inside))
    painter = _Painter(head, labels)
    _marble(head, labels)
    _eyes(head, painter)
    _spine(head, painter)
    _jaws(head, painter)
    _airways(head, painter)
    view = labels[brain.where]
    matter = np.stack([brain.inside - brain.grey - brain.white, brain.grey, brain.white])
    kinds = np.array([Tissue.CSF, Tissue.GREY, Tissue.WHITE], np.uint8)
    here = inside[brain.where]
    view[here] = kinds[matter.argmax(axis=0)[here]]
    return Tissues(labels, brain, phi, head.spacing_mm, fat_mm)


def _skull(head: Head, labels: Labels, to_brain: Grid) -> None:
    """Bone and fluid around the brain: see the module's docstring. The same on every visit."""
    x, y, z = (a.reshape([-1 if i == k else 1 for k in range(3)]) for i, a in enumerate(head.axes))
    phi = head.phi
    # The base of the skull rises from the nape to the root of the nose; 1 above it, 0 below.
    vault = logistic((z - (-10.0 + 0.2 * y) - 5.0) / 6.0)
    temple = np.exp(-(((np.abs(x) - 66) / 16) ** 2) - ((y - 38) / 26) ** 2 - ((z - 12) / 20) ** 2)
    scalp = np.float32(SCALP_MM) + 7.0 * temple  # the temples hold a chewing muscle
    inner = to_brain - 2.5
    inner += 0.7 * vault * (np.minimum(phi + scalp + 6.0, inner) - inner)
    inner = np.maximum(inner, to_brain - FLUID_MM)
    vault_outer = np.clip(phi + scalp, to_brain - FLUID_MM - VAULT_MM, to_brain - 5.5)
    outer = (1 - vault) * np.minimum(to_brain - 8.0, 40.0) + vault * vault_outer
    deep = phi < -BONE_UNDER_MM
    thick = np.minimum(inner, -outer)
    labels[deep & (outer < 0)] = Tissue.BONE
    labels[deep & (thick > 2.5) & (vault > 0.5)] = Tissue.MARROW  # the diploe between the tables
    labels[deep & (inner < 0)] = Tissue.CSF


def _marble(head: Head, labels: Labels) -> None:
    """Streaks of fat between the muscles of neck and cheeks, the same for a person on every visit."""
    pitch, nodes = (8.0, 7.0, 26.0), (46, 52, 10)  # the same lattice whatever the grid
    top = int(np.searchsorted(head.axes[2], 0.0))
    axes = (head.axes[0], head.axes[1], head.axes[2][:top])
    # The seed is the person's own shape, so that no stream of randomness has to be carried here.
    rng = np.random.Generator(np.random.PCG64(np.abs(head.person.z * 1e6).astype(np.uint64)))
    at = [(a + 200.0) / h for a, h in zip(axes, pitch, strict=True)]
    noise = rng.standard_normal(nodes).astype(np.float32)
    for axis, t in enumerate(at):
        i = np.floor(t).astype(int)
        w = (t - i).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
        low_node, high_node = (np.take(noise, i + k, axis, mode="wrap") for k in (0, 1))  # shoulders are wide
        noise = low_node * (1 - w) + high_node * w
    low = labels[:, :, :top]
    low[(low == Tissue.MUSCLE) & (noise > 0.75)] = Tissue.FAT


def _eyes(head: Head, paint: _Painter) -> None:
    """Bony orbit with its fat, the nerve, the eyeball and its lens."""
    soft = (Tissue.MUSCLE, Tissue.FAT, Tissue.BONE, Tissue.MARROW)
    for side, c in zip(SIDES, head.eye_centres, strict=True):
        orbit = round_cone(moved(c, y=-2), moved(c, -side * 14, -34, 1), 16.5, 5)
        paint.put(orbit, Tissue.FAT, over=soft, depth_mm=5.0, wall=Tissue.BONE, wall_mm=1.8)
        nerve = round_cone(moved(c, -side * 2, -10), moved(c, -side * 14, -36, 1), 2.2, 2.2)
        paint.put(nerve, Tissue.WHITE, over=(Tissue.FAT,))
        ball = ellipsoid(c, (11.6, 11.6, 11.6))
        anything = (*soft, Tissue.SKIN, Tissue.WHITE)
        paint.put(ball, Tissue.EYE, over=anything, depth_mm=0.8)
        paint.put(ellipsoid(moved(c, y=7.0), (4.6, 2.1, 4.6)), Tissue.LENS, over=(Tissue.EYE,), depth_mm=0.8)


def _down(a: Vector, b: Vector, radius_a: float, radius_b: float) -> Shape:
    """A round cone from a through b and on to the lowest level of any grid, its radius changing evenly."""
    on = (LOWEST_MM - a[2]) / (b[2] - a[2])
    return round_cone(a, a + on * (b - a), radius_a, radius_a + on * (radius_b - radius_a))


def _spine(head: Head, paint: _Painter) -> None:
    """The cord from the brain's stem down, its canal, and vertebrae with discs in front of it."""
    affine = brain_affine(head.person)
    stem = affine[:3, :3] @ MNI_STEM + affine[:3, 3]
    neck_y = head.person.shape["neck_y"]
    low = np.array([0.0, neck_y - 24.0, -175.0])
    soft = (Tissue.MUSCLE, Tissue.FAT)
    body = _down(moved(stem, 0, 15, -16), moved(low, y=15), 10.5, 11.5)

    def discs(x: Grid, y: Grid, z: Grid) -> Grid:
        out: Grid = body.distance(x, y, z) + 40.0 * (np.sin((z + 3.0) * np.float32(np.pi / 16.0)) < -0.86)
        return out

    arch = _down(moved(stem, 0, -4, -8), moved(low, y=-4), 13, 13)
    paint.put(arch, Tissue.BONE, over=soft, depth_mm=12)
    paint.put(body, Tissue.CARTILAGE, over=(*soft, Tissue.BONE), depth_mm=12)
    rim = Shape(body.lo, body.hi, discs)
    paint.put(rim, Tissue.BONE, over=(Tissue.CARTILAGE,), depth_mm=12)
    core = Shape(body.lo, body.hi, lambda x, y, z: discs(x, y, z) + 2.0)
    paint.put(core, Tissue.MARROW, over=(Tissue.BONE,), depth_mm=12)
    hard = (*soft, Tissue.BONE, Tissue.CARTILAGE, Tissue.MARROW)
    paint.put(_down(moved(stem, z=6), low, 8.5, 8), Tissue.CSF, over=hard, depth_mm=10)
    paint.put(_down(moved(stem, z=8), low, 6.0, 5.0), Tissue.WHITE, over=(Tissue.CSF, *hard), depth_mm=10)


def _jaws(head: Head, paint: _Painter) -> None:
    """Lower jaw with its ramus, upper jaw, cheekbone, teeth, palate and tongue."""
    p, at = head.person.shape, head.levels
    bite, floor = at["sto_z"] + 1.0, at["ment_z"]
    front = float(head.profile(bite)) - 15.0
    wide, deep = 0.45 * p["jaw_w"] + 3.0, 42.0

    def arch(half_mm: float, lo_z: float, hi_z: float) -> Shape:
        """A horseshoe open to the back, `half_mm` to each side of the row of teeth."""

        def distance(x: Grid, y: Grid, z: Grid) -> Grid:
            r = np.sqrt((x / wide) ** 2 + (np.maximum(y - (front - deep), 0) / deep) ** 2)
            ring = np.maximum(np.abs(r - 1) * np.float32(wide) - half_mm, front - deep - 4 - y)
            out: Grid = np.maximum(ring, np.maximum(lo_z - z, z - hi_z))
            return out

        lo, hi = np.array([-wide - 8, front - deep - 5, lo_z]), np.array([wide + 8, front + 8, hi_z])
        return Shape(lo, hi, distance)

    tongue = ellipsoid((0, front - 34, bite - 5), (wide - 7, 33, 17))
    paint.put(tongue, Tissue.TONGUE, over=(Tissue.MUSCLE, Tissue.FAT), depth_mm=12)
    soft = (Tissue.MUSCLE, Tissue.FAT, Tissue.TONGUE)
    paint.put(arch(3.6, bite, bite + 9), Tissue.TOOTH, over=soft, depth_mm=6)
    paint.put(arch(3.4, bite - 9, bite - 0.5), Tissue.TOOTH, over=soft, depth_mm=6)
    paint.put(arch(5.0, bite + 9, bite + 20), Tissue.BONE, over=soft, depth_mm=6)
    paint.put(arch(5.0, floor + 9, bite - 9), Tissue.BONE, over=soft, depth_mm=6)
    paint.put(arch(2.6, floor + 12, bite - 12), Tissue.MARROW, over=(Tissue.BONE,), depth_mm=6)
    palate = ellipsoid((0, front - 22, bite + 15), (wide - 4, 24, 3.0))
    paint.put(palate, Tissue.BONE, over=soft, depth_mm=8)
    for side in SIDES:
        corner = np.array([side * (p["jaw_w"] - 11), 10.0, p["gon_z"] + 14])
        body = np.array([side * (wide + 1), front - deep, bite - 19])
        joint = np.array([side * (p["mid_w"] - 15), 6.0, -20.0])
        paint.put(round_cone(body, corner, 6.0, 5.5), Tissue.BONE, over=soft, depth_mm=6)
        paint.put(round_cone(corner, joint, 5.5, 5.0), Tissue.BONE, over=soft, depth_mm=6)
        bone = np.array([side * (p["zyg_x"] - 1), 56.0 + p["zyg_p"], p["zyg_z"] + 2])
        rear = np.array([side * (p["mid_w"] - 11), 10.0, p["zyg_z"] + 8])
        paint.put(round_cone(bone, rear, 6.0, 3.0), Tissue.BONE, over=soft, depth_mm=6)
        paint.put(
            round_cone(bone, moved(bone, side * -3, 6, 26), 5.5, 4.0), Tissue.BONE, over=soft, depth_mm=5
        )


def _airways(head: Head, paint: _Painter) -> None:
    """Nasal cavity with septum and turbinates, sinuses, throat and windpipe."""
    p, at = head.person.shape, head.levels
    bite = at["sto_z"] + 1.0
    face = float(head.profile(at["tip_z"]))
    soft = (Tissue.MUSCLE, Tissue.FAT, Tissue.TONGUE, Tissue.CARTILAGE)
    floor_z = bite + 19.0
    top_z = -9.0
    mid_z, half_z = (floor_z + top_z) / 2, (top_z - floor_z) / 2
    cavity = ellipsoid((0, face - 32, mid_z), (12, 32, max(half_z, 8.0)))
    paint.put(cavity, Tissue.AIR, over=soft, depth_mm=5, wall=Tissue.BONE, wall_mm=1.6)
    septum = ellipsoid((0, face - 26, mid_z), (1.2, 40, 30))
    paint.put(septum, Tissue.CARTILAGE, over=(Tissue.AIR,), depth_mm=5)
    for side in SIDES:
        for rise in (-0.45, 0.25):
            shelf = ellipsoid((side * 8.0, face - 32, mid_z + rise * half_z), (3.4, 22, 4.2))
            paint.put(shelf, Tissue.MUSCLE, over=(Tissue.AIR,), depth_mm=5)
        sinus = ellipsoid((side * 27, face - 36, -33), (10.5, 14, 13))
        paint.put(sinus, Tissue.AIR, over=soft, depth_mm=8, wall=Tissue.BONE, wall_mm=1.6)
        cells = ellipsoid((side * 6.5, face - 30, -5), (4.5, 16, 7))
        bony = (*soft, Tissue.BONE, Tissue.MARROW)
        paint.put(cells, Tissue.AIR, over=bony, depth_mm=8, wall=Tissue.BONE, wall_mm=1.2)
        brow = float(head.profile(p["brow_z"] + 8)) - 12.5
        frontal = ellipsoid((side * 10, brow, p["brow_z"] + 9), (8.5, 3.8, 9))
        paint.put(frontal, Tissue.AIR, over=(Tissue.BONE, Tissue.MARROW), depth_mm=6.5)
    throat_y = face - 68.0
    upper = round_cone((0, throat_y + 4, -30), (0, throat_y, bite - 8), 9, 6.5)
    pipe_y = min(p["neck_y"] + p["neck_r"] - 22, throat_y)
    pipe = np.array([0.0, pipe_y, at["ment_z"] - 60])
    lower = _down(np.array([0.0, throat_y, bite - 8]), pipe, 6.5, 8.5)
    both = Shape(
        np.minimum(upper.lo, lower.lo),
        np.maximum(upper.hi, lower.hi),
        lambda x, y, z: smooth_min(upper.distance(x, y, z), lower.distance(x, y, z), 3.0),
    )
    paint.put(both, Tissue.AIR, over=soft, depth_mm=10)
