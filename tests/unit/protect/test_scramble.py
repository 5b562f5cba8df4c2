"""The skin of a face is blurred, replaced by noise or rippled, and nothing else changes."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.release import Outcome, Step
from medveil.core.seeds import Seeds
from medveil.locate.head import Location
from medveil.protect.deface import method
from medveil.protect.deface.layers import signed_distance, stream_of
from medveil.protect.deface.scramble import How, Scramble
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, scan
from medveil.simulate.tissues import Tissue

WAYS: tuple[How, ...] = get_args(How)


@pytest.fixture(scope="module")
def truth() -> Scan:
    return scan(draw_person(Seeds(7), 5), Seeds(7), scanner=Scanner(spacing_mm=3.0))


@pytest.fixture(scope="module")
def place(truth: Scan) -> Location:
    return Location(truth.pose @ brain_affine(draw_person(Seeds(7), 5)), {}, "mr", {})


@pytest.fixture(scope="module")
def outcomes(truth: Scan, place: Location) -> dict[How, Outcome]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "locate", lambda image, modality, given: place)
        return {how: Scramble(how=how).apply(truth.image) for how in WAYS}


@pytest.fixture
def known(place: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "locate", lambda image, modality, given: place)


@pytest.mark.parametrize("how", WAYS)
def test_the_skin_of_every_part_changes_and_no_voxel_of_the_brain(
    truth: Scan, outcomes: dict[How, Outcome], how: How
) -> None:
    out = outcomes[how]
    assert out.altered is not None
    assert not (out.altered & truth.brain_mask).any()
    np.testing.assert_array_equal(out.image.data[~out.altered], truth.image.data[~out.altered])
    assert out.proofs == {"named parts covered": True}
    assert (out.image.data[out.altered] != truth.image.data[out.altered]).mean() > 0.9


def _furthest_mm(image: Image, truth: Scan) -> float:
    """How far forward tissue reaches: millimetres from the back of the image to the tip of the nose."""
    level = 0.5 * float(np.median(truth.image.data[truth.labels == Tissue.MUSCLE]))
    tissue = (image.data > level).sum(axis=(0, 2)) > 3
    return float(np.flatnonzero(tissue).max()) * image.spacing_mm[1]


def test_blurring_takes_the_nose_off_the_outline(truth: Scan, outcomes: dict[How, Outcome]) -> None:
    before = _furthest_mm(truth.image, truth)
    assert _furthest_mm(outcomes["smooth"].image, truth) < before - 6
    assert _furthest_mm(outcomes["noise"].image, truth) < before - 6


def test_noise_stays_between_the_percentiles_of_the_shell(truth: Scan, outcomes: dict[How, Outcome]) -> None:
    out = outcomes["noise"]
    assert out.altered is not None
    new = out.image.data[out.altered]
    noise = new[new > truth.image.data.min()]
    low, high = np.percentile(truth.image.data[out.altered & (truth.labels > 0)], (20, 95))
    assert noise.size > 1000
    assert noise.min() > low
    assert noise.max() < high


def test_a_deep_voxel_of_the_face_stays_as_it_was(truth: Scan, outcomes: dict[How, Outcome]) -> None:
    depth = -signed_distance(truth.labels > 0) * 3.0
    for out in outcomes.values():
        assert out.altered is not None
        assert not out.altered[depth > 25].any()


@pytest.mark.usefixtures("known")
def test_the_same_image_gives_the_same_bytes_and_another_one_another_ripple(
    truth: Scan, outcomes: dict[How, Outcome]
) -> None:
    again = Scramble(how="ripple").apply(truth.image)
    assert again.image.data.tobytes() == outcomes["ripple"].image.data.tobytes()
    data = truth.image.data.copy()
    data[0, 0, 0] += 1  # far behind and below the head
    other = Scramble(how="ripple").apply(truth.image.with_data(data))
    first, second = outcomes["ripple"].altered, other.altered
    assert first is not None
    assert second is not None
    assert (first != second).sum() > 100


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("how", ["smooth", "noise"])
def test_every_volume_of_a_series_is_scrambled_by_its_own_levels(truth: Scan, how: How) -> None:
    series = Image(np.stack([truth.image.data, truth.image.data // 2], axis=-1), truth.image.affine)
    out = Scramble(how=how, parts=("nose", "mouth")).apply(series)
    assert out.altered is not None
    first, second = out.image.data[out.altered].astype(float).T
    assert first[first > 100].mean() == pytest.approx(2 * second[second > 50].mean(), rel=0.1)


def test_draws_depend_on_every_stored_number() -> None:
    numbers = np.arange(12, dtype=np.int16)
    one = stream_of("a", numbers).random()
    assert one == stream_of("a", numbers.copy()).random()
    assert one != stream_of("b", numbers).random()
    assert one != stream_of("a", numbers[::-1]).random()


@pytest.mark.parametrize(
    "bad",
    [{"how": "pixelate"}, {"depth_mm": 2.0}, {"depth_mm": 99.0}, {"parts": ()}, {"parts": ("tail",)}],
)
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Scramble(**bad)  # type: ignore[arg-type]


def test_it_calls_itself_the_weakest() -> None:
    step = Scramble()
    assert isinstance(step, Step)
    assert "weakest" in step.describe()
    assert "weakest" in step.summary
