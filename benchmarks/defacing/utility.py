"""What defacing costs those who use the images: segmentation, registration, electrodes, source localisation; see README.md.

python -m benchmarks.defacing.utility --people 12 --jobs 2 [--bet /path/to/brainextractor]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

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
from medveil.io import nifti
from medveil.locate.grid import head_mask
from medveil.locate.head import locate
from medveil.locate.register import matrix_of, one_thread
from medveil.locate.template import template
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan

HERE = Path(__file__).parent
Array = npt.NDArray[Any]
SPACING_MM = 1.5
ELECTRODES, DIPOLES, NOISE = 64, 12, 0.05
FOUND_MM = 5.0
REGISTERED_DICE = (
    0.95  # less overlap of template brain and true brain: the original itself was registered wrong
)
MOST_REPEATS, SETTLED_NATS = 6, 1e-4
NOISE_ALONE = "nothing but noise"
COMPARED = ("erase", "erase, deep", "replace", "shear")
Start = Literal["header", "mass"]


def classes_ml(image: Image, inside: Array) -> Array:
    """Volumes of three tissue classes (Gaussian mixture) inside a mask, darkest first, and of the mask."""
    from sklearn.mixture import GaussianMixture

    values = image.values()[inside].reshape(-1, 1)
    model = GaussianMixture(3, random_state=0, max_iter=50).fit(values[::7])
    order = np.argsort(model.means_.ravel())
    counts = np.bincount(model.predict(values), minlength=3)[order]
    return np.asarray(np.append(counts, inside.sum()) * np.prod(image.spacing_mm) / 1000)


def overlap(a: Array, b: Array) -> float:
    """Dice: 1 is the same mask."""
    return float(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))


def bet(image: Image, tool: Path) -> Array:
    """The brain as BET finds it in the whole image: `brainextractor`, a copy of FSL's tool in Python.

    Needs an environment of its own: `pip install brainextractor`, and the path of its command.
    """
    with tempfile.TemporaryDirectory() as folder:
        into, out = Path(folder) / "head.nii.gz", Path(folder) / "brain.nii.gz"
        nifti.write(image, into)
        # argv is a fixed list with a path of the user's own
        subprocess.run([str(tool), str(into), str(out)], check=True, capture_output=True)
        return nifti.read(out).values() > 0


def template_brain(image: Image, to_ras: Array) -> Array:
    """The template's brain laid into an image by a registration of it: (I, J, K) bool."""
    t = template(2.0)
    to_grid = np.diag([0.5, 0.5, 0.5, 1.0])
    to_grid[:3, 3] = -t.origin / 2
    m = to_grid @ np.linalg.inv(to_ras) @ image.affine
    share = ndi.affine_transform(
        t.brain.astype(np.float32), m[:3, :3], m[:3, 3], output_shape=image.data.shape, order=1
    )
    return np.asarray(share > 0.5)


def to_template(image: Image, start: Start, brain: Array | None = None) -> Array:
    """(4, 4) MNI mm to image mm, by a registration as users run it.

    Mutual information after Mattes, all voxels, one thread. Six starts (three pitches, two heights) as similarities at
    8 mm; the best of them as an affine at 4 mm, again and again until it has settled.

    Args:
        start: where the six are: the middle of the grid on that of the template (defacing leaves it where it
            was), or mass on mass (defacing moves it).
        brain: this mask alone is shown, and its own mass is where the search begins.
    """
    import SimpleITK as sitk

    t = template(2.0)
    fixed = _itk(t.tissue, t.origin, 2.0)
    mask = _itk((t.distance_mm <= 4.0).astype(np.uint8), t.origin, 2.0)
    values = image.values() if brain is None else image.values() * brain
    moving = _itk(values, image.affine[:3, 3], SPACING_MM)  # these scans are upright
    how = sitk.CenteredTransformInitializerFilter
    first = sitk.AffineTransform(
        sitk.CenteredTransformInitializer(
            fixed, moving, sitk.AffineTransform(3), how.GEOMETRY if start == "header" else how.MOMENTS
        )
    )
    # A whole head's mass lies below and before its brain.
    ahead = np.array((0.0, -10.0, 35.0)) if start == "mass" and brain is None else np.zeros(3)
    arrived = []
    for pitch, up in product((-15.0, 0.0, 15.0), (0.0, 25.0) if brain is None else (0.0,)):
        turned = sitk.Euler3DTransform()
        turned.SetRotation(np.deg2rad(pitch), 0.0, 0.0)
        similar = sitk.Similarity3DTransform()
        similar.SetCenter(first.GetCenter())
        similar.SetMatrix(turned.GetMatrix())
        similar.SetTranslation((np.array(first.GetTranslation()) + ahead + (0.0, 0.0, up)).tolist())
        arrived.append((_descend(similar, fixed, mask, moving, 4), similar))
    best = min(arrived, key=lambda a: a[0])[1]
    transform = sitk.AffineTransform(3)
    transform.SetCenter(best.GetCenter())
    transform.SetMatrix(best.GetMatrix())
    transform.SetTranslation(best.GetTranslation())
    cost = _descend(transform, fixed, mask, moving, 2)
    for _ in range(MOST_REPEATS):
        before, cost = cost, _descend(transform, fixed, mask, moving, 2)
        if cost > before - SETTLED_NATS:
            break
    return matrix_of(transform)


