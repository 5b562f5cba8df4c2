"""A face is erased and nothing else changes, whatever the numbers are stored as."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.release import Step
from medveil.locate.template import template
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.method import remarks
from medveil.protect.deface.parts import FACE, PARTS, in_parts, near_brain
from medveil.protect.deface.site import air_value
from medveil.simulate.scan import Scan

from .posed import known as known_at
from .posed import posed

MNI_4MM = np.array([[4.0, 0, 0, -120], [0, 4, 0, -140], [0, 0, 4, -210], [0, 0, 0, 1]])
MNI_SHAPE = (60, 70, 80)


@pytest.fixture
def truth() -> Scan:
    return posed().scan


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head is found already: what is tested is what happens to the stored numbers."""
    known_at(posed(), monkeypatch)


@pytest.mark.usefixtures("known")
def test_no_voxel_of_the_brain_changes_and_the_face_goes(truth: Scan) -> None:
    out = Erase().apply(truth.image)
    assert out.altered is not None
    assert out.protected is not None
    assert not (out.altered & truth.brain_mask).any()
    assert not (out.altered & out.protected).any()
    np.testing.assert_array_equal(out.image.data[~out.altered], truth.image.data[~out.altered])
    assert out.measured["removed_ml"] > 200
    assert all(out.measured[f"covered_{part}"] > 0.9 for part in FACE)
    assert out.remarks == ()


@pytest.mark.usefixtures("known")
def test_the_air_before_the_face_goes_as_well(truth: Scan) -> None:
    out = Erase().apply(truth.image)
    assert out.altered is not None
    in_front = truth.image.data[:, -1]
    assert out.altered[:, -1].any()
    assert in_front[out.altered[:, -1]].any()  # there was noise
    assert not out.image.data[:, -1][out.altered[:, -1]].any()


@pytest.mark.usefixtures("known")
def test_input_is_left_alone_and_twice_gives_the_same_bytes(truth: Scan) -> None:
    before = truth.image.data.tobytes()
    one, two = Erase().apply(truth.image), Erase().apply(truth.image)
    assert truth.image.data.tobytes() == before
    assert one.image.data.tobytes() == two.image.data.tobytes()
    assert one.measured == two.measured


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("stored", ["i2", ">i2", "u1", "f4", ">f8"])
def test_any_storage_is_patched_in_place(truth: Scan, stored: str) -> None:
    data = np.asarray(truth.image.data / 8 if stored == "u1" else truth.image.data).astype(stored)
    out = Erase(parts=("nose",)).apply(Image(data, truth.image.affine))
    assert out.altered is not None
    assert out.image.data.dtype == np.dtype(stored)
    assert out.image.data[~out.altered].tobytes() == data[~out.altered].tobytes()
    assert (out.image.data[out.altered] == data.min()).all()


@pytest.mark.usefixtures("known")
def test_a_slope_says_what_air_is_stored_as(truth: Scan) -> None:
    image = replace(truth.image, data=truth.image.data + np.int16(100), slope=0.5, intercept=-50.0)
    out = Erase(parts=("chin",)).apply(image)
    assert (out.image.data[out.altered] == 100).all()


