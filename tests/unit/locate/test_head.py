"""A head is found wherever its header says it lies; what is no head is refused by name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from medveil.core.errors import InputRefused, Refusal, UsageError
from medveil.core.image import Image
from medveil.core.release import Carried, Given
from medveil.core.seeds import Seeds
from medveil.locate import starts
from medveil.locate.confidence import SOFT, SURE, beyond_l, judge, refusal
from medveil.locate.grid import block_mean, isotropic, orientation, reoriented, volume_of
from medveil.locate.head import Location, locate, looks_like_hounsfield
from medveil.locate.hints import LANDMARKS, similarity
from medveil.locate.register import apart_mm
from medveil.locate.speckle import without_speckle
from medveil.simulate.brain import head_to_template
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, scan
from medveil.simulate.scanner import Scanner

RNG = np.random.default_rng(3)


PERSON = draw_person(Seeds(7), 1)


def seen(**settings: object) -> Scan:
    """The same person under other conditions, at 3 mm."""
    return scan(PERSON, Seeds(7), scanner=Scanner(spacing_mm=3.0, **settings))  # type: ignore[arg-type]


def errors_mm(made: Scan, affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far an affine puts the points of the true brain from where they are."""
    ras = np.argwhere(made.brain_mask)[::50] @ made.image.affine[:3, :3].T + made.image.affine[:3, 3]
    to_head = np.linalg.inv(made.pose)
    mni = head_to_template(PERSON, ras @ to_head[:3, :3].T + to_head[:3, 3])
    off: npt.NDArray[np.float64] = np.linalg.norm(mni @ affine[:3, :3].T + affine[:3, 3] - ras, axis=1)
    return off


@pytest.fixture(scope="module")
def head() -> Scan:
    return seen()


@pytest.fixture(scope="module")
def found(head: Scan) -> Location:
    return locate(head.image)


def test_the_brain_is_where_the_simulator_put_it(head: Scan, found: Location) -> None:
    error = errors_mm(head, found.affine)
    # The people's brains are warped besides: the best affine there is leaves 0.9 mm of its own.
    assert error.mean() < 3.0
    assert np.percentile(error, 95) < 5.0


@pytest.mark.slow
@pytest.mark.parametrize("turn", [(42.0, 0.0, 0.0), (-25.0, -20.0, 20.0)])
def test_a_head_may_lie_askew_and_off_the_middle(turn: tuple[float, float, float]) -> None:
    made = seen(turn_deg=turn, move_mm=(30.0, -20.0, 35.0), storage="PSR")
    assert errors_mm(made, locate(made.image).affine).mean() < 3.0


def test_an_easy_head_needs_one_round(found: Location) -> None:
    assert found.attempts == 1
    assert any(judge(found.confidence, rule) == () for rule in SURE)


def test_a_location_says_how_sure_it_is(found: Location) -> None:
    assert judge(found.confidence, SOFT) == ()
    assert found.modality == "mr"
    assert found.field_of_view["brain_in_view"] > 0.99
    assert "inner_ratio" in repr(found)


def test_neither_storage_order_nor_the_day_matters(head: Scan, found: Location) -> None:
    image = head.image
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


@pytest.mark.parametrize("kind", ["noise", pytest.param("ball", marks=pytest.mark.slow)])
def test_what_is_no_head_is_not_trusted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few = starts.UPRIGHT[4:8]
    for name in ("UPRIGHT", "TILTED", "SHIFTED", "MISLABELLED"):
        monkeypatch.setattr(starts, name, few)
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
        "beyond_l": 0.0,
        "revised_mm": 0.0,
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skin_mm": 4.0}, "registration not trusted"),
        ({"beyond_l": 1.6}, "registration not trusted"),
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


def test_a_second_head_beside_the_first_is_seen() -> None:
    beside = np.argwhere(np.ones((10, 16, 12))) * 8.0 + (130.0, -60.0, -20.0)
    assert beyond_l(np.eye(4), beside, 8.0) == pytest.approx(len(beside) * 0.512e-3)
    own = np.argwhere(np.ones((18, 22, 14))) * 8.0 + (-72.0, -104.0, -40.0)
    assert beyond_l(np.eye(4), own, 8.0) == 0.0


@pytest.mark.slow
def test_a_brain_without_a_head_is_found_and_said_to_be_one(head: Scan, found: Location) -> None:
    stripped = locate(head.image.with_data(np.where(head.brain_mask, head.image.data, 0)))
    assert stripped.state == "skull-stripped"
    assert errors_mm(head, stripped.affine).mean() < 3.0
    assert found.state == "whole"


def test_an_affine_that_is_given_is_used_as_it_is(head: Scan, found: Location) -> None:
    known = np.linalg.inv(found.affine)
    place = locate(head.image, given=Given(affine_to_mni=known))
    np.testing.assert_allclose(place.affine, found.affine, atol=1e-9)
    assert place.way == "given"


def test_an_affine_that_puts_the_brain_into_the_air_is_refused(head: Scan, found: Location) -> None:
    away = found.affine.copy()
    away[:3, 3] += (0.0, 60.0, 0.0)
    with pytest.raises(Refusal, match="in_head"):
        locate(head.image, given=Given(affine_to_mni=np.linalg.inv(away)))


