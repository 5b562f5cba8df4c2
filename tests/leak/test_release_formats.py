"""Planted markers of every format through `medveil release`: none comes out but what is declared, whoever removes the face."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.carry import canary
from medveil.carry.companions import NOT_BIDS
from medveil.carry.picturing import Drawn
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Outcome
from medveil.protect.deface.erase import Erase

SEED = 5
DECLARED = {"ManufacturerModelName", "SoftwareVersions", "SequenceName", "ReceiveCoilName", "StudyTime", "SeriesTime",
            "AcquisitionTime", "ContentTime", "InstanceCreationTime"}  # fmt: skip


def _erase(_: Erase, image: Image, given: Given = NOTHING) -> Outcome:
    """A stand-in that clears the front quarter."""
    altered = np.zeros(image.data.shape[:3], bool)
    altered[:, 3 * image.data.shape[1] // 4 :] = True
    data = image.data.copy()
    data[altered] = 0
    return Outcome(image.with_data(data), altered=altered, protected=~altered)


@pytest.fixture(autouse=True)
def stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Erase, "apply", _erase)
    monkeypatch.setattr("medveil.carry.picturing.draw", lambda *_, **__: Drawn([], {}))
    block = Image(
        np.random.default_rng(1).integers(1, 60, (12, 14, 16)).astype(np.int16), np.diag([2.0, 2, 2, 1])
    )
    monkeypatch.setattr("medveil.carry.canary._head", lambda _: block)


@pytest.fixture
def key(medveil: Callable, tmp_path: Path) -> Path:
    assert medveil("key", "new", tmp_path / "one.key").code == 0
    return tmp_path / "one.key"


def _release(
    medveil: Callable, tmp_path: Path, source: Path, *words: object
) -> tuple[canary.Scored, set[str]]:
    """The score of a release, and the places of what came out although it was declared."""
    markers, _ = canary.read_key(tmp_path / "key.json")
    ran = medveil("release", source, "--to", tmp_path / "out", "--jobs", "1", *words)
    assert ran.code == 0, ran.err
    assert not [m.place for m in markers if len(m.value) > 4 and m.value in ran.out + ran.err]
    scored = canary.score(tmp_path / "out", tmp_path / "key.json", allowed=DECLARED)
    return scored, {m.place for m in scored.table.allowed}


@pytest.mark.parametrize("keyed", [False, True], ids=["own labels", "a key"])
@pytest.mark.parametrize("kind", ["nifti", "bids"])
def test_no_marker_of_a_volume_comes_out(
    medveil: Callable, tmp_path: Path, key: Path, kind: str, keyed: bool
) -> None:
    canary.make(tmp_path / "in", tmp_path / "key.json", formats=[kind], seed=SEED)
    source = tmp_path / "in" / ("bids" if kind == "bids" else ".")
    scored, declared = _release(medveil, tmp_path, source, *(["--key", key] if keyed else []))
    assert scored.is_clean, scored.lines()
    assert declared == set()
    assert scored.table.total.planted == {"nifti": 24, "bids": 74}[kind]
    words = ["--key", key] if keyed else []
    assert medveil("verify", tmp_path / "out", "--source", source, *words).code == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", [False, True], ids=["a new key", "a given key"])
def test_no_marker_of_dicom_files_comes_out_but_what_is_declared(
    medveil: Callable, tmp_path: Path, key: Path, given: bool
) -> None:
    canary.make(tmp_path / "in", tmp_path / "key.json", formats=["dicom"], seed=SEED)
    words = ["--key", key] if given else []
    scored, declared = _release(medveil, tmp_path, tmp_path / "in", "--step", "header.dicom", *words)
    assert scored.is_clean, scored.lines()
    assert declared == DECLARED
    assert scored.table.total.planted == 224
    failed = {(j.action.kind, j.action.keyword, j.reason) for j in scored.judged if not j.passed}
    assert {f[:2] for f in failed} == {("date_shifted", "PatientBirthDate")}  # it is removed
    assert len(scored.judged) > 200


def test_a_score_notices_what_a_release_would_let_out(
    medveil: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medveil.carry.companions.clean_sidecar", lambda said, _: (said, []))
    canary.make(tmp_path / "in", tmp_path / "key.json", formats=["bids"], seed=SEED)
    scored, _ = _release(medveil, tmp_path, tmp_path / "in" / "bids")
    assert not scored.is_clean
    assert {m.group for m in scored.table.leaked} == {"sidecars"}


def test_a_validator_is_told_what_is_not_bids(medveil: Callable, tmp_path: Path) -> None:
    canary.make(tmp_path / "in", tmp_path / "key.json", formats=["bids"], seed=SEED)
    _release(medveil, tmp_path, tmp_path / "in" / "bids")
    out = tmp_path / "out"
    listed = (out / ".bidsignore").read_text().splitlines()
    own = {p.name for p in out.iterdir() if p.is_file() and not p.name.startswith(".")}
    assert own - set(listed) == {"dataset_description.json", "participants.tsv"}
    assert set(listed) == set(NOT_BIDS)
    assert ".bidsignore" in json.loads((out / "manifest.json").read_text())["files"]


def test_a_task_leaves_by_the_label_in_its_name_and_asl_by_its_terms(
    medveil: Callable, tmp_path: Path, key: Path
) -> None:
    canary.make(tmp_path / "in", tmp_path / "key.json", formats=["bids"], seed=SEED)
    root = tmp_path / "in" / "bids"
    anat = root / "sub-01" / "ses-1" / "anat" / "sub-01_ses-1_T1w.nii.gz"
    for place, said in (
        ("func/sub-01_ses-1_task-rest_bold", {"TaskName": "Zyqua at rest", "RepetitionTime": 2}),
        ("perf/sub-01_ses-1_asl", {"M0Type": "Absent", "ArterialSpinLabelingType": "Zyqua", "PostLabelingDelay": 1.8}),
    ):  # fmt: skip
        path = root / "sub-01" / "ses-1" / f"{place}.nii.gz"
        path.parent.mkdir()
        path.write_bytes(anat.read_bytes())
        path.with_suffix("").with_suffix(".json").write_text(json.dumps(said))
    table = root / "sub-01" / "ses-1" / "perf" / "sub-01_ses-1_aslcontext.tsv"
    table.write_text("volume_type\tby\ncontrol\tZyqua\nlabel\tZyqua\n")
    _release(medveil, tmp_path, root, "--key", key)
    context = next((tmp_path / "out").rglob("*_aslcontext.tsv"))
    assert context.read_text() == "volume_type\ncontrol\nlabel\n"
    kept = {p.stem.rpartition("_")[2]: json.loads(p.read_text()) for p in (tmp_path / "out").rglob("*ses-1*.json")}  # fmt: skip
    assert kept["bold"] == {"TaskName": "rest", "RepetitionTime": 2}
    assert kept["asl"] == {"M0Type": "Absent", "PostLabelingDelay": 1.8}
    with open(next((tmp_path / "out").rglob("*_scans.tsv")), newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert row["filename"].startswith("anat/sub-")
    assert row["acq_time"].endswith("T09:31:00")
