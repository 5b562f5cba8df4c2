"""A head is found wherever its header says it lies; what is no head is refused by name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from medveil.core.errors import Refusal, UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.protect.deface import register
from medveil.protect.deface.confidence import SOFT, judge, refusal
from medveil.protect.deface.grid import block_mean, isotropic, orientation, reoriented, volume_of
from medveil.protect.deface.locate import Location, locate, looks_like_hounsfield

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def head() -> tuple[Image, npt.NDArray[np.float64]]:
    """A simulated T1 at 3 mm, and (N, 6): points of its brain in RAS mm and the same points in MNI mm."""
    from medveil.simulate.brain import head_to_template
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    person = draw_person(Seeds(7), 1)
    seen = scan(person, Seeds(7), scanner=Scanner(spacing_mm=3.0))
    at = np.argwhere(seen.brain_mask)[::50]
    ras = at @ seen.image.affine[:3, :3].T + seen.image.affine[:3, 3]
    to_head = np.linalg.inv(seen.pose)
    mni = head_to_template(person, ras @ to_head[:3, :3].T + to_head[:3, 3])
    return seen.image, np.hstack([ras, mni])


@pytest.fixture(scope="module")
def found(head: tuple[Image, npt.NDArray[np.float64]]) -> Location:
    return locate(head[0])


def test_the_brain_is_where_the_simulator_put_it(
    head: tuple[Image, npt.NDArray[np.float64]], found: Location
) -> None:
    ras, mni = head[1][:, :3], head[1][:, 3:]
    error = np.linalg.norm(mni @ found.affine[:3, :3].T + found.affine[:3, 3] - ras, axis=1)
    # The people's brains are warped besides: the best affine there is leaves 0.9 mm of its own.
    assert error.mean() < 3.0
    assert np.percentile(error, 95) < 5.0


def test_a_location_says_how_sure_it_is(found: Location) -> None:
    assert judge(found.confidence, SOFT) == ()
    assert found.modality == "mr"
    assert found.field_of_view["brain_in_view"] > 0.99
    assert "inner_ratio" in repr(found)


def test_neither_storage_order_nor_the_day_matters(
    head: tuple[Image, npt.NDArray[np.float64]], found: Location
) -> None:
    image = head[0]
    data = image.data.transpose(2, 0, 1)[:, ::-1]
    affine = image.affine[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 1] * (data.shape[1] - 1)
    affine[:3, 1] *= -1
    # Not nearly: the same numbers, which also shows that locating twice gives the same bytes.
    again = locate(Image(data, affine))
    np.testing.assert_array_equal(again.affine, found.affine)
    assert again.confidence == found.confidence


def test_nothing_is_not_a_head() -> None:
    with pytest.raises(Refusal, match="no head found"):
        locate(Image(np.zeros((40, 40, 40), np.int16), np.diag([4.0, 4, 4, 1])))


@pytest.mark.parametrize("kind", ["noise", "ball"])
def test_what_is_no_head_is_not_trusted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few = register.USUAL[4:8]
    for name in ("USUAL", "IN_SKULL", "SHIFTED", "MISLABELLED"):
        monkeypatch.setattr(register, name, few if name != "USUAL" else few + register.USUAL[20:24])
    away = np.sqrt(((np.indices((46, 46, 46)) - 22.5) ** 2).sum(0)) * 4
    data = {"noise": RNG.normal(100, 10, away.shape), "ball": 100.0 * (away < 85)}[kind]
    with pytest.raises(Refusal) as refused:
        locate(Image(data.astype(np.float32), np.diag([4.0, 4, 4, 1])))
    assert refused.value.reason in {
        "no head found",
        "registration not trusted",
        "field of view cuts the brain",
    }


def test_labels_are_not_looked_at() -> None:
    with pytest.raises(Refusal, match="not an intensity image"):
        locate(Image(np.ones((4, 4, 4), np.uint8), np.eye(4), kind="labels"))


def test_an_unknown_modality_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="known are auto, mr, ct, pet"):
        locate(Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), modality="us")  # type: ignore[arg-type]


def good() -> dict[str, float]:
    return {
        "inner_ratio": 5.0,
        "peak_ratio": 2.0,
        "scale_max": 1.0,
        "scale_min": 0.85,
        "scale_ratio": 1.2,
        "in_head": 1.0,
        "in_view": 1.0,
        "skin_mm": 18.0,
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skin_mm": 4.0}, "already skull-stripped"),
        ({"in_view": 0.5}, "field of view cuts the brain"),
        ({"inner_ratio": 1.0, "in_view": 0.5}, "registration not trusted"),
        ({"scale_max": 1.5}, "registration not trusted"),
    ],
)
def test_refusals_have_names(change: dict[str, float], reason: str) -> None:
    measured = good() | change
    failed = judge(measured, SOFT)
    assert set(failed) == set(change)
    assert refusal(measured, failed, SOFT).reason == reason


def test_good_signals_pass() -> None:
    assert judge(good(), SOFT) == ()


def test_hounsfield_units_are_told_from_other_numbers() -> None:
    air = np.full((8, 8, 8), -1000, np.float32)
    air[2:6, 2:6, 2:6] = 40
    assert looks_like_hounsfield(air)
    assert not looks_like_hounsfield(air + 1000)
    padding = np.where(air < -500, np.float32(-3000), air)
    assert not looks_like_hounsfield(padding)


def test_block_mean_counts_an_incomplete_block_once() -> None:
    line = np.array([1, 3, 5, 7, 9], np.float32).reshape(5, 1, 1)
    np.testing.assert_array_equal(block_mean(line, (2, 1, 1)).ravel(), [2, 6, 9])


def test_the_grid_keeps_places() -> None:
    """A linear ramp in millimetres is the same ramp on any grid."""
    angle = np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 2.0, 3.3])
    affine[:3, 3] = (5, -7, 11)
    at = np.argwhere(np.ones((40, 30, 20)))
    ramp = ((at @ affine[:3, :3].T + affine[:3, 3]) @ [1.0, 2.0, -1.0]).reshape(40, 30, 20)
    grid = isotropic(ramp.astype(np.float32), affine, 4.0)
    inner = np.argwhere(grid.seen)
    where = inner * grid.mm + grid.origin
    error = np.abs(grid.values[tuple(inner.T)] - where @ [1.0, 2.0, -1.0])
    assert np.median(error) < 0.01


def test_orientation_undoes_permutation_and_flips() -> None:
    affine = np.array([[0, 0, -2.0, 9], [3.0, 0, 0, 1], [0, -1.0, 0, 5], [0, 0, 0, 1]])
    order, signs = orientation(affine)
    assert (order, signs) == ((2, 0, 1), (-1, 1, -1))
    upright = reoriented(affine, (4, 5, 6), order, signs)
    np.testing.assert_allclose(upright[:3, :3], np.diag([2.0, 3.0, 1.0]))
    np.testing.assert_allclose(upright[:3, 3], (9 - 2 * 5, 1, 5 - 4))


def test_a_series_is_averaged() -> None:
    data = np.stack([np.full((3, 3, 3), v, np.int16) for v in (10, 30)], axis=-1)
    values, _ = volume_of(Image(data, np.eye(4), slope=2.0, intercept=1.0))
    np.testing.assert_array_equal(values, 41.0)
