"""Ten actions: each passes and fails as computed by hand, and the three holes are closed."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.io.dicom_facts import Facts
from medveil.measure.leak.midi import DUMMY, GONE, KINDS, MISSING, Action, Case, judge, score

BEFORE = {
    "PatientID": "AB12",
    "StudyDate": "20040826",
    "SeriesDate": "20040827",
    "SOPInstanceUID": "1.2.3",
    "Note": "see Jane Doe",
}
AFTER = BEFORE | {
    "PatientID": "x7",
    "StudyDate": "20030826",
    "SeriesDate": "20030827",
    "SOPInstanceUID": "2.25.9",
    "Note": "see",
}


def reasons(action: Action, after: dict[str, str] | None, before: dict[str, str] = BEFORE) -> str:
    out = None if after is None else Facts(after, "d")
    return judge([Case("s", Facts(before, "d"), out, (action,))])[0].reason


@pytest.mark.parametrize(
    ("action", "after", "reason"),
    [
        (Action("tag_retained", "Note"), AFTER, ""),
        (Action("tag_retained", "Note"), AFTER | {"Note": ""}, ""),
        (Action("tag_retained", "Note"), {}, "gone"),
        (Action("text_notnull", "Note"), AFTER, ""),
        (Action("text_notnull", "Note"), {"Note": " "}, "empty"),
        (Action("text_retained", "Note", "see"), AFTER, ""),
        (Action("text_retained", "Note", "Jane"), AFTER, "gone"),
        (Action("text_removed", "Note", "Jane Doe"), AFTER, ""),
        (Action("text_removed", "Note", "Jane Doe"), {"Note": "SEE JANE DOE!"}, "still"),
        (Action("text_removed", "PatientID"), BEFORE, "still"),
        (Action("date_shifted", "StudyDate"), AFTER, ""),
        (Action("date_shifted", "StudyDate"), BEFORE, "same"),
        (Action("date_shifted", "StudyDate"), {"StudyDate": "hidden"}, "no date"),
        (Action("date_shifted", "StudyDate"), {}, GONE),
        (Action("uid_changed", "SOPInstanceUID"), AFTER, ""),
        (Action("uid_changed", "SOPInstanceUID"), BEFORE, "same"),
        (Action("uid_changed", "SOPInstanceUID"), {"SOPInstanceUID": "removed"}, "no UID"),
        (Action("uid_changed", "SOPInstanceUID"), {"SOPInstanceUID": "1.02"}, "no UID"),
        (Action("uid_changed", "SOPInstanceUID"), {"SOPInstanceUID": "2." + "1" * 63}, "no UID"),
        (Action("uid_changed", "SOPInstanceUID"), {}, "gone"),
        (Action("uid_consistent", "SOPInstanceUID"), AFTER, ""),
        (Action("uid_consistent", "SOPInstanceUID"), {}, "gone"),
        (Action("patid_consistent", "PatientID"), AFTER, ""),
        (Action("pixels_retained"), AFTER, ""),
    ],
)  # fmt: skip
def test_one_action_by_hand(action: Action, after: dict[str, str], reason: str) -> None:
    found = reasons(action, after)
    assert reason in found
    assert bool(reason) == bool(found)


@pytest.mark.parametrize("kind", KINDS)
def test_hole_1_a_missing_output_fails_every_action(kind: str) -> None:
    assert reasons(Action(kind, "StudyDate"), None) == MISSING  # type: ignore[arg-type]


def dates(*after: str) -> list[bool]:
    """Whether each of a subject's dates passes; two visits, 26 and 27 August and 5 September 2004."""
    before = ["20040826", "20040827", "20040905"]
    action = (Action("date_shifted", "StudyDate"),)
    cases = [
        Case("s", Facts({"StudyDate": b}), Facts({"StudyDate": a}), action)
        for b, a in zip(before, after, strict=True)
    ]
    return [j.passed for j in judge(cases)]


def test_hole_2_dates_of_a_subject_move_together() -> None:
    assert dates("20040101", "20040102", "20040111") == [True, True, True]
    assert dates("20040101", "20040102", "20040112") == [True, True, False]
    assert dates("20040101", "20040103", "20040114") == [False, False, False]  # no shift has the majority
    assert dates("00010101", "00010101", "00010101") == [False, False, False]
    assert reasons(Action("date_shifted", "StudyDate"), {"StudyDate": "00010101"}) == DUMMY
    assert dates("18040826", "00010101", "18040905") == [True, False, True]
    assert dates("20040826", "20040827", "20040905") == [False, False, False]


