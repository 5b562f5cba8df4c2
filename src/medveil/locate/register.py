"""Register: fit the template brain to a head of unknown pose, coarse to fine, from many starts.

    every start    35 steps at 8 mm   brain + shells   size held, pitch held     where is the head?
    the distinct   25 steps at 8 mm   brain, outline   size held                 how is it turned?
    the best       50 steps at 4 mm   brain alone      affine                    how is it shaped?

Skull and scalp are seen from afar and nearly round: they draw a fit to the right place and tell nothing of
its pitch. The brain's own contrast tells the pitch and is blind from afar. So each decides what it knows. Size is
held until the last stage because it runs away wherever tissue meets the edge of the field of view. What this does not
find, a `net` finds.

Mutual information after Mattes, all voxels, one thread, no random sampling: the same image gives the same
numbers. Transforms are (4, 4) matrices from MNI mm to patient RAS mm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector, Volume
from medveil.locate.starts import Start

CENTRE = np.array([0.0, -18.0, 8.0])  # of the template brain, MNI mm: rotations turn about it
PAD_MM = 40.0  # air around the moving image: beyond it a metric sees nothing at all
APART_MM = 6.0  # starts that arrive nearer than this are one candidate
NO_AGREEMENT_MM = 99.0
BINS = 32
MOST_REPEATS, SETTLED_NATS = 4, 0.01
WORTH_REFINING = 0.6  # of the best candidate's information
# Which of a similarity's parameters move: three of the turn (x is the pitch), three of the shift, scale.
HOLD_SCALE = (1, 1, 1, 1, 1, 1, 0)
HOLD_PITCH_AND_SCALE = (0, 1, 1, 1, 1, 1, 0)


Arrival = tuple[float, Any]  # mutual information in nats, and the ITK transform where it was found


@dataclass(frozen=True, eq=False)
class Picture:
    """One side of a registration: a volume on an axis-aligned grid and where it counts."""

    values: Volume
    origin: Vector
    mm: float
    where: Mask | None = None

    def padded(self) -> Picture:
        """With 40 mm of nothing around, on which `where` is false."""
        n = int(np.ceil(PAD_MM / self.mm))
        where = None if self.where is None else np.pad(self.where, n)
        return Picture(np.pad(self.values, n), self.origin - n * self.mm, self.mm, where)

    def itk(self) -> Any:
        """As a SimpleITK image; both sides say RAS where ITK thinks LPS, so its convention never enters."""
        return _itk(self.values, self.origin, self.mm)

    def itk_mask(self) -> Any:
        return None if self.where is None else _itk(self.where.astype(np.uint8), self.origin, self.mm)


def _itk(volume: Any, origin: Vector, mm: float) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.transpose(2, 1, 0)))
    image.SetSpacing((mm, mm, mm))
    image.SetOrigin(tuple(float(o) for o in origin))
    return image


@dataclass(frozen=True, eq=False)
class Problem:
    """All pictures of one registration.

    Args:
        distant, near, last: (template, patient) of the three stages.
        expected: (3,) RAS mm where the centre of the brain should be.
        scale: usual size of a patient's brain in template brains, held but in the last stage.
        candidates: how many distinct arrivals of the first stage go on to the second.
    """

    distant: tuple[Picture, Picture]
    near: tuple[Picture, Picture]
    last: tuple[Picture, Picture]
    expected: Vector
    scale: float
    candidates: int = 16


@dataclass(frozen=True, eq=False)
class Fit:
    """Where one start arrived: MNI mm to patient mm, and the mutual information there in nats."""

    affine: Matrix
    information: float


class Search:
    """A registration that can be given more starts, and does not do again what it has done."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.distant = Stage(problem.distant, iterations=35, step_mm=8.0, smallest_mm=0.4)
        self.near = Stage(problem.near, iterations=25, step_mm=4.0, smallest_mm=0.4)
        self.last = Stage(problem.last, iterations=50, step_mm=2.0, smallest_mm=0.04)
        self._arrived: list[Arrival] = []
        self._turned: list[Arrival] = []
        self._begun: set[int] = set()  # arrivals of the first stage that went on to the second
        self._shaped: dict[int, Arrival] = {}

    def add(self, starts: Sequence[Start], most: int) -> None:
        """Run the first two stages from more starts; at most `most` of all arrivals of the first go on."""
        with one_thread():
            self._arrived += [
                self.distant.run(_similarity(self.problem, s), _free(s)) for s in starts if s.distant
            ]
            begun = distinct(self._arrived)[:most]
            fresh = [t for _, t in begun if id(t) not in self._begun]
            self._begun |= {id(t) for t in fresh}
            fresh += [_similarity(self.problem, s) for s in starts if not s.distant]
            # Each run moves its own copy: the arrivals of the first stage are compared again later.
            self._turned += [self.near.run(_copied(t), HOLD_SCALE) for t in fresh]

    def best(self, keep: int = 3) -> tuple[Fit, ...]:
        """The best fits so far, best first, at most `keep`."""
        with one_thread():
            turned = distinct(self._turned)[:keep]
            worth = [t for value, t in turned if value >= WORTH_REFINING * turned[0][0]]
            for t in worth:
                if id(t) not in self._shaped:
                    self._shaped[id(t)] = self.last.run(_affine(t))
            final = sorted((self._shaped[id(t)] for t in worth), key=lambda f: -f[0])
            final[0] = settled(self.last, *final[0])
        return tuple(Fit(matrix_of(t), value) for value, t in final)

    def agreement_mm(self) -> float:
        """How near to the best another start, that set out elsewhere, arrived in the second or last stage."""
        stages = (self._turned, list(self._shaped.values()))
        return min(_nearest_mm(arrived) for arrived in stages)


