"""What defacing costs those who use the images: segmentation, registration, electrodes, source localisation; see README.md.

python -m benchmarks.defacing.utility --people 12 --jobs 2
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from benchmarks.defacing.methods import METHODS
from joblib import Parallel, delayed
from scipy import ndimage as ndi
from scipy.optimize import minimize

from medveil import recipe
from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Given
from medveil.core.seeds import Seeds
from medveil.locate.grid import head_mask
from medveil.locate.head import locate
from medveil.locate.register import matrix_of
from medveil.locate.template import template
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan

HERE = Path(__file__).parent
Array = npt.NDArray[Any]
SPACING_MM = 1.5
ELECTRODES, DIPOLES, NOISE = 64, 12, 0.05
FOUND_MM = 5.0


def classes_ml(image: Image, inside: Array) -> Array:
    """Volumes of three tissue classes (Gaussian mixture) inside a mask, darkest first, and of the mask."""
    from sklearn.mixture import GaussianMixture

    values = image.values()[inside].reshape(-1, 1)
    model = GaussianMixture(3, random_state=0, max_iter=50).fit(values[::7])
    order = np.argsort(model.means_.ravel())
    counts = np.bincount(model.predict(values), minlength=3)[order]
    return np.append(counts, inside.sum()) * np.prod(image.spacing_mm) / 1000


def simple_brain(image: Image) -> Array:
    """Otsu, opened, largest piece, closed: a skull stripper that sees the whole image, face and all."""
    from skimage.filters import threshold_otsu

    values = image.values()
    mask = values > threshold_otsu(values[values > np.percentile(values, 20)])
    ball = round(5.0 / SPACING_MM)
    core = ndi.binary_erosion(mask, iterations=ball)
    labels, _ = ndi.label(core)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return ndi.binary_dilation(labels == sizes.argmax(), iterations=ball) & mask


def to_template(image: Image) -> Array:
    """(4, 4) MNI mm to image mm by a plain registration that starts where the image's mass lies."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    t = template(2.0)
    fixed = _itk(t.tissue, t.origin, 2.0)
    mask = _itk((t.distance_mm <= 4.0).astype(np.uint8), t.origin, 2.0)
    moving = _itk(image.values(), image.affine[:3, 3], SPACING_MM)  # these scans are upright
    affine = sitk.AffineTransform(
        sitk.CenteredTransformInitializer(
            fixed, moving, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
        )
    )
    start = sitk.Similarity3DTransform()
    start.SetCenter(affine.GetCenter())
    start.SetTranslation(
        np.add(affine.GetTranslation(), (0.0, -10.0, 35.0)).tolist()
    )  # a head's mass lies below its brain
    _descend(start, fixed, mask, moving)
    transform = sitk.AffineTransform(3)
    transform.SetCenter(start.GetCenter())
    transform.SetMatrix(start.GetMatrix())
    transform.SetTranslation(start.GetTranslation())
    _descend(transform, fixed, mask, moving)
    return matrix_of(transform)


def _descend(transform: Any, fixed: Any, mask: Any, moving: Any) -> None:
    """Mutual information at 8 and 4 mm, in place."""
    import SimpleITK as sitk

    r = sitk.ImageRegistrationMethod()
    r.SetMetricAsMattesMutualInformation(32)
    r.SetMetricSamplingStrategy(r.NONE)
    r.SetMetricFixedMask(mask)
    r.SetInterpolator(sitk.sitkLinear)
    r.SetShrinkFactorsPerLevel([4, 2])
    r.SetSmoothingSigmasPerLevel([2.0, 1.0])
    r.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
    r.SetOptimizerAsRegularStepGradientDescent(2.0, 0.005, 150, 0.6)
    r.SetOptimizerScalesFromPhysicalShift()
    r.SetInitialTransform(transform, inPlace=True)
    r.Execute(fixed, moving)


def _itk(volume: Array, origin: Array, mm: float) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.transpose(2, 1, 0)))
    image.SetSpacing((mm, mm, mm))
    image.SetOrigin(tuple(float(o) for o in origin))
    return image


