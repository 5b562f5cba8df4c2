"""Confidence: does the fitted brain lie on a brain? Signals by name, the rule, and refusals with a reason.

No single number tells a right fit from a wrong one: mutual information itself overlaps. What tells them
apart is how much is LOST when the pose is displaced (12 displaced poses: 25 degrees about each axis and
30 mm along each, both ways), the size of the brain that the fit implies, and whether skull and scalp are
where the vault of a head has them.

| signal        | what it is                                                                       |
|---------------|----------------------------------------------------------------------------------|
| inner_ratio   | information inside the brain over its median at the displaced poses (MR, PET)    |
| peak_ratio    | information in the brain and 8 mm around over the best of the displaced poses     |
| scale_max/min | singular values of the affine: the size of this brain in template brains         |
| in_head       | share of the brain's points (of those seen) that lie inside the head             |
| in_view       | share of the brain's points that lie inside the field of view                    |
| skin_mm       | median distance from the vault of the brain to the air: skull and scalp          |
| agree_mm      | distance from the best fit to one that set out elsewhere (weak: two starts may   |
|               | agree on a wrong pose, so it only spares further starts)                         |
| fluid         | brightness just outside the fitted brain over that inside it (MR): not judged    |
| revised_mm    | how far the brain alone moves a fit to its cavity (CT)                           |
| beyond_l      | litres of tissue where no head reaches that has its brain here: a second head    |
| overlap       | of the fitted and a given brain, after Dice                                      |
| landmark_mm   | median distance of given landmarks from those of the template                    |
| cavity_l, closed | CT: volume of the skull's cavity; share of directions that end on bone        |
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medveil.core.errors import Refusal
from medveil.core.release import Mask
from medveil.locate.grid import Grid, Matrix, Vector, faint, inverse, solid
from medveil.locate.register import CENTRE, Picture
from medveil.locate.template import template

Rule = Mapping[str, tuple[float, float]]

# (smallest, largest) value of each signal that is believed.
SHAPE: Rule = {
    "scale_max": (0.0, 1.2),
    "scale_min": (0.62, 9.0),
    "scale_ratio": (1.0, 1.35),
    "in_head": (0.93, 1.0),
    "in_view": (0.85, 1.0),
    "skin_mm": (9.0, 99.0),
    "beyond_l": (0.0, 0.8),
}
SOFT: Rule = {"inner_ratio": (2.0, np.inf), "peak_ratio": (1.55, np.inf), **SHAPE}
SKULL: Rule = {
    "information": (0.5, np.inf),
    "peak_ratio": (1.1, np.inf),
    "cavity_l": (0.5, 2.0),
    "closed": (0.8, 1.0),
    "revised_mm": (0.0, 9.0),  # from the skull's cavity to the brain in it
    **SHAPE,
}


# A small brain is a child's or a fit that shrank: it has to be clear.
SMALL, SMALL_RULE = 0.7, {"inner_ratio": (3.0, np.inf), "peak_ratio": (1.8, np.inf)}
# A brain that lies this deep under its scalp is in a thick-skulled head, or was fitted too small: it has to be clear.
DEEP_MM, DEEP_RULE = 25.0, {"peak_ratio": (2.0, np.inf)}
# So good that no other start is asked: two that set out from different sides came to the same place, or nearly all
# that can be seen of a brain is seen.
_GOOD: Rule = {**SHAPE, "scale_max": (0.0, 1.1), "scale_min": (0.72, 9.0)}
SURE: tuple[Rule, Rule] = (
    {**_GOOD, "inner_ratio": (3.5, np.inf), "peak_ratio": (1.8, np.inf), "agree_mm": (0.0, 5.0)},
    {**_GOOD, "inner_ratio": (5.0, np.inf), "peak_ratio": (2.0, np.inf)},
)
MASKED: Rule = {
    "peak_ratio": (1.3, np.inf),
    "overlap": (0.85, 1.0),
    **{n: r for n, r in SHAPE.items() if n != "skin_mm"},
}


def signals(
    affine: Matrix, picture: tuple[Picture, Picture], grid: Grid, head: Mask, tissue: Vector
) -> dict[str, float]:
    """All signals that every way shares.

    Args:
        affine: MNI mm to patient mm.
        picture: (template, patient) of the last stage.
        grid, head: the patient before normalisation, for what lies in view and where the air begins.
        tissue: (N, 3) RAS mm from `grid.bodies`.
    """
    fixed, moving = picture
    where = fixed.where if fixed.where is not None else np.ones(fixed.values.shape, dtype=bool)
    inner = template(fixed.mm).distance_mm <= -5.0
    here, peak = peak_ratio(affine, picture)
    core = Information(fixed, where & inner, moving)
    inside, outside = core.at(affine), [core.at(affine @ d) for d in displaced()]
    scales = np.linalg.svd(affine[:3, :3], compute_uv=False)
    return {
        "information": here,
        "peak_ratio": peak,
        "inner_ratio": inside / max(float(np.median(outside)), 1e-3),
        "scale_max": float(scales[0]),
        "scale_min": float(scales[-1]),
        "scale_ratio": float(scales[0] / scales[-1]),
        "beyond_l": beyond_l(affine, tissue, 2 * grid.mm),
        **anatomy(affine, grid, head),
    }


def peak_ratio(affine: Matrix, picture: tuple[Picture, Picture]) -> tuple[float, float]:
    """Information in nats at a pose, and its ratio to the best of the displaced poses."""
    fixed, moving = picture
    where = fixed.where if fixed.where is not None else np.ones(fixed.values.shape, dtype=bool)
    whole = Information(fixed, where, moving)
    here = whole.at(affine)
    return here, here / max(*(whole.at(affine @ d) for d in displaced()), 1e-3)


def anatomy(affine: Matrix, grid: Grid, head: Mask, *, faintly: bool = False) -> dict[str, float]:
    """Whether the mapped brain is in view, inside the head, and as deep under the skin as brains are.

    `faintly`: also accept a suppressed scalp, darker than the threshold of a head.
    """
    t = template(4.0)
    seen = _share(grid.seen, grid, affine, t.points(t.brain))
    inside = _share(head & grid.seen, grid, affine, t.points(t.brain))
    skin = _skin_mm(affine, grid, head)
    if faintly and skin < SHAPE["skin_mm"][0]:
        skin = _skin_mm(affine, grid, head | solid(faint(grid.values) & grid.seen, grid.mm))
    return {"in_view": seen, "in_head": inside / max(seen, 1e-6), "skin_mm": skin}


def _skin_mm(affine: Matrix, grid: Grid, head: Mask) -> float:
    """Median distance of the vault of the mapped brain to the air."""
    from scipy import ndimage as ndi

    # Beyond the field of view nobody knows whether there is air: only air that was seen counts.
    depth = ndi.distance_transform_edt(np.pad(head | ~grid.seen, 1))[1:-1, 1:-1, 1:-1] * grid.mm
    t = template(4.0)
    vault = t.brain & (t.distance_mm >= -4.0) & (t.axes[2] > 0)
    at = grid.indices(moved(affine, t.points(vault)))
    return float(np.median(ndi.map_coordinates(depth, at.T, order=1, cval=0.0)))


def beyond_l(affine: Matrix, tissue: Vector, mm: float) -> float:
    """Litres of thick tissue at the height of the brain, but beside, before, behind or above where a head ends.

    Another head in the same image shows a face that nobody would look for.
    """
    x, y, z = moved(inverse(affine), tissue).T if len(tissue) else np.zeros((3, 0))
    far = (np.abs(x) > 115) | (y > 135) | (y < -165) | (z > 125)
    return float((far & (z > -60)).sum() * mm**3 / 1e6)


def bare_brain_share(affine: Matrix, grid: Grid) -> float:
    """Share of all tissue in an image that lies within the fitted brain or 8 mm of it."""
    from scipy import ndimage as ndi

    t = template(4.0)
    ras = np.argwhere(faint(grid.values) & grid.seen) * grid.mm + grid.origin
    at = (moved(inverse(affine), ras) - t.origin) / t.mm
    near = ndi.map_coordinates(t.distance_mm, at.T, order=1, cval=99.0) <= 8.0
    return float(near.mean()) if near.size else 0.0


def judge(measured: Mapping[str, float], rule: Rule) -> tuple[str, ...]:
    """The names of the signals that are not believed."""
    return tuple(n for n, (low, high) in rule.items() if not low <= measured[n] <= high)


def refusal(measured: Mapping[str, float], failed: tuple[str, ...], rule: Rule) -> Refusal:
    """The named reason for not trusting a fit."""
    said = ", ".join(f"{name} is {measured[name]:.3g}, expected {_range(*rule[name])}" for name in failed)
    if set(failed) <= {"in_view", "in_head"}:
        return Refusal(
            "field of view cuts the brain", said, hint="too little of the brain to be sure where it is"
        )
    if set(failed) == {"skin_mm"}:
        return Refusal(
            "registration not trusted",
            said,
            hint="there is too little scalp over the brain, as in echo-planar images: give another image of "
            "the session, in which the head can be found",
        )
    return Refusal(
        "registration not trusted",
        said,
        hint="check that the image shows a head and that its header gives the right orientation",
    )


def _range(low: float, high: float) -> str:
    if high >= 9.0 and high != 99.0:
        return f"at least {low:g}"
    return f"at most {high:g}" if low == 0.0 else f"{low:g} to {high:g}"


def displaced() -> list[Matrix]:
    """12 displacements in MNI mm: 25 degrees about each axis through the centre, 30 mm along each."""
    out = []
    for axis in range(3):
        for sign in (1, -1):
            turn, shift = np.eye(4), np.eye(4)
            c, s = np.cos(np.deg2rad(25)), sign * np.sin(np.deg2rad(25))
            i, j = (axis + 1) % 3, (axis + 2) % 3
            turn[i, i] = turn[j, j] = c
            turn[i, j], turn[j, i] = -s, s
            turn[:3, 3] = CENTRE - turn[:3, :3] @ CENTRE
            shift[axis, 3] = sign * 30.0
            out += [turn, shift]
    return out


class Information:
    """Mutual information (nats) of template and patient over a set of template voxels, at any pose.

    The same estimate as Mattes': a cubic B-spline window over the patient's bins.
    """

    def __init__(self, fixed: Picture, where: Mask, moving: Picture, bins: int = 24) -> None:
        self.points = np.argwhere(where) * fixed.mm + fixed.origin
        values = fixed.values[where]
        span = max(float(np.ptp(values)), 1e-6)
        self.template_bin = np.minimum((values - values.min()) / span * bins, bins - 1).astype(int)
        self.patient, self.bins = moving, bins
        self.top = max(float(moving.values.max()), 1e-6)

    def at(self, affine: Matrix) -> float:
        from scipy import ndimage as ndi

        at = (moved(affine, self.points) - self.patient.origin) / self.patient.mm
        values = ndi.map_coordinates(self.patient.values, at.T, order=1, cval=0.0)
        template_bin, place = self.template_bin, values / self.top * self.bins
        if self.patient.where is not None:
            seen = ndi.map_coordinates(self.patient.where.astype(np.uint8), at.T, order=0, cval=0) > 0
            template_bin, place = template_bin[seen], place[seen]
        if place.size < 500:
            return 0.0
        patient_bin = np.clip(place, 0, self.bins - 1).astype(int)
        joint = np.bincount(template_bin * self.bins + patient_bin, minlength=self.bins**2)
        joint = ndi.convolve1d(
            joint.reshape(self.bins, self.bins).astype(float), [1 / 6, 4 / 6, 1 / 6], axis=1, mode="nearest"
        )
        joint /= joint.sum()
        product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        some = joint > 0
        return float((joint[some] * np.log(joint[some] / product[some])).sum())


def moved(affine: Matrix, points: Vector) -> Vector:
    return np.asarray(points @ affine[:3, :3].T + affine[:3, 3], dtype=np.float64)


def _share(mask: Mask, grid: Grid, affine: Matrix, points: Matrix) -> float:
    """Share of template points that fall on True."""
    from scipy import ndimage as ndi

    at = grid.indices(moved(affine, points))
    return float(ndi.map_coordinates(mask.astype(np.uint8), at.T, order=0, cval=0).mean())