def _descend(transform: Any, fixed: Any, mask: Any, moving: Any, shrink: int) -> float:
    """Move a transform, in place, to where mutual information is largest near it; its negative there."""
    import SimpleITK as sitk

    r = sitk.ImageRegistrationMethod()
    r.SetMetricAsMattesMutualInformation(32)
    r.SetMetricSamplingStrategy(r.NONE)
    r.SetMetricFixedMask(mask)
    r.SetInterpolator(sitk.sitkLinear)
    r.SetShrinkFactorsPerLevel([shrink])
    r.SetSmoothingSigmasPerLevel([shrink / 2])
    r.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
    r.SetOptimizerAsRegularStepGradientDescent(2.0 if shrink > 2 else 1.0, 0.002, 200, 0.6)
    r.SetOptimizerScalesFromPhysicalShift()
    r.SetInitialTransform(transform, inPlace=True)
    with one_thread():
        r.Execute(fixed, moving)
    return float(r.GetMetricValue())


def noisier(image: Image, rng: np.random.Generator) -> Image:
    """The same image with as much noise again as its air has: the floor under every difference."""
    air = float(np.median(image.values()[:6, :, -6:])) / 1.1774  # the median of Rayleigh's law, in sd
    noise = rng.normal(0.0, max(air, 0.5), image.data.shape)
    most = np.iinfo(image.data.dtype).max
    return replace(image, data=np.clip(np.rint(image.data + noise), 0, most).astype(image.data.dtype))


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
    return np.asarray(ras[np.arange(ELECTRODES), last])


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
    return np.asarray(field - field.mean(1, keepdims=True))


def localise(potential: Array, at: Array, radius: float) -> Array:
    """(3,) where one dipole explains a potential best: a grid, then a descent."""

    def left_over(points: Array) -> Array:
        field = lead_field(at, np.atleast_2d(points), radius)
        q, _ = np.linalg.qr(field)
        return np.asarray((potential**2).sum() - ((np.swapaxes(q, 1, 2) @ potential) ** 2).sum(1))

    axis = np.arange(-0.85 * radius, 0.85 * radius, 8.0)
    grid = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    grid = grid[np.linalg.norm(grid, axis=1) < 0.85 * radius]
    best = grid[left_over(grid).argmin()]
    inside = 0.95 * radius

    def cost(p: Array) -> float:
        return float(left_over(p)[0]) if np.linalg.norm(p) < inside else 1e12

    return np.asarray(minimize(cost, best, method="Nelder-Mead", options={"xatol": 0.1, "fatol": 1e-16}).x)


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


