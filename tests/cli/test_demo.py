"""The first command of the README, on as few people as it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medveil.recipe import ATTACKS


@pytest.mark.slow
def test_demo_tells_the_whole_story(medveil: Callable, tmp_path: Path) -> None:
    ran = medveil("demo", "--to", tmp_path / "demo", "--people", "4", "--jobs", "1", "--json")
    assert ran.code == 0, ran.err
    findings = json.loads(ran.out)
    assert findings["simulated"]
    assert tuple(a["attack"] for a in findings["attacks"]) == ATTACKS
    assert findings["unmeasured"] == {}
    brain = next(a for a in findings["attacks"] if a["attack"] == "link.brain")
    assert brain["conditions"]["release"]["estimates"]["auc"]["value"] == 1.0  # no defacing hides a brain
    assert findings["tables"]["release"]["rows"] == 4
    for attack in findings["attacks"]:
        assert set(attack["conditions"]) == {"original", "release", "null"}
    embedding = next(a for a in findings["attacks"] if a["attack"] == "reidentify.embedding")
    notes = embedding["conditions"]["original"]["notes"]
    assert notes["probe_detected"] == notes["gallery_detected"] == 1.0
    assert all(i["state"] == "protected" and all(i["proofs"].values()) for i in findings["images"])
    page = (tmp_path / "demo" / "release" / "report.html").read_text()
    assert "does not estimate real-world rates" in page
    assert "data:image/png" not in page  # pictures of heads are for the internal edition
    assert "must not leave the house" in (tmp_path / "demo" / "release-internal" / "report.html").read_text()
    assert (
        medveil("verify", tmp_path / "demo" / "release", "--source", tmp_path / "demo" / "cohort").code == 0
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo"]
