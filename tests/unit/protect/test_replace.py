"""Another face is pasted, and not one number of the patient's own goes into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import InputRefused, Refusal, UsageError
from medveil.core.image import Image
from medveil.core.release import NOTHING, Mask, Outcome, Step
from medveil.core.seeds import Seeds
from medveil.io import nifti
from medveil.locate.head import Location
from medveil.protect.deface import cohort_face, method
from medveil.protect.deface.cohort_face import build_face_template
from medveil.protect.deface.faces import face_of, mean_person, placed, synthetic
from medveil.protect.deface.replace import Replace
from medveil.protect.deface.shares import shares
from medveil.protect.deface.site import Site
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, Scanner, scan
from medveil.simulate.tissues import Contrast, Tissue

WHO = draw_person(Seeds(7), 5)


def scanned(contrast: Contrast = "T1w", **settings: float) -> tuple[Scan, Location]:
    seen = scan(WHO, Seeds(7), scanner=Scanner(contrast=contrast, spacing_mm=3.0, **settings))
    return seen, Location(seen.pose @ brain_affine(WHO), {}, "ct" if contrast == "CT" else "mr", {})


def replaced(image: Image, place: Location, step: Replace | None = None) -> Outcome:
    """Replace with the head found already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "locate", lambda image, modality, given: place)
        return (step or Replace()).apply(image)


@pytest.fixture(scope="module")
def head() -> tuple[Scan, Location]:
    return scanned()


@pytest.fixture(scope="module")
def out(head: tuple[Scan, Location]) -> Outcome:
    return replaced(head[0].image, head[1])


def test_no_voxel_of_the_brain_changes_and_every_part_is_covered(
    head: tuple[Scan, Location], out: Outcome
) -> None:
    assert out.altered is not None
    assert not (out.altered & head[0].brain_mask).any()
    np.testing.assert_array_equal(out.image.data[~out.altered], head[0].image.data[~out.altered])
    assert out.proofs == {"named parts covered": True}


def with_another_face(image: Image, altered: Mask) -> Image:
    """Random numbers for a face; not at the edges of the view, from which is read whether it wraps."""
    inside = np.zeros_like(altered)
    inside[3:-3, 3:-3, 3:-3] = altered[3:-3, 3:-3, 3:-3]
    data = image.data.copy()
    data[inside] = np.random.default_rng(0).integers(0, 900, int(inside.sum()))
    return image.with_data(data)


def test_what_is_pasted_does_not_depend_on_what_was_there(head: tuple[Scan, Location], out: Outcome) -> None:
    """The strongest sentence about a replaced face: any other face there would have given the same bytes."""
    seen, place = head
    assert out.altered is not None
    other = replaced(with_another_face(seen.image, out.altered), place)
    assert other.image.data.tobytes() == out.image.data.tobytes()


def test_neither_does_where_it_is_pasted(head: tuple[Scan, Location]) -> None:
    """A wide margin reaches into the skin of the brow; where it ends must not be read from there."""
    seen, place = head
    out = replaced(seen.image, place, Replace(margin_mm=12.0))
    assert out.altered is not None
    other = replaced(with_another_face(seen.image, out.altered), place, Replace(margin_mm=12.0))
    np.testing.assert_array_equal(other.altered, out.altered)
    assert other.image.data.tobytes() == out.image.data.tobytes()


def test_a_kept_voxel_more_or_less_is_another_noise(head: tuple[Scan, Location], out: Outcome) -> None:
    data = head[0].image.data.copy()
    data[0, 0, 0] += 1
    other = replaced(head[0].image.with_data(data), head[1])
    assert (other.image.data[out.altered] != out.image.data[out.altered]).mean() > 0.5


@pytest.mark.parametrize("contrast", ["T2w", "CT"])
def test_another_face_has_the_shape_of_a_face_and_the_levels_of_this_image(contrast: Contrast) -> None:
    seen, place = scanned(contrast)
    out = replaced(seen.image, place)
    assert out.altered is not None
    own, new = (im.values()[out.altered] for im in (seen.image, out.image))
    air, muscle = (float(np.median(seen.image.data[seen.labels == t])) for t in (Tissue.AIR, Tissue.MUSCLE))
    assert np.median(new[own < (air + muscle) / 2]) == pytest.approx(air, abs=0.1 * (muscle - air))
    was, is_now = own > (air + muscle) / 2, new > (air + muscle) / 2
    assert 2 * (was & is_now).sum() / (was.sum() + is_now.sum()) > 0.8
    inner = seen.labels[out.altered] == Tissue.MUSCLE
    assert np.median(new[inner]) == pytest.approx(muscle, abs=0.25 * (muscle - air))


def test_noise_in_the_pasted_air_is_that_of_the_air_around(head: tuple[Scan, Location], out: Outcome) -> None:
    assert out.altered is not None
    front = out.altered.copy()
    front[:, :-3] = False  # the last planes before the face hold nothing but air
    was, now = head[0].image.data[front].astype(float), out.image.data[front].astype(float)
    assert now.mean() == pytest.approx(was.mean(), rel=0.1)
    assert now.std() == pytest.approx(was.std(), rel=0.1)


