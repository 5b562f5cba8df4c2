"""A face that leaves the view at one edge and comes in again at the other is found there, or the image refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest

from medveil.core.image import Image
from medveil.core.release import Given, Mask, Outcome
from medveil.core.seeds import Seeds
from medveil.locate.location import Location
from medveil.protect.deface import method
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.method import Method, proofs
from medveil.protect.deface.replace import Replace
from medveil.protect.deface.shear import Shear
from medveil.protect.deface.wrapped import Wrap
from medveil.simulate.brain import brain_affine
from medveil.simulate.face_parts import face_parts
from medveil.simulate.person import draw_person
from medveil.simulate.placing import view_of
from medveil.simulate.scan import Scanner, head_for, scan

SPACING_MM = 3.0
WHO = draw_person(Seeds(7), 2)
METHODS = (Erase(), Shear(), Replace())


@dataclass(frozen=True, eq=False)
class Wrapped:
    """A scan of which something came in at another edge: image, its brain, its own tissue, and the skin that came."""

    image: Image
    brain: Mask
    tissue: Mask
    came_in: Mask
    place: Location


@lru_cache
def seen_with(wrap_mm: float = 0.0, crop_front_mm: float | None = None) -> Wrapped:
    """The scanner's own wrap along y."""
    scanner = Scanner(spacing_mm=SPACING_MM, wrap_mm=wrap_mm, crop_front_mm=crop_front_mm)
    head = head_for(WHO, scanner)
    seen = scan(WHO, Seeds(7), scanner=scanner, head=head)
    i, j, k = seen.labels.shape
    beyond = view_of(scanner, head, seen.pose).wrapped
    whole = face_parts(head, replace(seen, labels=np.zeros((i, j + beyond, k), np.uint8))) > 0
    came_in = np.zeros((i, j, k), bool)
    came_in[:, :beyond] = whole[:, j:]
    place = Location(seen.pose @ brain_affine(WHO), {}, "mr", {})
    return Wrapped(seen.image, seen.brain_mask, seen.labels > 0, came_in, place)


@lru_cache
def folded(axis: int, low_mm: float, high_mm: float) -> Wrapped:
    """A wide scan whose view ends so far inside the head at the ends of an axis, as a scanner folds it."""
    scanner = Scanner(spacing_mm=SPACING_MM)
    head = head_for(WHO, scanner)
    seen = scan(WHO, Seeds(7), scanner=scanner, head=head)
    at = np.flatnonzero((seen.labels > 0).any(axis=tuple({0, 1, 2} - {axis})))
    first = max(0, int(at[0] + round(low_mm / SPACING_MM)))
    end = int(at[-1] + 1 - round(high_mm / SPACING_MM))

    def beyond(array: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        planes = np.moveaxis(array, axis, 0)
        out = np.zeros_like(planes[first:end])
        above = planes[end:]
        out[: len(above)] += above
        out[len(out) - first :] += planes[:first]
        return np.moveaxis(out, 0, axis)

    view = tuple(slice(first, end) if a == axis else slice(None) for a in range(3))
    affine = seen.image.affine.copy()
    affine[:3, 3] += affine[:3, axis] * first
    skin = beyond(face_parts(head, seen).astype(np.int16)) > 0
    image = Image(seen.image.data[view] + beyond(seen.image.data), affine)
    place = Location(seen.pose @ brain_affine(WHO), {}, "mr", {})
    return Wrapped(image, seen.brain_mask[view], seen.labels[view] > 0, skin, place)


def defaced(what: Wrapped, step: Method | None = None, *, without_fold: bool = False) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "locate", lambda image, modality, given: what.place)
        if without_fold:
            patch.setattr(method, "wraps", lambda site, names: ())
        return (step or Erase()).apply(what.image)


def share(out: Outcome, of: Mask) -> float:
    assert out.altered is not None
    assert of.any()
    return float(out.altered[of].mean())


@pytest.mark.parametrize("wrap_mm", [25.0, 8.0])
@pytest.mark.parametrize("step", METHODS, ids=lambda s: s.name)
def test_what_came_in_at_the_back_goes_and_the_brain_stays(step: Method, wrap_mm: float) -> None:
    what = seen_with(wrap_mm)
    out = defaced(what, step)
    assert out.altered is not None
    assert share(out, what.came_in) >= 0.995
    assert not (out.altered & what.brain).any()
    assert out.proofs == {"named parts covered": True, "nothing wrapped is left": True}
    assert out.measured["wrapped_ml"] > 1.0
    assert out.remarks[-1] == (
        "the face leaves the view at the front; what may have come in at the back was erased"
    )
    np.testing.assert_array_equal(out.image.data[~out.altered], what.image.data[~out.altered])


def test_without_the_fold_it_would_be_left_with_every_proof_held() -> None:
    what = seen_with(25.0)
    out = defaced(what, without_fold=True)
    assert share(out, what.came_in) < 0.01
    assert all(out.proofs.values())