def test_a_given_brain_shows_the_way(head: Scan) -> None:
    place = locate(head.image, given=Given(brain=head.brain_mask))
    assert place.way == "masked"
    assert place.confidence["overlap"] > 0.9
    assert errors_mm(head, place.affine).mean() < 4.0


@pytest.mark.slow
def test_a_given_brain_in_the_wrong_place_is_refused(head: Scan) -> None:
    face = np.roll(head.brain_mask, (0, 18, -22), axis=(0, 1, 2))
    with pytest.raises(Refusal, match=r"registration not trusted|field of view"):
        locate(head.image, given=Given(brain=face & (head.image.data > 100)))


def test_a_brain_mask_of_another_grid_is_refused(head: Scan) -> None:
    with pytest.raises(InputRefused, match="grid"):
        locate(head.image, given=Given(brain=head.brain_mask[:-1]))


def test_landmarks_turn_and_scale_the_template_onto_themselves() -> None:
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    mni = np.array(list(LANDMARKS.values()))
    ras = 0.9 * mni @ turn.T + (5.0, 6.0, 7.0)
    expected = np.eye(4)
    expected[:3, :3], expected[:3, 3] = 0.9 * turn, (5.0, 6.0, 7.0)
    np.testing.assert_allclose(similarity(mni, ras), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"nose": (0, 0, 0)}, "no nose"),
        ({"chin": (0, 0, 0), "nasion": (0, 0, 90)}, "at least 3"),
        ({"left_eye": (-30, 0, 0), "right_eye": (30, 0, 0), "nasion": (0, 0, 0)}, "one line"),
    ],
)
def test_landmarks_that_do_not_fix_a_head_are_a_mistake(points: dict[str, object], said: str) -> None:
    image = Image(np.ones((4, 4, 4), np.uint8), np.eye(4))
    with pytest.raises(UsageError, match=said):
        locate(image, given=Given(landmarks=points))  # type: ignore[arg-type]


def test_landmarks_that_contradict_the_fit_are_a_reason_to_refuse(
    head: Scan, found: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UPRIGHT", "TILTED", "SHIFTED", "MISLABELLED"):
        monkeypatch.setattr(starts, name, starts.UPRIGHT[5:9])
    names = ("nasion", "left_ear", "right_ear", "chin")
    right = {n: tuple(found.affine[:3, :3] @ LANDMARKS[n] + found.affine[:3, 3]) for n in names}
    place = locate(head.image, given=Given(landmarks=right))
    assert place.confidence["landmark_mm"] < 5.0
    wrong = {n: (x, y, z + 80.0) for n, (x, y, z) in right.items()}
    with pytest.raises(Refusal, match="landmark_mm"):
        locate(head.image, given=Given(landmarks=wrong))


def test_an_echo_planar_image_is_placed_by_the_image_that_was_found(head: Scan, found: Location) -> None:
    """Its scalp is too faint for it to be found alone; the head has moved a little between the two."""
    planar = seen(contrast="dwi", turn_deg=(6.0, 2.0, -3.0), move_mm=(5.0, -4.0, 3.0))
    place = locate(planar.image, given=Given(carried=Carried(head.image, np.linalg.inv(found.affine))))
    assert place.way == "carried"
    assert errors_mm(planar, place.affine).mean() < 4.0


@pytest.mark.slow
def test_a_head_of_another_place_is_not_carried_over(head: Scan, found: Location) -> None:
    away = seen(move_mm=(0.0, 0.0, 60.0))
    place = locate(away.image, given=Given(carried=Carried(head.image, np.linalg.inv(found.affine))))
    assert place.way == "searched"
    assert errors_mm(away, place.affine).mean() < 3.0


def test_speckled_air_is_made_dark() -> None:
    rng = np.random.default_rng(5)
    away = np.sqrt(((np.indices((60, 60, 60)) - 29.5) ** 2).sum(0)) * 2
    values = np.where(away < 45, 2500, rng.uniform(0, 4000, away.shape)).astype(np.float32)
    affine = np.diag([2.0, 2, 2, 1])
    grid = isotropic(values, affine, 4.0)
    dark = without_speckle(grid, values, affine)
    centres = np.linalg.norm(np.argwhere(grid.seen) * 4.0 + grid.origin - 59.0, axis=1)
    shown = dark.values.ravel()
    assert (shown[centres > 56] == shown.min()).all()
    assert (shown[centres < 40] > 2000).all()
    dim = isotropic(values * (away < 45), affine, 4.0)
    assert without_speckle(dim, values, affine) is dim


def test_a_difference_has_no_air_below_zero() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(0, 120, (40, 40, 40)).astype(np.float32)
    values[10:30, 10:30, 10:30] += 200
    whole, _ = volume_of(Image(values, np.diag([3.0, 3, 3, 1])))
    np.testing.assert_array_equal(whole, np.maximum(values, 0))
    for other in (values - 1000, values + 3000):  # Hounsfield units, magnitudes
        kept, _ = volume_of(Image(other, np.diag([3.0, 3, 3, 1])))
        np.testing.assert_array_equal(kept, other)


def test_distance_is_that_of_two_affines_over_a_brain() -> None:
    moved = np.eye(4)
    moved[:3, 3] = (3.0, 4.0, 0.0)
    assert apart_mm(np.eye(4), moved) == pytest.approx(5.0)