def electrodes(image: Image, to_ras: Array) -> Array:
    """(64, 3) RAS mm: where rays from the middle of the brain leave the head, evenly over the cap.

    The directions are MNI's, so that before and after have the same electrodes.
    """
    i = np.arange(ELECTRODES) + 0.5
    z = 1 - (1 + 0.35) * i / ELECTRODES  # from the vertex to some 20 degrees below the equator
    turn, r = np.pi * (1 + 5**0.5) * i, np.sqrt(1 - z**2)
    rays = np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)
    steps = np.arange(30.0, 160.0, 0.5)
    at = np.array([0.0, -18.0, 8.0]) + rays[:, None, :] * steps[None, :, None]  # (electrode, step, 3) MNI mm
    ras = at @ to_ras[:3, :3].T + to_ras[:3, 3]
    voxel = (ras - image.affine[:3, 3]) @ np.linalg.inv(image.affine[:3, :3]).T
    head = ndi.map_coordinates(
        head_mask(image.values(), SPACING_MM).astype(np.float32), voxel.reshape(-1, 3).T, order=1
    ).reshape(voxel.shape[:2])
    last = head.shape[1] - 1 - np.argmax(head[:, ::-1] > 0.5, axis=1)
    return ras[np.arange(ELECTRODES), last]


def sphere(points: Array) -> tuple[Array, float]:
    """Centre and radius of the sphere nearest to points (N, 3), by linear least squares."""
    a = np.column_stack([2 * points, np.ones(len(points))])
    x = np.linalg.lstsq(a, (points**2).sum(1), rcond=None)[0]
    return x[:3], float(np.sqrt(x[3] + (x[:3] ** 2).sum()))


def lead_field(at: Array, dipoles: Array, radius: float) -> Array:
    """(D, E, 3) surface potential of unit dipoles in a homogeneous conducting sphere, average reference.

    From the Neumann function of the ball: a source at r0 makes 2 / d - ln(R^2 - r.r0 + R d) / R at the surface
    point r, d = |r - r0|; the dipole is its gradient in r0.
    """
    r, r0 = at[None], dipoles[:, None]
    off = r - r0
    d = np.linalg.norm(off, axis=2, keepdims=True)
    below = radius**2 - (r * r0).sum(2, keepdims=True) + radius * d
    field = 2 * off / d**3 + (r / radius + off / d) / below
    return field - field.mean(1, keepdims=True)


def localise(potential: Array, at: Array, radius: float) -> Array:
    """(3,) where one dipole explains a potential best: a grid, then a descent."""

    def left_over(points: Array) -> Array:
        field = lead_field(at, np.atleast_2d(points), radius)
        q, _ = np.linalg.qr(field)
        return (potential**2).sum() - ((np.swapaxes(q, 1, 2) @ potential) ** 2).sum(1)

    axis = np.arange(-0.85 * radius, 0.85 * radius, 8.0)
    grid = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    grid = grid[np.linalg.norm(grid, axis=1) < 0.85 * radius]
    best = grid[left_over(grid).argmin()]
    inside = 0.95 * radius

    def cost(p: Array) -> float:
        return float(left_over(p)[0]) if np.linalg.norm(p) < inside else 1e12

    return minimize(cost, best, method="Nelder-Mead", options={"xatol": 0.1, "fatol": 1e-16}).x


def source_errors(true_at: Array, model_at: Array, brain_mm: Array, rng: np.random.Generator) -> Array:
    """Error (mm) of dipoles whose potentials come from the true head and whose places from a model of it."""
    centre, radius = sphere(true_at)
    seen_centre, seen_radius = sphere(model_at)
    onto = (true_at - centre) / np.linalg.norm(true_at - centre, axis=1, keepdims=True) * radius
    model = (
        (model_at - seen_centre) / np.linalg.norm(model_at - seen_centre, axis=1, keepdims=True) * seen_radius
    )
    deep = brain_mm[np.linalg.norm(brain_mm - centre, axis=1) < 0.8 * radius]
    out = []
    for place in deep[rng.choice(len(deep), DIPOLES, replace=False)]:
        moment = rng.normal(size=3)
        potential = lead_field(onto, (place - centre)[None], radius)[0] @ (moment / np.linalg.norm(moment))
        potential = potential + NOISE * potential.std() * rng.standard_normal(len(potential))
        out.append(np.linalg.norm(localise(potential, model, seen_radius) + seen_centre - place))
    return np.array(out)