def _nearest_mm(arrived: Sequence[Arrival]) -> float:
    """Distance from the best arrival to the nearest other one."""
    if len(arrived) < 2:
        return NO_AGREEMENT_MM
    best = max(arrived, key=lambda f: f[0])
    here = matrix_of(best[1])
    return min(apart_mm(here, matrix_of(t)) for _, t in arrived if t is not best[1])


def improved(pictures: tuple[Picture, Picture], affine: Matrix) -> Fit:
    """An affine that is nearly right, moved to where other pictures of the same two agree best."""
    import SimpleITK as sitk

    transform = sitk.AffineTransform(3)
    transform.SetCenter(CENTRE.tolist())
    transform.SetMatrix(affine[:3, :3].ravel().tolist())
    transform.SetTranslation((affine[:3, :3] @ CENTRE + affine[:3, 3] - CENTRE).tolist())
    stage = Stage(pictures, iterations=50, step_mm=1.0, smallest_mm=0.04)
    with one_thread():
        value, moved = settled(stage, *stage.run(transform))
    return Fit(matrix_of(moved), value)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for all of SimpleITK, for as long as it lasts.

    The number set on a registration itself does not reach its metric: with two threads the order of a sum
    depends on the load of the machine, and after 50 steps an affine differs by tenths of a millimetre.
    """
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _free(start: Start) -> tuple[int, ...]:
    return HOLD_PITCH_AND_SCALE if start.is_only_pitched else HOLD_SCALE


def settled(stage: Stage, value: float, transform: Any) -> tuple[float, Any]:
    """Run a stage again for as long as it still finds something, a few times at most."""
    for _ in range(MOST_REPEATS):
        again, moved = stage.run(type(transform)(transform))
        if again <= value:
            break
        gain, value, transform = again - value, again, moved
        if gain < SETTLED_NATS:
            break
    return value, transform


class Stage:
    """One resolution of a registration, its images converted once and used for every start."""

    def __init__(
        self, pictures: tuple[Picture, Picture], iterations: int, step_mm: float, smallest_mm: float
    ) -> None:
        template, patient = pictures
        self.fixed, self.fixed_mask = template.itk(), template.itk_mask()
        self.moving, self.moving_mask = patient.itk(), patient.itk_mask()
        self.iterations, self.step_mm, self.smallest_mm = iterations, step_mm, smallest_mm

    def run(self, transform: Any, free: Sequence[float] = ()) -> tuple[float, Any]:
        """Optimise a transform; (mutual information, where it arrived), -1 if too little overlaps."""
        import SimpleITK as sitk

        r = sitk.ImageRegistrationMethod()
        r.SetMetricAsMattesMutualInformation(BINS)
        r.SetMetricSamplingStrategy(r.NONE)
        r.SetMetricFixedMask(self.fixed_mask)
        if self.moving_mask is not None:
            r.SetMetricMovingMask(self.moving_mask)
        r.SetInterpolator(sitk.sitkLinear)
        r.SetOptimizerAsRegularStepGradientDescent(
            learningRate=self.step_mm,
            minStep=self.smallest_mm,
            numberOfIterations=self.iterations,
            relaxationFactor=0.6,
        )
        r.SetOptimizerScalesFromPhysicalShift()
        if free:
            r.SetOptimizerWeights(free)
        r.SetInitialTransform(transform, inPlace=True)
        try:
            r.Execute(self.fixed, self.moving)
        except RuntimeError:  # the mask left too few samples under this pose
            return -1.0, transform
        return -float(r.GetMetricValue()), transform


def _similarity(problem: Problem, start: Start) -> Any:
    """The transform of a start, about the template's centre."""
    import SimpleITK as sitk

    euler = sitk.Euler3DTransform()
    euler.SetRotation(*np.deg2rad(start.turns).tolist())
    out = sitk.Similarity3DTransform()
    out.SetCenter(CENTRE.tolist())
    if start.placed is not None:
        m = start.placed[:3, :3]
        u, sizes, vt = np.linalg.svd(m)
        out.SetMatrix((float(np.cbrt(sizes.prod())) * u @ vt).ravel().tolist(), 1e-6)
        out.SetTranslation((m @ CENTRE + start.placed[:3, 3] - CENTRE).tolist())
        return out
    out.SetMatrix((problem.scale * np.array(euler.GetMatrix())).tolist(), 1e-6)
    shift = np.zeros(3) if start.absolute else problem.expected - CENTRE + [0, 0, start.up_mm]
    out.SetTranslation(shift.tolist())
    return out