def test_subjects_may_move_by_different_days() -> None:
    action = (Action("date_shifted", "StudyDate"),)
    cases = [
        Case(s, Facts({"StudyDate": "20040826"}), Facts({"StudyDate": a}), action)
        for s, a in (("a", "20040101"), ("b", "20030101"))
    ]
    assert all(j.passed for j in judge(cases))


def uids(*pairs: tuple[str, str]) -> list[bool]:
    action = (Action("uid_consistent", "U"),)
    return [j.passed for j in judge([Case("s", Facts({"U": b}), Facts({"U": a}), action) for b, a in pairs])]


def test_a_uid_becomes_one_uid_everywhere_and_no_two_become_one() -> None:
    assert uids(("1.1", "2.1"), ("1.1", "2.1"), ("1.2", "2.2")) == [True, True, True]
    assert uids(("1.1", "2.1"), ("1.1", "2.3"), ("1.2", "2.2")) == [False, False, True]
    assert uids(("1.1", "2.1"), ("1.2", "2.1")) == [False, False]


def hidden(after: np.ndarray, box: tuple[int, int, int, int] = (2, 8, 3, 9)) -> str:
    before = np.random.default_rng(0).integers(0, 900, (16, 16))
    case = Case("s", Facts({}, "a", before), Facts({}, "b", after), (Action("pixels_hidden", box=box),))
    return judge([case])[0].reason


def test_hole_3_hidden_pixels_are_judged_by_numbers() -> None:
    before = np.random.default_rng(0).integers(0, 900, (16, 16))
    blank, dimmed, noise = before.copy(), before // 2, before.copy()
    blank[2:8, 3:9] = 0
    noise[2:8, 3:9] = np.random.default_rng(9).permuted(before[2:8, 3:9])
    assert hidden(blank) == ""
    assert "follows" in hidden(before)
    assert "follows" in hidden(dimmed)
    assert "follows" in hidden(900 - before)
    assert "shape" in hidden(before[:8])
    assert "outside" in hidden(before, (20, 30, 20, 30))
    correlation = abs(np.corrcoef(before[2:8, 3:9].ravel(), noise[2:8, 3:9].ravel())[0, 1])
    assert (hidden(noise) == "") == (correlation <= 0.2)


def test_only_what_gives_away_is_unsafe() -> None:
    kept = judge([Case("s", Facts(BEFORE, "d"), Facts(BEFORE, "e"), (
        Action("uid_changed", "SOPInstanceUID"), Action("pixels_retained"), Action("date_shifted", "StudyDate"),
    ))])  # fmt: skip
    gone = judge([Case("s", Facts(BEFORE), Facts({}), (
        Action("uid_changed", "SOPInstanceUID"), Action("uid_consistent", "SOPInstanceUID"),
        Action("date_shifted", "StudyDate"), Action("tag_retained", "Note"),
    ))])  # fmt: skip
    assert [j.unsafe for j in kept] == [True, False, True]
    assert [j.passed or j.unsafe for j in gone] == [False] * 4


def test_the_score_counts_actions_and_redraws_subjects() -> None:
    good = Case("a", Facts(BEFORE, "d"), Facts(AFTER, "d"), (Action("text_removed", "PatientID"),) * 3)
    bad = Case("b", Facts(BEFORE, "d"), Facts(BEFORE, "d"), (Action("text_removed", "PatientID"),))
    both = score([good, bad], Seeds(1))
    assert (both.value, both.n, both.low, both.high) == (0.75, 2, 0.0, 1.0)
    one = score([good], Seeds(1))
    assert (one.value, one.low, one.n) == (1.0, None, 1)
    assert score([], Seeds(1)).value is None
    assert score([good, bad], Seeds(1)) == both


def test_actions_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="none of the ten"):
        Action("tag_deleted", "Note")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="names no element"):
        Action("uid_changed")


def test_reprs_show_no_value() -> None:
    case = Case("Jane", Facts(BEFORE), None, (Action("pixels_retained"),))
    assert "Jane" not in repr(case) + repr(case.before)
