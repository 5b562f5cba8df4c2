"""Scores from a table of another tool: exactly the pairs asked for, or a refusal that counts what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.observer import Observer
from medveil.attack.reidentify.external import External
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused, UsageError
from medveil.core.threat import Threat

from .stub import never

CANARY = "Jane_Canary"


def cohort(*keys: tuple[str, str], contrast: str = "") -> Cohort:
    return Cohort(tuple(Record(s, n, never, contrast=contrast) for s, n in keys))


PROBES = cohort(("a", "T1w"), ("a", "T2w"), ("b", "T1w"))
THREAT = Threat(cohort(("b", "p1"), ("b", "p2"), ("a", "p1"), contrast="photo"))
ROWS = """probe_subject,probe_image,gallery_subject,gallery_image,score,condition
a,T1w,a,,0.9,original
a,T1w,b,,0.1,original
a,T2w,a,,0.8,original
a,T2w,b,p1,0.3,original
a,T2w,b,p2,0.5,original
b,,a,,-2,original
b,,b,,7,original
b,T1w,b,,5,release
Jane_Canary,T1w,b,,5,original
"""


def run(path: Path, text: str, condition: str = "original", **settings: str) -> PairClaims:
    path.write_text(text, encoding="utf-8")
    one = External(table=str(path), **settings)
    return one.run(PROBES, THREAT, condition=condition, observer=Observer())


def test_exactly_the_pairs_asked_for_are_taken(tmp_path: Path) -> None:
    claims = run(tmp_path / "t.csv", ROWS)
    pairs = list(zip(claims.probe_subject, claims.probe_image, claims.gallery_subject, strict=True))
    assert pairs == [
        ("a", "T1w", "b"), ("a", "T1w", "a"), ("a", "T2w", "b"), ("a", "T2w", "a"), ("b", "T1w", "b"), ("b", "T1w", "a"),
    ]  # fmt: skip
    # Two photographs of one pair are averaged; rows with no image stand for all images of the subject.
    assert np.allclose(claims.score, [0.1, 0.9, 0.4, 0.8, 7, -2])
    assert (claims.attack, claims.condition) == ("reidentify.external", "original")


def test_missing_pairs_are_refused_by_their_number_alone(tmp_path: Path) -> None:
    with pytest.raises(
        InputRefused, match="no score for 5 of 6 pairs of 3 images and 2 candidates"
    ) as caught:
        run(tmp_path / f"{CANARY}.csv", ROWS, "release")
    assert "Canary" not in str(caught.value)
    with pytest.raises(InputRefused, match="6 of 6"):
        run(tmp_path / "t.csv", ROWS, "null")


def test_a_table_of_several_tools_needs_a_choice(tmp_path: Path) -> None:
    text = "probe_subject,gallery_subject,score,attack\n"
    text += "".join(f"{p},{g},{s},{tool}\n" for tool, s in (("x", 1), ("y", 2)) for p in "ab" for g in "ab")
    with pytest.raises(UsageError, match="holds 2 tools"):
        run(tmp_path / "t.csv", text, "release")
    assert set(run(tmp_path / "t.csv", text, "release", tool="y").score) == {2.0}
    with pytest.raises(UsageError, match="no rows of the tool") as caught:
        run(tmp_path / "t.csv", text, "release", tool=CANARY)
    assert "Canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "header"),
        ("probe_subject,gallery_subject,score\n", "no rows"),
        ("probe_subject,score\na,1\n", "gallery_subject is missing"),
        ("probe_subject,gallery_subject,score\na,b,nan\n", "finite"),
        ("probe_subject,gallery_subject,score\na,b,Jane_Canary\n", "finite"),
        ("probe_subject,gallery_subject,score\na,b\n", "cells"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words) as caught:
        run(tmp_path / "t.csv", text)
    assert "Canary" not in str(caught.value)


def test_no_table_no_file_and_no_probes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="table is empty"):
        External().run(PROBES, THREAT, condition="original", observer=Observer())
    with pytest.raises(InputRefused, match="not there"):
        External(table=str(tmp_path / CANARY)).run(PROBES, THREAT, condition="original", observer=Observer())
    with pytest.raises(UsageError, match="at least one"):
        External(table="x").run(Cohort(()), THREAT, condition="original", observer=Observer())


def test_it_is_an_attack_and_says_what_it_does() -> None:
    assert isinstance(External(), PairAttack)
    assert "another tool" in External().describe()