@pytest.mark.usefixtures("known")
def test_all_volumes_of_a_series_lose_the_same_voxels(truth: Scan) -> None:
    series = Image(np.stack([truth.image.data, truth.image.data // 2], axis=-1), truth.image.affine)
    single, out = Erase().apply(truth.image), Erase().apply(series)
    assert out.altered is not None
    np.testing.assert_array_equal(out.altered, single.altered)
    assert (out.image.data[out.altered] == 0).all()
    np.testing.assert_array_equal(out.image.data[~out.altered], series.data[~out.altered])


@pytest.mark.usefixtures("known")
def test_the_same_places_go_in_any_storage_order(truth: Scan) -> None:
    image = truth.image
    data = image.data[::-1].transpose(1, 2, 0)
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (image.data.shape[0] - 1)
    affine[:3, 0] *= -1
    out = Erase().apply(Image(data, affine[:, [1, 2, 0, 3]]))
    straight = Erase().apply(image)
    assert out.altered is not None
    assert straight.altered is not None
    np.testing.assert_array_equal(out.altered.transpose(2, 0, 1)[::-1], straight.altered)


@pytest.mark.usefixtures("known")
def test_strong_settings_take_more(truth: Scan) -> None:
    plain = Erase().apply(truth.image).measured["removed_ml"]
    assert Erase(forehead=True).apply(truth.image).measured["removed_ml"] > plain + 20
    assert Erase(deep=True).apply(truth.image).measured["removed_ml"] > plain + 20
    assert Erase(margin_mm=12.0).apply(truth.image).measured["removed_ml"] < plain


@pytest.mark.usefixtures("known")
def test_a_face_out_of_view_is_said(truth: Scan) -> None:
    keep = 64  # slices of 3 mm from the top: the field of view ends above the eyes
    affine = truth.image.affine.copy()
    affine[:3, 3] += affine[:3, 2] * keep
    out = Erase(parts=("nose", "mouth")).apply(Image(truth.image.data[:, :, keep:], affine))
    assert out.remarks == ("no face tissue in the field of view: nothing removed",)


@pytest.mark.usefixtures("known")
def test_a_face_that_is_gone_is_said(truth: Scan) -> None:
    out = Erase(parts=("eyes", "nose", "cheeks", "mouth", "chin")).apply(truth.image)
    again = Erase().apply(out.image)
    assert again.remarks[0].startswith("the face appears to be removed already")


def test_every_part_lies_outside_the_brain_and_inside_its_own_side() -> None:
    masks = in_parts(tuple(PARTS), MNI_SHAPE, MNI_4MM)
    protected = near_brain(MNI_SHAPE, MNI_4MM, 5.0, 1.0)
    for name, mask in masks.items():
        assert mask.any(), name
        np.testing.assert_array_equal(mask[1:], mask[1:][::-1])  # left is right
        if name not in ("forehead", "eye_box"):  # those are shells before the brain, cut out by its margin
            inside = mask & near_brain(MNI_SHAPE, MNI_4MM, 0.0, 1.0)
            assert inside.sum() < 0.05 * mask.sum(), name
    assert protected.sum() * 64 / 1e6 > 1.9  # litres


def test_the_margin_is_counted_in_millimetres_of_the_patient() -> None:
    small, large = (near_brain(MNI_SHAPE, MNI_4MM, 10.0, scale) for scale in (0.95, 1.3))
    assert small.sum() > large.sum()
    assert small[large].all()


def test_the_template_is_whole_and_knows_distances() -> None:
    t = template()
    assert 1.7 < t.brain.sum() * t.mm**3 / 1e6 < 2.1
    assert (t.distance_mm[t.brain] < 0).all()
    assert (t.distance_mm[~t.brain] > 0).all()


def test_air_is_the_image_s_own() -> None:
    place = posed().place
    affine, ct = np.eye(4), replace(place, modality="ct")
    hounsfield = np.full((6, 6, 6), -1000, np.int16)
    hounsfield[2:4] = 40
    hounsfield[5] = -3000  # padding beyond the reconstruction
    assert air_value(Image(hounsfield, affine), ct) == -1000
    grey = np.array([3] * 50 + [200] * 10 + [0] * 4, np.uint8).reshape(4, 4, 4)
    assert 0 <= air_value(Image(grey, affine), ct) < 4
    assert air_value(Image(np.array([[[-2.0, 0, 9]]]), affine), place) == 0.0
    assert air_value(Image(np.array([[[7, 9, 40]]]), affine), place) == 7.0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"parts": ("eyes", "hat")}, "no part hat"),
        ({"parts": ()}, "no part is chosen"),
        ({"margin_mm": -1.0}, "margin_mm"),
        ({"margin_mm": float("nan")}, "margin_mm"),
        ({"modality": "us"}, "no modality us"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Erase(**settings)  # type: ignore[arg-type]


def test_a_step_describes_itself() -> None:
    step = Erase(parts=["eyes", "nose"], deep=True)  # type: ignore[arg-type]
    assert isinstance(step, Step)
    assert step.parts == ("eyes", "nose")
    assert step.describe() == (
        "find the head, erase eyes, nose, nasal cavity, throat and the air before them, and change nothing "
        "within 5 mm of the brain"
    )


def test_what_is_out_of_view_is_listed() -> None:
    measured = {"removed_ml": 200.0, "face_tissue": 0.9, "in_view_eyes": 1.0, "in_view_chin": 0.0}
    assert remarks(measured, ("eyes", "chin")) == ("outside the field of view: chin",)