def test_the_back_of_the_head_stays_where_what_came_in_is_a_piece_of_its_own() -> None:
    what = seen_with(25.0)
    out, before = defaced(what), defaced(what, without_fold=True)
    assert out.altered is not None
    assert before.altered is not None
    lost_ml = (out.altered & ~before.altered & what.tissue).sum() * SPACING_MM**3 / 1000
    assert lost_ml < 1.0


@pytest.mark.parametrize("crop_front_mm", [75.0, 60.0])
def test_a_view_that_only_ends_before_the_face_loses_nothing(crop_front_mm: float) -> None:
    what = seen_with(crop_front_mm=crop_front_mm)
    out, before = defaced(what), defaced(what, without_fold=True)
    assert out.image.data.tobytes() == before.image.data.tobytes()
    assert out.measured == before.measured
    assert "nothing wrapped is left" not in out.proofs


@pytest.mark.parametrize("step", METHODS, ids=lambda s: s.name)
def test_an_image_with_air_around_the_head_is_as_before(step: Method) -> None:
    what = seen_with()
    out, before = defaced(what, step), defaced(what, step, without_fold=True)
    assert out.image.data.tobytes() == before.image.data.tobytes()
    assert out.measured == before.measured
    assert out.remarks == before.remarks


@pytest.mark.parametrize(
    ("axis", "low_mm", "high_mm", "entered"),
    [
        (0, -200.0, 12.0, "the left"),
        (0, 12.0, -200.0, "the right"),
        (2, 50.0, -30.0, "the top"),
    ],
)
def test_ears_and_chins_come_in_at_other_edges(
    axis: int, low_mm: float, high_mm: float, entered: str
) -> None:
    what = folded(axis, low_mm, high_mm)
    out = defaced(what)
    assert out.altered is not None
    assert share(out, what.came_in) >= 0.995
    assert not (out.altered & what.brain).any()
    assert any(f"come in at {entered}" in r for r in out.remarks)


@pytest.mark.parametrize(
    ("axis", "low_mm", "high_mm"),
    [(1, 0.0, 12.0), (1, 0.0, 25.0), (1, 6.0, 12.0), (1, 6.0, 25.0), (2, 50.0, 0.0)],
)
def test_what_lies_over_the_other_side_of_the_head_goes_or_the_image_is_refused(
    axis: int, low_mm: float, high_mm: float
) -> None:
    what = folded(axis, low_mm, high_mm)
    out = defaced(what)
    assert out.altered is not None
    assert not (out.altered & what.brain).any()
    assert share(out, what.came_in) >= 0.995 or not all(out.proofs.values())


def test_what_came_in_over_the_brain_is_refused() -> None:
    assert defaced(folded(1, 6.0, 25.0)).proofs["nothing wrapped is left"] is False


def test_what_is_to_be_kept_wins_and_is_said() -> None:
    what = seen_with(25.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "locate", lambda image, modality, given: what.place)
        out = Erase().apply(what.image, Given(keep=what.came_in))
    assert out.altered is not None
    assert not (out.altered & what.came_in).any()
    assert out.proofs["nothing wrapped is left"] is False


def test_a_ct_does_not_fold() -> None:
    what = seen_with(25.0)
    out = defaced(replace(what, place=replace(what.place, modality="ct")))
    assert "wrapped_ml" not in out.measured


def test_all_volumes_of_a_series_lose_what_came_in() -> None:
    what = seen_with(25.0)
    series = replace(what, image=what.image.with_data(np.stack([what.image.data] * 2, axis=-1)))
    single, out = defaced(what), defaced(series)
    np.testing.assert_array_equal(out.altered, single.altered)
    assert out.proofs["nothing wrapped is left"]


def test_what_came_in_turns_about_the_head_it_belongs_to() -> None:
    """Voxels of 1 mm; a piece at (5, 0, 5) belongs to (5, 20, 5), and the head turns about (5, 10, 5)."""
    piece = np.zeros((20, 20, 11), bool)
    piece[5, 0:3, 5] = True
    angle = np.radians(10.0)
    turn, about = np.eye(4), np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    about[:3, 3] = [10.0, 10.0, 5.0]
    wrap = Wrap(piece, piece, np.array([0.0, 20.0, 0.0]), "the front", "the back")
    moved = wrap.moved(np.eye(4), (about @ turn @ np.linalg.inv(about),)).altered
    # (5, 21, 5) goes to (10 - 5 cos - 11 sin, 10 - 5 sin + 11 cos) = (3.17, 19.96): one voxel before the edge.
    assert moved[3, 0, 5]
    assert not moved[8:].any()


def test_the_proof_is_given_even_where_the_face_was_gone_already() -> None:
    measured = {"face_tissue": 0.1, "wrapped_left_ml": 2.0}
    assert proofs(measured, ("nose",)) == {"nothing wrapped is left": False}
