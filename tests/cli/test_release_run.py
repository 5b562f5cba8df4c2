"""A whole release with a quick stand-in for the defacer: order, fate of each image, interruption, verification."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medveil.carry.picturing import Drawn
from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Outcome
from medveil.io import nifti
from medveil.protect.deface.erase import Erase


def _stand_in(_: Erase, image: Image, given: Given = NOTHING) -> Outcome:
    """Blackens the front half; refuses an image whose first voxel says so."""
    if image.data[0, 0, 0] == 66:
        raise Refusal("no head found", "a stand-in said so")
    altered = np.zeros(image.data.shape[:3], bool)
    altered[:, image.data.shape[1] // 2 :] = True
    data = image.data.copy()
    data[altered] = 0
    return Outcome(image.with_data(data), altered=altered, protected=~altered, measured={"removed_ml": 1.0})


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four subjects, of whom the third is refused."""
    monkeypatch.setattr(Erase, "apply", _stand_in)
    monkeypatch.setattr("medveil.carry.picturing.draw", lambda *_, **__: Drawn([], {}))
    folder = tmp_path / "in"
    rng = np.random.default_rng(3)
    for n in range(1, 5):
        data = rng.integers(1, 60, (12, 14, 10)).astype(np.int16)
        data[0, 0, 0] = 66 if n == 3 else 1
        image = Image(data, np.diag([2.0, 2.0, 3.0, 1.0]))
        nifti.write(image, folder / f"sub-0{n}" / "anat" / f"sub-0{n}_T1w.nii.gz")
    (folder / "participants.tsv").write_text(
        "participant_id\tage\nsub-01\t20\nsub-02\t30\nsub-03\t40\nsub-04\t50\n"
    )
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_refused_images_are_listed_and_everybody_else_leaves(
    medveil: Callable, people: Path, tmp_path: Path
) -> None:
    ran = medveil("protect", people, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    assert "3 protected, 1 refused" in ran.out
    files = _files(tmp_path / "out")
    assert [f for f in files if f.endswith(".nii.gz")] == [
        f"sub-0{n}/anat/sub-0{n}_T1w.nii.gz" for n in (1, 2, 4)
    ]
    assert b"sub-03" not in files["participants.tsv"]
    assert b"no head found" in files["report.html"]
    findings = json.loads(files["findings.json"])
    assert findings["verdict"] == "not measured"
    assert [i["state"] for i in findings["images"]] == ["protected", "protected", "refused", "protected"]
    assert all(all(i["proofs"].values()) for i in findings["images"])
    assert medveil("verify", tmp_path / "out", "--source", people).code == 0
    assert not list(tmp_path.glob("*.partial"))


def test_released_edition_names_no_source_file(medveil: Callable, people: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    for n, source in enumerate(sorted(people.rglob("*.nii.gz"))):
        target = plain / f"Qanary_{n}.nii.gz"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    ran = medveil("protect", plain, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    assert not any(b"Qanary" in data or "Qanary" in name for name, data in _files(tmp_path / "out").items())
    assert b"Qanary" in (tmp_path / "out-internal" / "crosswalk.tsv").read_bytes()


def test_an_interrupted_run_looks_unfinished_and_goes_on(
    medveil: Callable, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = medveil("protect", people, "--to", tmp_path / "whole", "--jobs", "1")
    assert whole.code == 4
    done: list[int] = []

    def interrupted(step: Erase, image: Image, given: Given = NOTHING) -> Outcome:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return _stand_in(step, image)

    monkeypatch.setattr(Erase, "apply", interrupted)
    assert medveil("protect", people, "--to", tmp_path / "out", "--jobs", "1").code == 130
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out-internal").exists()
    assert (tmp_path / "out.partial").is_dir()

    again: list[int] = []

    def counted(step: Erase, image: Image, given: Given = NOTHING) -> Outcome:
        again.append(1)
        return _stand_in(step, image)

    monkeypatch.setattr(Erase, "apply", counted)
    assert medveil("protect", people, "--to", tmp_path / "out", "--jobs", "1").code == 4
    assert len(again) == 2  # the two that were missing
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")


def test_a_broken_step_is_refused_without_its_words(
    medveil: Callable, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(step: Erase, image: Image, given: Given = NOTHING) -> Outcome:
        outcome = _stand_in(step, image)
        if image.data[0, 0, 1] % 2:
            raise ValueError("Qanary^Jane")
        data = outcome.image.data.copy()
        data[0, 0, 0] += 1  # touches what it promised to keep
        return Outcome(image.with_data(data), altered=outcome.altered, protected=outcome.protected)

    monkeypatch.setattr(Erase, "apply", broken)
    ran = medveil("protect", people, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    assert "no image could be protected" in ran.err
    assert "Qanary" not in ran.err + ran.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_a_step_that_disproves_itself_leaves_nothing(
    medveil: Callable, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_done(step: Erase, image: Image, given: Given = NOTHING) -> Outcome:
        return replace(_stand_in(step, image), proofs={"named parts covered": image.data[0, 0, 1] % 2 == 0})

    monkeypatch.setattr(Erase, "apply", half_done)
    odd = {p for p in people.rglob("*.nii.gz") if nifti.read(p).data[0, 0, 1] % 2}
    assert 0 < len(odd) < 4
    ran = medveil("protect", people, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    reasons = [image["reason"] for image in findings["images"]]
    assert "a proof failed: named parts covered" in reasons
    assert not {p.name for p in odd} & {p.name for p in (tmp_path / "out").rglob("*.nii.gz")}


def test_a_written_file_that_fails_its_proof_is_removed(
    medveil: Callable, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_its_promise(step: Erase, image: Image, given: Given = NOTHING) -> Outcome:
        if image.data[0, 0, 0] != 66:
            return _stand_in(step, image)
        altered = np.zeros(image.data.shape[:3], bool)
        return Outcome(image.with_data(np.zeros_like(image.data)), altered=altered, protected=~altered)

    monkeypatch.setattr(Erase, "apply", breaks_its_promise)
    ran = medveil("protect", people, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert "a proof failed: kept voxels identical" in findings["images"][2]["reason"]
    assert not list((tmp_path / "out").rglob("*sub-03*"))