def one_person(index: int, seed: int, methods: list[str], tool: Path | None) -> list[dict[str, Any]]:
    seeds = Seeds(seed)
    seen = scan(draw_person(seeds, index), seeds, scanner=Scanner(spacing_mm=SPACING_MM))
    image, brain = seen.image, seen.brain_mask
    try:
        to_mni = np.linalg.inv(locate(image).affine).astype(np.float64)
    except Refusal:
        return [{"person": index, "method": "nothing", "refused": True}]
    at = np.argwhere(brain)[::97] @ image.affine[:3, :3].T + image.affine[:3, 3]
    to_brain = ndi.distance_transform_edt(~brain, sampling=image.spacing_mm)
    ml = float(np.prod(image.spacing_mm)) / 1000
    noisy = noisier(image, seeds.stream("benchmark/utility/noise", index))

    def depth(points: Array) -> Array:
        voxel = (points - image.affine[:3, 3]) @ np.linalg.inv(image.affine[:3, :3]).T
        return np.asarray(ndi.map_coordinates(to_brain, voxel.T, order=1, mode="nearest"))

    def measured(of: Image) -> Measured:
        affines = {
            "header": to_template(of, "header"),
            "mass": to_template(of, "mass"),
            "brain": to_template(of, "mass", brain),
        }
        masks = {"template_brain": template_brain(of, affines["header"])}
        if tool is not None:
            masks["bet"] = bet(of, tool)
        return Measured(affines, masks, electrodes(of, np.linalg.inv(to_mni)), classes_ml(of, brain))

    plain, rows = measured(image), []
    for method in ["nothing", NOISE_ALONE, *methods]:
        released = noisy if method == NOISE_ALONE else image
        if method in METHODS:
            use, settings = METHODS[method]
            try:
                part = recipe.part("protect", use, **settings)
                released = part.apply(image, Given(affine_to_mni=to_mni)).image
            except Refusal as refusal:
                rows.append({"person": index, "method": method, "refused": refusal.reason})
                continue
        now = plain if method == "nothing" else measured(released)
        rows.append(
            {
                "person": index,
                "method": method,
                "tissue_difference_ml": float(np.abs(now.classes_ml - plain.classes_ml).max()),
                **{
                    f"registration_shift_mm_{k}": shift_mm(plain.affines[k], now.affines[k], at)
                    for k in now.affines
                },
                **{
                    f"{k}_difference_ml": abs(int(now.masks[k].sum()) - int(plain.masks[k].sum())) * ml
                    for k in now.masks
                },
                **{f"{k}_dice": overlap(now.masks[k], plain.masks[k]) for k in now.masks},
                **{f"{k}_dice_with_the_true_brain": overlap(now.masks[k], brain) for k in now.masks},
                "electrodes_moved": int((np.linalg.norm(now.sites - plain.sites, axis=1) > 2.0).sum()),
                "electrode_depth_change_mm": float(np.abs(depth(now.sites) - depth(plain.sites)).mean()),
                "source_error_mm": source_errors(
                    plain.sites, now.sites, at, seeds.stream("benchmark/sources", index)
                ).tolist(),
            }
        )
    return rows


@dataclass(frozen=True, eq=False)
class Measured:
    """What users take from one image: MNI to image by each registration, masks of the brain, electrodes, tissue."""

    affines: dict[str, Array]
    masks: dict[str, Array]
    sites: Array
    classes_ml: Array


def shift_mm(before: Array, after: Array, at: Array) -> float:
    """Mean distance over brain voxels (N, 3) between where two registrations put the same place of the template."""
    back = np.linalg.inv(before)
    mni = at @ back[:3, :3].T + back[:3, 3]
    return float(np.linalg.norm(mni @ after[:3, :3].T + after[:3, 3] - at, axis=1).mean())


def interval(values: list[float], rng: np.random.Generator) -> str:
    """Mean over people and its 95 % bootstrap interval."""
    v = np.array(values)
    means = v[rng.integers(len(v), size=(2000, len(v)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{v.mean():7.2f} [{low:6.2f}, {high:6.2f}]"


def table(rows: list[dict[str, Any]], seed: int) -> None:
    """Print every measure of every method: mean over people, interval, smallest to largest."""
    rng = Seeds(seed).stream("benchmark/utility/bootstrap")
    used = [r for r in rows if not r.get("refused")]
    truth = "template_brain_dice_with_the_true_brain"
    trusted = {r["person"] for r in used if r["method"] == "nothing" and r[truth] >= REGISTERED_DICE}
    for method in dict.fromkeys(r["method"] for r in used):
        mine = [r for r in used if r["method"] == method]
        print(f"\n{method} ({len(mine)} people)")
        for key in [k for k in mine[0] if k not in ("person", "method", "source_error_mm")]:
            values = [r[key] for r in mine]
            print(f"  {key:34}{interval(values, rng)}  {min(values):.2f} to {max(values):.2f}")
        held = [r["registration_shift_mm_header"] for r in mine if r["person"] in trusted]
        if held:
            print(f"  {'  of it, original registered right':34}{interval(held, rng)}  ({len(held)} people)")
        print(
            f"  {'source_error_mm':34}{interval([float(np.mean(r['source_error_mm'])) for r in mine], rng)}"
        )
        found = [float(np.mean(np.array(r["source_error_mm"]) <= FOUND_MM)) for r in mine]
        print(f"  {'sources within 5 mm':34}{interval(found, rng)}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=12)
    options.add_argument("--seed", type=int, default=61)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--methods", nargs="*", default=list(COMPARED))
    options.add_argument("--bet", type=Path, help="the command brainextractor, in an environment of its own")
    options.add_argument("--to", type=Path, default=HERE / "utility.json")
    a = options.parse_args()
    rows: list[dict[str, Any]] = []
    for some in Parallel(n_jobs=a.jobs, return_as="generator", batch_size=1)(
        delayed(one_person)(i, a.seed, a.methods, a.bet) for i in range(a.people)
    ):
        rows += some
        print(f"person {some[0]['person']} done", flush=True)
        # Kept as it grows: such a run is long.
        a.to.write_text(json.dumps({"seed": a.seed, "rows": rows}, indent=1) + "\n")
    table(rows, a.seed)


if __name__ == "__main__":
    main()
