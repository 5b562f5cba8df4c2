"""All places a head can have, looked at without following a gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medveil.core.seeds import Seeds
from medveil.locate import net
from medveil.locate.carried import _is_still
from medveil.locate.grid import Matrix, volume_of
from medveil.locate.register import CENTRE, Picture, apart_mm
from medveil.locate.sight import Sight
from medveil.locate.starts import turned
from medveil.locate.template import rimmed, template
from medveil.locate.ways import Soft
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import scan
from medveil.simulate.scanner import Scanner
from medveil.simulate.tissues import Contrast


def _displaced(degrees: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> Matrix:
    out = np.eye(4)
    out[:3, :3] = turned(degrees)
    out[:3, 3] = CENTRE - out[:3, :3] @ CENTRE + shift_mm
    return out


@pytest.fixture(scope="module")
def brain() -> Picture:
    t = template(8.0)
    values, where = rimmed(t)
    return Picture(values, t.origin, t.mm, where)


@pytest.mark.parametrize("degrees", [(0.0, 0.0, 0.0), (15.0, -10.0, 8.0)])
def test_a_climb_ends_where_the_two_are_one(brain: Picture, degrees: tuple[float, float, float]) -> None:
    sight = Sight(brain, replace(brain, where=None), CENTRE, template(8.0).brain)
    start = _displaced(degrees, (9.0, -6.0, 7.0))
    nats, there = sight.climbed(start)
    assert apart_mm(start, np.eye(4)) > 10.0
    assert apart_mm(there, np.eye(4)) < 4.0
    assert nats > sight.of(start[None, :3, :3], start[None, :3, :3] @ CENTRE + start[None, :3, 3])[0]


def test_a_climb_may_be_told_to_keep_the_size(brain: Picture) -> None:
    sight = Sight(brain, replace(brain, where=None), CENTRE)
    _, there = sight.climbed(np.diag([0.8, 0.8, 0.8, 1.0]), sizes=False)
    np.testing.assert_allclose(np.linalg.svd(there[:3, :3], compute_uv=False), 0.8, atol=1e-6)


@pytest.mark.parametrize(
    ("contrast", "turn_deg", "size"),
    [
        ("T1w", (1.0, 16.0, -21.0), 0.82),
        ("T2w", (24.0, -8.0, -24.0), 1.0),
        ("T2starw", (-20.0, 0.0, 30.0), 0.9),
    ],
)
def test_the_truth_is_the_first_to_be_brought_in(
    contrast: Contrast, turn_deg: tuple[float, float, float], size: float
) -> None:
    person = draw_person(Seeds(33), 1)
    scanner = Scanner(contrast, 3.0, turn_deg=turn_deg, size=size, noise=4.0)
    seen = scan(person, Seeds(33), scanner=scanner)
    soft = Soft(*volume_of(seen.image), "mr")
    true = seen.pose @ np.diag([size, size, size, 1.0]) @ brain_affine(person)
    first, *_ = soft.cast()
    assert first.placed is not None
    assert apart_mm(first.placed, true) < 12.0


def test_where_no_brain_has_room_nothing_is_brought_in(brain: Picture) -> None:
    thin = np.zeros((40, 40, 40), dtype=bool)
    thin[18:22] = True
    moving = Picture(thin.astype(np.float32), np.full(3, -80.0), 4.0)
    assert net.cast(brain, moving, thin, np.full(3, -80.0), 4.0, most=4) == ()


def test_a_head_that_lay_still_is_told_from_one_that_moved(brain: Picture) -> None:
    here = replace(brain, where=None)
    assert _is_still(brain, here, CENTRE)
    moved = replace(here, origin=here.origin + np.array([0.0, 9.0, 0.0]))
    assert not _is_still(brain, moved, CENTRE)


def test_turns_are_those_of_itk() -> None:
    import SimpleITK as sitk

    euler = sitk.Euler3DTransform()
    euler.SetRotation(*np.deg2rad((20.0, -30.0, 40.0)).tolist())
    np.testing.assert_allclose(turned((20.0, -30.0, 40.0)).ravel(), euler.GetMatrix(), atol=1e-12)
