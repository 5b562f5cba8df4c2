"""CT: the couch goes, the organs stay, air is -1000, and the box of the eyes leaves what is below it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from medveil.core.errors import UsageError
from medveil.core.release import Given
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.parts import in_parts

from .posed import SPACING_MM, known, posed

ML = SPACING_MM**3 / 1000


def test_couch_and_head_rest_go_and_the_head_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(contrast="CT", table=True), monkeypatch)
    plain, out = Erase().apply(truth.image), Erase(table=True).apply(truth.image)
    assert plain.altered is not None
    assert out.altered is not None
    head = truth.labels > 0
    rest = (truth.image.data > -400) & ~ndi.binary_dilation(head, iterations=2)
    assert rest.sum() * ML > 200
    left = out.image.data[rest & ~plain.altered] > -400
    assert left.sum() * ML < 10  # where the rest touches the head
    more = out.altered & ~plain.altered
    assert (more & head).sum() * ML < 1.0
    assert (out.image.data[out.altered] == -1000).all()
    assert not (out.altered & truth.brain_mask).any()


def test_the_noise_of_the_air_goes_with_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    out = Erase(parts=("nose",), table=True).apply(truth.image)
    behind = out.image.data[:, 0]
    assert truth.image.data[:, 0].std() > 1
    assert (behind == truth.image.data.min()).all()
    head = truth.labels > 0
    nose = in_parts(("nose",), head.shape, np.linalg.inv(posed().place.affine) @ truth.image.affine)["nose"]
    assert out.altered is not None
    assert (out.altered & head & ~nose).sum() * ML < 1.0


def test_thin_skin_and_ears_belong_to_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(contrast="pet"), monkeypatch)
    plain, out = (Erase(parts=("nose",), table=table).apply(truth.image) for table in (False, True))
    assert plain.altered is not None
    assert out.altered is not None
    assert (out.altered & ~plain.altered & (truth.labels > 0)).sum() * ML < 1.0


def test_the_box_of_the_eyes_leaves_jaw_and_glands(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(contrast="CT", table=True), monkeypatch)
    out = Erase(eye_box=True).apply(truth.image)
    assert out.altered is not None
    assert not (out.altered & truth.brain_mask).any()
    at = np.argwhere(out.altered)
    to_mni = np.linalg.inv(posed(contrast="CT", table=True).place.affine) @ truth.image.affine
    x, y, z = (at @ to_mni[:3, :3].T + to_mni[:3, 3]).T
    assert y.min() > 57
    assert z.min() > -52
    assert np.ptp(x) > 100
    assert out.proofs == {"named parts covered": True}
    assert out.measured["covered_eye_box"] >= 0.995
    assert out.measured["covered_eyes"] > 0.6
    assert out.measured["covered_chin"] < 0.05


def test_what_a_plan_must_keep_wins_over_every_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(contrast="CT", table=True), monkeypatch)
    step = Erase(eye_box=True, table=True)
    plain = step.apply(truth.image)
    assert plain.altered is not None
    keep = np.zeros_like(plain.altered)
    keep[:, -8:] = True
    keep[:3] = True
    assert (plain.altered & keep).any()
    out = step.apply(truth.image, Given(keep=keep))
    assert out.altered is not None
    np.testing.assert_array_equal(out.altered, plain.altered & ~keep)
    np.testing.assert_array_equal(out.image.data[keep], truth.image.data[keep])


@pytest.mark.parametrize("also", [{"parts": ("nose",)}, {"forehead": True}, {"deep": True}])
def test_the_box_cannot_be_combined_with_other_parts(also: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="eye_box takes the place of the parts"):
        Erase(eye_box=True, **also)  # type: ignore[arg-type]


def test_box_and_table_are_told() -> None:
    assert Erase(eye_box=True, table=True).describe() == (
        "find the head, erase the box before and above the eyes and the air before them, and all that lies "
        "outside the body, and change nothing within 5 mm of the brain"
    )