def _copied(similarity: Any) -> Any:
    import SimpleITK as sitk

    return sitk.Similarity3DTransform(similarity)


def _affine(similarity: Any) -> Any:
    """The same transform with all twelve parameters free."""
    import SimpleITK as sitk

    out = sitk.AffineTransform(3)
    out.SetCenter(similarity.GetCenter())
    out.SetMatrix(similarity.GetMatrix())
    out.SetTranslation(similarity.GetTranslation())
    return out


def distinct(arrived: Sequence[Arrival]) -> list[Arrival]:
    """Best first, without those that came to the same place as a better one."""
    out: list[Arrival] = []
    for value, transform in sorted(arrived, key=lambda f: -f[0]):
        here = matrix_of(transform)
        if all(apart_mm(here, matrix_of(t)) > APART_MM for _, t in out):
            out.append((value, transform))
    return out


def matrix_of(transform: Any) -> Matrix:
    """(4, 4) matrix of a centred ITK transform: x -> M (x - c) + c + t."""
    m = np.array(transform.GetMatrix(), dtype=np.float64).reshape(3, 3)
    c, t = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = m, t + c - m @ c
    return out


def apart_mm(a: Matrix, b: Matrix) -> float:
    """Mean distance between where two affines put the template brain, taken over an ellipsoid of its size."""
    d = (a - b)[:3]
    mean = d[:, :3] @ CENTRE + d[:, 3]
    # Root mean square over a solid ellipsoid: its covariance is diag(r^2 / 5).
    spread = d[:, :3] * (np.array([68.0, 86.0, 62.0]) / np.sqrt(5))
    return float(np.sqrt((mean**2).sum() + (spread**2).sum()))
