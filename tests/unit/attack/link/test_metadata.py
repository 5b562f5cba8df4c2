"""Metadata: surprisal by hand; copies of one scan are found by each kind of trace and by none that is no trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from medveil.attack.link.metadata import SAME_VOXELS_BITS, Metadata, evidence
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused, UsageError
from medveil.core.threat import Threat

NOBODY: Any = None  # the attack looks at no image, so it needs no observer
Traces = Mapping[str, str]


def never() -> Any:
    raise AssertionError("an image was opened")


def cohort(*people: tuple[str, Traces | None]) -> Cohort:
    return Cohort(
        tuple(
            Record(who, f"T1w-{i}", never, traces=None if t is None else lambda t=t: t)
            for i, (who, t) in enumerate(people)
        )
    )


def run(probes: Cohort, gallery: Cohort, attack: Metadata | None = None) -> PairClaims:
    return (attack or Metadata()).run(probes, Threat(gallery=gallery), condition="release", observer=NOBODY)


def sketch(start: int, equal: int = 32, other: int = 99) -> dict[str, str]:
    return {f"voxels.sketch.{i:02d}": f"{start if i < equal else other}-{i}" for i in range(32)}


def test_what_few_say_counts_for_more_than_what_many_say() -> None:
    a = [{"serial.X": "1", "acquisition.EchoTime": "3"}, {"serial.X": "2", "acquisition.EchoTime": "3"}]
    b = [{"serial.X": "1", "acquisition.EchoTime": "3"}, {"serial.X": "1", "acquisition.EchoTime": "4"}]
    found = evidence(a, b)
    # three of four say serial 1; three of four say 3 ms
    assert found["serial"].tolist() == [[pytest.approx(np.log2(4 / 3))] * 2, [0, 0]]
    assert found["acquisition"].tolist() == [[pytest.approx(np.log2(4 / 3)), 0]] * 2


def test_what_everybody_says_counts_nothing() -> None:
    one = {"text.Protocol": "mprage"}
    assert evidence([one, one], [one, one])["text"].tolist() == [[0, 0], [0, 0]]


def test_traces_that_part_the_images_alike_are_counted_once() -> None:
    a = [{"acquisition.Maker": "S", "acquisition.Model": "Skyra", "acquisition.Field": "3"}]
    b = [dict(a[0]), {"acquisition.Maker": "G", "acquisition.Model": "MR750", "acquisition.Field": "1.5"}]
    assert evidence(a, b)["acquisition"].tolist() == [[pytest.approx(np.log2(3 / 2)), 0]]
    b[1]["acquisition.Field"] = "3"
    assert evidence(a, b)["acquisition"][0, 0] == pytest.approx(np.log2(3 / 2))


def test_missing_on_either_side_is_no_evidence() -> None:
    assert evidence([{"serial.X": "1"}, {}], [{"serial.X": "1"}, {"serial.Y": "1"}])["serial"].tolist() == [
        [pytest.approx(1), 0],
        [0, 0],
    ]
    assert evidence([{}], [{}]) == {}


def test_equal_voxels_outweigh_everything_beside_them() -> None:
    beside = {f"text.{i}": str(i) for i in range(200)}
    a = [{"voxels.exact": "x", "voxels.values": "v"}]
    b = [{"voxels.exact": "x", "voxels.values": "v"}, {**beside, "voxels.exact": "y"}]
    assert run(cohort(("p", {**a[0], **beside})), cohort(("a", b[0]), ("b", b[1]))).score.argmax() == 0
    assert evidence(a, b)["same_voxels"].tolist() == [[SAME_VOXELS_BITS, 0]]
    turned = evidence(
        [{"voxels.exact": "x", "voxels.values": "v"}], [{"voxels.exact": "z", "voxels.values": "v"}]
    )
    assert turned["same_voxels"].tolist() == [[SAME_VOXELS_BITS]]


def test_kept_voxels_count_by_their_share_and_two_drawers_are_chance() -> None:
    b = [sketch(1), sketch(2)]
    found = evidence([sketch(1, 24), sketch(1, 2), sketch(7)], b)["kept_voxels"]
    # 16 drawers' worth of surprise log2(5 / 2) each would be full evidence; here 24 of 32 with values held by three
    # (the first two drawers) or two of five images
    worth = (2 * np.log2(5 / 3) + 22 * np.log2(5 / 2)) / np.log2(5 / 2) / 32
    assert found[0].tolist() == pytest.approx([SAME_VOXELS_BITS * worth, 0])
    assert found[1:].tolist() == [[0, 0], [0, 0]]


def test_what_was_pasted_onto_everybody_links_nobody() -> None:
    one = sketch(1)
    assert "kept_voxels" not in evidence([one, one], [one, one])


def test_voxels_can_be_left_out() -> None:
    a = [{"voxels.exact": "x", "serial.X": "1"}]
    assert set(evidence(a, [*a, {}], voxels=False)) == {"serial"}
    claims = run(cohort(("p", a[0])), cohort(("a", a[0]), ("b", {})), Metadata(voxels=False))
    assert claims.score.max() < 2


def test_a_candidate_is_as_near_as_their_best_image_and_kinds_are_summed_within_one() -> None:
    probe = {"serial.X": "1", "date.D": "d"}
    gallery = cohort(("a", {"serial.X": "1"}), ("a", {"date.D": "d"}), ("b", probe))
    claims = run(cohort(("p", probe)), gallery)
    assert claims.gallery_subject.tolist() == ["a", "b"]
    assert claims.gallery_image.tolist() == ["best of 2", "best of 1"]
    a, b = claims.score
    assert b == pytest.approx(2 * np.log2(4 / 3))
    assert a == pytest.approx(np.log2(4 / 3))


def test_notes_count_links_by_kind_and_hold_no_value() -> None:
    a = {"serial.X": "Canary", "date.D": "1"}
    b = {"serial.X": "Canary", "date.D": "2"}
    notes = run(cohort(("p", a), ("q", b)), cohort(("p", a), ("q", b), ("r", {}))).notes
    assert notes == {
        "probes_unreadable": 0.0,
        "gallery_unreadable": 0.0,
        "links": 2.0,
        "links_by_date": 2.0,
        "links_by_serial": 0.0,
    }


def test_an_image_that_cannot_be_read_has_no_traces_and_is_counted() -> None:
    def broken() -> Traces:
        raise InputRefused("image: is cut off")

    probes = Cohort((Record("p", "T1w", never, traces=broken), Record("q", "T1w", never)))
    claims = run(probes, cohort(("a", {"serial.X": "1"})))
    assert claims.score.tolist() == [0, 0]
    assert claims.notes["probes_unreadable"] == 1.0


def test_the_label_of_the_subject_is_never_used() -> None:
    claims = run(cohort(("a", {}), ("b", {})), cohort(("a", {}), ("b", {"serial.X": "1"})))
    assert claims.score.tolist() == [0] * 4


@pytest.mark.parametrize(
    ("probes", "gallery", "error"),
    [
        (cohort(), cohort(("a", {})), "at least one probe"),
        (cohort(("a", {})), cohort(), "at least one probe"),
        (cohort(("a", None)), cohort(("a", {})), "traces of the released images"),
        (cohort(("a", {})), cohort(("a", None)), "traces of the candidates"),
    ],
)
def test_nothing_to_compare_is_refused(probes: Cohort, gallery: Cohort, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        run(probes, gallery)