def test_each_volume_of_a_series_gets_the_face_in_its_own_levels(head: tuple[Scan, Location]) -> None:
    seen, place = head
    series = Image(np.stack([seen.image.data, seen.image.data // 2], axis=-1), seen.image.affine)
    out = replaced(series, place)
    assert out.altered is not None
    first, second = (out.image.data[..., t][out.altered].astype(float) for t in range(2))
    assert first[first > 200].mean() == pytest.approx(2 * second[second > 100].mean(), rel=0.05)
    assert np.corrcoef(first, second)[0, 1] > 0.95


def test_the_pasted_face_has_one_size_for_all_adults() -> None:
    face = synthetic(0, 2.0)
    for index in range(4):
        person = draw_person(Seeds(7), index)
        to_face = placed(face, brain_affine(person))
        np.testing.assert_allclose(to_face[:3, :3] @ to_face[:3, :3].T, np.eye(3), atol=1e-9)
    child = placed(face, brain_affine(mean_person()) @ np.diag([0.75, 0.75, 0.75, 1.0]))
    assert 1 / np.cbrt(np.linalg.det(child[:3, :3])) == pytest.approx(0.8)


def test_a_number_draws_another_face() -> None:
    mean, one, two = (synthetic(n, 2.0) for n in (0, 1, 2))
    assert not np.array_equal(one.outward_mm, two.outward_mm)
    # Nobody is symmetric; `drop_specks` may turn a voxel of the air before the lips, far from any skin.
    apart = np.abs(mean.outward_mm - mean.outward_mm[::-1])
    assert np.percentile(apart, 99.5) < 1e-3


def test_shares_of_a_point_add_up_to_one() -> None:
    face = synthetic(0, 2.0)
    at = np.random.default_rng(0).uniform(0, 100, (50, 3))
    outward = np.linspace(-20, 5, 50, dtype=np.float32)
    mixed = shares(face, at, outward, 1.0)
    np.testing.assert_allclose(mixed.weights.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(mixed.matrix(len(Tissue)).sum(1), 1, atol=1e-5)
    assert mixed.matrix(len(Tissue))[-1, Tissue.SKIN] > 0.99  # before the skin, the skin goes on


@pytest.mark.parametrize("cut", [{"crop_below_mm": -25.0}, {"crop_front_mm": 45.0}])
def test_too_little_of_a_face_in_view_is_refused_by_name(cut: dict[str, float]) -> None:
    seen, place = scanned(**cut)
    with pytest.raises(Refusal, match="field of view cuts the face") as refused:
        Replace().change(Site(seen.image, place, 5.0, NOTHING))
    assert refused.value.reason == "field of view cuts the face"


@pytest.mark.parametrize("bad", [{"face": -1}, {"face": 3, "template": "mean.nii.gz"}])
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Replace(**bad)  # type: ignore[arg-type]


def test_it_is_a_step_that_says_what_it_does() -> None:
    assert isinstance(Replace(), Step)
    assert "the face of nobody" in Replace().describe()
    assert "mean.nii" not in Replace(template="mean.nii").describe()


def test_the_mean_of_one_head_ten_times_is_that_head_and_can_be_pasted(
    head: tuple[Scan, Location], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen, place = head
    monkeypatch.setattr(cohort_face, "locate", lambda image: place)
    template = build_face_template((seen.image for _ in range(10)), mm=3.0)
    own = np.linalg.inv(seen.image.affine) @ place.affine @ template.affine
    at = np.argwhere(template.data[..., 0] < 20)
    voxel = np.rint(at @ own[:3, :3].T + own[:3, 3]).astype(int)
    inside = ((voxel >= 0) & (voxel < seen.labels.shape)).all(1)
    is_head = seen.labels[tuple(voxel[inside].T)] > 0
    says_head = template.data[tuple(at[inside].T)][:, 0] < 0
    assert 2 * (is_head & says_head).sum() / (is_head.sum() + says_head.sum()) > 0.93

    nifti.write(template, tmp_path / "mean.nii.gz")
    out = replaced(seen.image, place, Replace(template=str(tmp_path / "mean.nii.gz")))
    assert out.proofs == {"named parts covered": True}
    assert out.altered is not None
    was, now = (im.values()[out.altered] > 150 for im in (seen.image, out.image))
    assert 2 * (was & now).sum() / (was.sum() + now.sum()) > 0.85


def test_a_mean_of_nine_people_is_refused(
    head: tuple[Scan, Location], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohort_face, "locate", lambda image: head[1])
    coarse = Image(head[0].image.data[::2, ::2, ::2], head[0].image.affine @ np.diag([2.0, 2, 2, 1]))
    with pytest.raises(UsageError, match="made of 9 people, expected 10"):
        build_face_template([coarse] * 9, mm=3.0)


def test_a_file_that_is_no_face_is_refused(head: tuple[Scan, Location]) -> None:
    with pytest.raises(InputRefused, match="distances to the skin"):
        face_of(head[0].image)
