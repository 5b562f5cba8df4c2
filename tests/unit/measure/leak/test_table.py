"""The leak table: every marker in one column, missing outputs are no success."""

from __future__ import annotations

import pytest

from medveil.core.errors import InputRefused
from medveil.core.seeds import Seeds
from medveil.measure.leak.marker import KINDS, Marker, Mint
from medveil.measure.leak.table import leak_table, summed

MARKERS = [
    Marker("names", "dicom", "a", "PatientName", "text", "ZQABCDEFG"),
    Marker("names", "dicom", "a", "StationName", "text", "ZQBCDEFGH"),
    Marker("dates", "dicom", "a", "StudyDate", "date", "19370412"),
    Marker("dates", "dicom", "b", "StudyDate", "date", "19380412"),
]


def test_by_hand() -> None:
    table = leak_table(MARKERS, {0, 1, 2}, ["b"], ["StationName"])
    rows = {
        r.group: (r.planted, r.leaked, r.allowed, r.missing, r.kept_out) for r in (*table.rows, table.total)
    }
    assert rows == {"names": (2, 1, 1, 0, 0), "dates": (2, 1, 0, 1, 0), "total": (4, 2, 1, 1, 0)}
    assert [m.place for m in table.leaked] == ["PatientName", "StudyDate"]
    assert table.estimate().value == 0.5
    elsewhere = leak_table(MARKERS, {3}, ["b"]).total
    assert (elsewhere.leaked, elsewhere.missing) == (1, 0)  # found elsewhere: a leak, not missing
    assert leak_table(MARKERS, {0, 1}, allowed=["names"]).total.leaked == 0
    assert leak_table(MARKERS, {0}, allowed=["Patient"]).total.leaked == 1
    assert leak_table([], ()).estimate().value is None


def test_tools_side_by_side() -> None:
    lines = summed({"ours": leak_table(MARKERS, ()), "theirs": leak_table(MARKERS, {0, 2})})
    assert lines[0] == "| class | planted | ours | theirs |"
    assert lines[2:] == ["| names | 2 | 0 | 1 |", "| dates | 2 | 0 | 1 |", "| total | 4 | 0 | 2 |"]


def test_a_mint_never_gives_a_value_twice_and_repeats_itself_by_seed() -> None:
    for kind in set(KINDS) - {"age"}:
        values = [Mint(Seeds(s)).draw(kind) for s in (1, 1, 2)]  # type: ignore[arg-type]
        assert values[0] == values[1] != values[2]
        mint = Mint(Seeds(1))
        drawn = [mint.draw(kind) for _ in range(300)]  # type: ignore[arg-type]
        assert len(set(drawn)) == 300


@pytest.mark.parametrize("kind", KINDS)
def test_spellings_hold_the_value_itself_and_survive_a_key_file(kind: str) -> None:
    mint = Mint(Seeds(1))
    mint.plant("g", "p", kind)  # type: ignore[arg-type]
    mint.file = "f"
    mint.plant("g", "p", kind)  # type: ignore[arg-type]
    marker = mint.markers[1]
    assert marker.value.encode() in dict(marker.spellings())
    assert all(len(raw) >= 4 for raw, _ in marker.spellings())
    assert Marker.from_json(marker.to_json()) == marker


@pytest.mark.parametrize(
    "row", [None, {}, {"group": 1}, {**vars(MARKERS[0]), "kind": "x"}, {**vars(MARKERS[0]), "value": ""}]
)
def test_rows_that_are_no_markers_are_refused(row: object) -> None:
    with pytest.raises(InputRefused, match="key"):
        Marker.from_json(row)
