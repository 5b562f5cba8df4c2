"""What a report and a manifest say of the key."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from medveil.carry import keeping
from medveil.carry.manifest import manifest
from medveil.carry.naming import Naming
from medveil.core.release import Entry
from medveil.io.keys import KeySource

KEY = KeySource(Path("/secret/place/Canary.key"), "1a2b3c4d")


@pytest.mark.parametrize(
    ("naming", "layout", "said"),
    [
        (Naming(), "bids", "Labels of people stayed as they were"),
        (Naming(), "plain", "People were numbered"),
        (Naming(KEY), "dicom", "a key (label 1a2b3c4d). While anybody has it, the release is pseudonymous"),
        (Naming(KEY, 2), "bids", "whoever has both keys"),
    ],
)
def test_a_report_says_who_can_go_back_and_never_where_the_key_is(
    naming: Naming, layout: str, said: str
) -> None:
    text = keeping.told(naming, layout)
    assert said in text
    assert "Canary" not in text
    assert "secret" not in text


def test_a_manifest_names_the_key_and_not_the_order_of_the_source() -> None:
    entries = [Entry(s, "T1w", "protected", place=PurePosixPath(s, "x.nii.gz")) for s in ("sub-Z", "sub-A")]
    document = manifest({}, entries, (), {}, key="1a2b3c4d", stage=2)
    assert (document["key"], document["stage"]) == ("1a2b3c4d", 2)
    assert [row["place"] for row in document["images"]] == ["sub-A/x.nii.gz", "sub-Z/x.nii.gz"]
    assert manifest({}, entries, (), {})["key"] == ""