def one_person(index: int, seed: int, methods: list[str]) -> list[dict[str, Any]]:
    seeds = Seeds(seed)
    seen = scan(draw_person(seeds, index), seeds, scanner=Scanner(spacing_mm=SPACING_MM))
    image, brain = seen.image, seen.brain_mask
    try:
        to_mni = np.linalg.inv(locate(image).affine)
    except Refusal:
        return [{"person": index, "method": "nothing", "refused": True}]
    at = np.argwhere(brain)[::97] @ image.affine[:3, :3].T + image.affine[:3, 3]
    to_brain = ndi.distance_transform_edt(~brain, sampling=image.spacing_mm)
    plain = to_template(image)
    sites = electrodes(image, np.linalg.inv(to_mni))
    inside, simple = classes_ml(image, brain), simple_brain(image)

    def depth(points: Array) -> Array:
        voxel = (points - image.affine[:3, 3]) @ np.linalg.inv(image.affine[:3, :3]).T
        return ndi.map_coordinates(to_brain, voxel.T, order=1, mode="nearest")

    rows = []
    for method in ["nothing", *methods]:
        released = image
        if method != "nothing":
            use, settings = METHODS[method]
            released = recipe.part("protect", use, **settings).apply(image, Given(affine_to_mni=to_mni)).image
        moved = sites if method == "nothing" else electrodes(released, np.linalg.inv(to_mni))
        errors = source_errors(sites, moved, at, seeds.stream("benchmark/sources", index))
        back = np.linalg.inv(plain)
        mni = at @ back[:3, :3].T + back[:3, 3]
        again = to_template(released)
        shift = np.linalg.norm(mni @ again[:3, :3].T + again[:3, 3] - at, axis=1)
        rows.append(
            {
                "person": index,
                "method": method,
                "tissue_difference_ml": float(np.abs(classes_ml(released, brain) - inside).max()),
                "simple_brain_difference_ml": float(
                    abs(simple_brain(released).sum() - simple.sum()) * np.prod(image.spacing_mm) / 1000
                ),
                "registration_shift_mm": float(shift.mean()),
                "electrodes_moved": int((np.linalg.norm(moved - sites, axis=1) > 2.0).sum()),
                "electrode_depth_change_mm": float(np.abs(depth(moved) - depth(sites)).mean()),
                "source_error_mm": errors.tolist(),
            }
        )
    return rows


def interval(values: list[float], rng: np.random.Generator) -> str:
    """Mean over people and its 95 % bootstrap interval."""
    v = np.array(values)
    means = v[rng.integers(len(v), size=(2000, len(v)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{v.mean():7.2f} [{low:6.2f}, {high:6.2f}]"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=12)
    options.add_argument("--seed", type=int, default=61)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--methods", nargs="*", default=list(METHODS))
    options.add_argument("--to", type=Path, default=HERE / "utility.json")
    a = options.parse_args()
    rows: list[dict[str, Any]] = []
    for some in Parallel(n_jobs=a.jobs, return_as="generator", batch_size=1)(
        delayed(one_person)(i, a.seed, a.methods) for i in range(a.people)
    ):
        rows += some
        print(f"person {some[0]['person']} done", flush=True)
    a.to.write_text(json.dumps({"seed": a.seed, "rows": rows}, indent=1) + "\n")
    rng = Seeds(a.seed).stream("benchmark/utility/bootstrap")
    used = [r for r in rows if not r.get("refused")]
    for method in dict.fromkeys(r["method"] for r in used):
        mine = [r for r in used if r["method"] == method]
        print(f"\n{method} ({len(mine)} people)")
        for key in (
            "tissue_difference_ml",
            "simple_brain_difference_ml",
            "registration_shift_mm",
            "electrodes_moved",
            "electrode_depth_change_mm",
        ):
            print(
                f"  {key:28}{interval([r[key] for r in mine], rng)}  largest {max(r[key] for r in mine):.2f}"
            )
        print(
            f"  {'source_error_mm':28}{interval([float(np.mean(r['source_error_mm'])) for r in mine], rng)}"
        )
        found = [float(np.mean(np.array(r["source_error_mm"]) <= FOUND_MM)) for r in mine]
        print(f"  {'sources within 5 mm':28}{interval(found, rng)}")


if __name__ == "__main__":
    main()
