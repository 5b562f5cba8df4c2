"""Images of one session help each other, what is given counts, and a second run makes the same bytes."""

from __future__ import annotations

import hashlib
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

REFUSED = 66  # in the first voxel: what the stand-in makes of an image
T1W, FLAIR, BOLD, CT = range(1, 5)  # in the second: which image it is


def _image(which: int, *, first: int = 1, volumes: int = 0) -> Image:
    shape = (12, 14, 10, volumes) if volumes else (12, 14, 10)
    data = np.random.default_rng(which).integers(10, 60, shape).astype(np.int16)
    data[0, 0, 0], data[0, 0, 1] = first, which
    return Image(data, np.diag([2.0, 2.0, 3.0, 1.0]))


def _write(image: Image, path: Path, code: int = 1) -> None:
    nifti.write(image, path, facts=replace(nifti.facts_for(image), sform_code=code))


class Stand:
    """A stand-in for the defacer that notes who was shown what."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int | None]] = []
        self.stop_after: int | None = None

    def __call__(self, image: Image, given: Given = NOTHING) -> Outcome:
        if self.stop_after is not None and len(self.seen) >= self.stop_after:
            raise KeyboardInterrupt
        flat = image.data[..., 0] if image.data.ndim == 4 else image.data
        anchor = None if given.carried is None else int(given.carried.image.data[0, 0, 1])
        self.seen.append((int(flat[0, 0, 1]), anchor))
        if flat[0, 0, 0] == REFUSED and anchor is None:
            raise Refusal("no head found", "a stand-in said so")
        altered = np.zeros(flat.shape, bool)
        altered[:, 7:] = True
        if given.keep is not None:
            altered &= ~given.keep
        data = image.data.copy()
        data[altered] = 0 if anchor is None else anchor  # bytes depend on the anchor, as a location does
        affine = np.diag([1.1, 1.1, 1.1, 1.0]) + 1e-17 * flat[0, 0, 1]
        return Outcome(
            image.with_data(data),
            altered=altered,
            protected=~altered,
            measured={"removed_ml": 1 / 3},
            proofs={"named parts covered": flat[0, 0, 0] != 99},
            affine_to_mni=affine,
        )


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    out = Stand()
    monkeypatch.setattr(Erase, "apply", lambda self, image, given=NOTHING: out(image, given))
    monkeypatch.setattr(
        "medveil.carry.picturing.draw",
        lambda protected, **_: Drawn([], {p: {"descriptor_distance": 0.75} for p in protected.places}),
    )
    return out


@pytest.fixture
def session(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    sub = folder / "sub-01"
    _write(_image(BOLD, first=REFUSED, volumes=3), sub / "func" / "sub-01_task-rest_bold.nii.gz")
    _write(_image(FLAIR), sub / "anat" / "sub-01_FLAIR.nii.gz")
    _write(_image(T1W), sub / "anat" / "sub-01_T1w.nii.gz")
    _write(_image(CT), sub / "ct" / "sub-01_CT.nii.gz")
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_best_image_comes_first_and_shows_the_others(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 0
    # A head lies elsewhere in a CT, whatever the session is called: it is located alone.
    assert stand.seen == [(T1W, None), (FLAIR, T1W), (CT, None), (BOLD, T1W)]


def test_a_refused_first_image_gives_way_to_the_next(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    _write(_image(T1W, first=REFUSED), session / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 4
    assert stand.seen == [(T1W, None), (FLAIR, None), (CT, None), (BOLD, FLAIR)]


def test_images_in_other_coordinates_stay_alone(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    _write(_image(T1W), session / "sub-01" / "anat" / "sub-01_T1w.nii.gz", code=2)
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 0
    assert stand.seen == [(T1W, None), (FLAIR, None), (CT, None), (BOLD, FLAIR)]


def test_sessions_of_one_person_do_not_mix(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    anat = session / "sub-01" / "ses-2" / "anat"
    _write(_image(9), anat / "sub-01_ses-2_FLAIR.nii.gz")
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 0
    assert (9, None) in stand.seen


def test_images_of_a_plain_folder_stay_alone(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    plain = tmp_path / "scans" / "all"  # whose files these are, nobody says
    for which, name in ((T1W, "smith_t1.nii.gz"), (FLAIR, "jones_flair.nii.gz")):
        _write(_image(which), plain / name)
    assert medveil("protect", plain.parent, "--to", tmp_path / "out", "--jobs", "1").code == 0
    assert sorted(stand.seen) == [(T1W, None), (FLAIR, None)]


def test_a_resumed_run_gives_the_same_bytes(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    for n in (2, 3):
        for which, name in ((T1W, "T1w"), (FLAIR, "FLAIR")):
            _write(_image(which), session / f"sub-0{n}" / "anat" / f"sub-0{n}_{name}.nii.gz")
    assert medveil("protect", session, "--to", tmp_path / "whole", "--save-masks", "--jobs", "1").code == 0
    stand.seen.clear()
    stand.stop_after = 5  # all of the first session, one image of the second
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 130
    assert not (tmp_path / "out-internal").exists()
    stand.seen.clear()
    stand.stop_after = None
    assert medveil("protect", session, "--to", tmp_path / "out", "--save-masks", "--jobs", "1").code == 0
    assert len(stand.seen) == 4  # two sessions that were not finished
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")
    assert _files(tmp_path / "out-internal") == _files(tmp_path / "whole-internal")


def test_another_anchor_means_another_image(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    _write(_image(T1W), session / "sub-02" / "anat" / "sub-02_T1w.nii.gz")
    stand.stop_after = 4
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 130
    stand.seen.clear()
    stand.stop_after = None
    anchor = _image(T1W)
    anchor = anchor.with_data(np.where(anchor.data == 11, 12, anchor.data))
    _write(anchor, session / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    assert medveil("protect", session, "--to", tmp_path / "out", "--jobs", "1").code == 0
    assert stand.seen == [(T1W, None), (FLAIR, T1W), (BOLD, T1W), (T1W, None)]  # the CT is taken over


def test_a_given_mask_counts_and_a_bad_one_refuses_its_image_alone(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    given = tmp_path / "given"
    keep = np.zeros((12, 14, 10), np.uint8)
    keep[3, 9, 4] = 1
    nifti.write(Image(keep, _image(T1W).affine), given / "sub-01_T1w_keep.nii.gz")
    (given / "sub-01_FLAIR_to-mni.txt").write_text("Qanary")
    (given / "sub-77_T1w_to-mni.txt").write_text("Qanary")
    ran = medveil("protect", session, "--to", tmp_path / "out", "--given", given, "--jobs", "1")
    assert ran.code == 4
    assert "warning: 1 given files are named after no image" in ran.err
    assert "Qanary" not in ran.out + ran.err
    place = "sub-01/anat/sub-01_T1w.nii.gz"
    assert nifti.read(tmp_path / "out" / place).data[3, 9, 4] == nifti.read(session / place).data[3, 9, 4]
    rows = {i["name"]: i for i in json.loads((tmp_path / "out" / "findings.json").read_text())["images"]}
    assert rows["sub-01_T1w"]["remarks"] == ["given and used: keep"]
    assert "given to-mni: expected four rows" in rows["sub-01_FLAIR"]["reason"]
    assert rows["sub-01_task-rest_bold"]["state"] == "protected"


def test_masks_are_kept_inside_and_only_on_request(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    ran = medveil("protect", session, "--to", tmp_path / "out", "--save-masks", "--jobs", "1")
    assert str(tmp_path / "out-internal" / "masks") in ran.out
    assert not list((tmp_path / "out").rglob("*mask*"))
    name = "sub-01/func/sub-01_task-rest_bold"
    source = nifti.read(session / f"{name}.nii.gz")
    mask = nifti.read(tmp_path / "out-internal" / "masks" / f"{name}_mask.nii.gz")
    released = nifti.read(tmp_path / "out" / f"{name}.nii.gz")
    np.testing.assert_array_equal(mask.affine, source.affine)
    np.testing.assert_array_equal(mask.data == 1, (released.data != source.data).all(axis=3))
    assert ((mask.data == 2) | (mask.data == 1)).all()
    assert medveil("protect", session, "--to", tmp_path / "bare", "--jobs", "1").code == 0
    assert not (tmp_path / "bare-internal" / "masks").exists()


def test_the_manifest_holds_every_proof_and_nothing_of_the_source(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    out = tmp_path / "out"
    assert medveil("protect", session, "--to", out, "--jobs", "1").code == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["steps"][0]["use"] == "deface.erase"
    assert manifest["versions"]["SimpleITK"]
    for row in manifest["images"]:
        assert row["sha256"] == hashlib.sha256((out / row["place"]).read_bytes()).hexdigest()
        assert set(row["proofs"].values()) == {True}
        assert {"protected voxels unchanged", "kept voxels identical", "header as declared"} <= set(
            row["proofs"]
        )
        assert row["affine_to_mni"][0][0] == pytest.approx(1.1)
        assert row["measured"]["descriptor_distance"] == 0.75
    told = b"".join(_files(out).values())
    crosswalk = (tmp_path / "out-internal" / "crosswalk.tsv").read_text()
    for source in session.rglob("*.nii.gz"):
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        assert digest in crosswalk
        assert digest.encode() not in told


def test_a_step_that_disproves_itself_is_refused(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand
) -> None:
    _write(_image(FLAIR, first=99), session / "sub-01" / "anat" / "sub-01_FLAIR.nii.gz")
    assert medveil("protect", session, "--to", tmp_path / "out", "--save-masks", "--jobs", "1").code == 4
    rows = {i["name"]: i for i in json.loads((tmp_path / "out" / "findings.json").read_text())["images"]}
    assert rows["sub-01_FLAIR"]["reason"] == "a proof failed: named parts covered"
    assert not list(tmp_path.glob("out*/**/*FLAIR*nii*"))


def _tamper(out: Path, change: Callable[[dict], None]) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    change(manifest)
    (out / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m["images"].pop(), "nothing says how it was protected"),
        (lambda m: m["images"][0]["proofs"].update({"named parts covered": False}), "a proof failed"),
        (lambda m: m["images"][0].update(sha256="0" * 64), "two hashes"),
        (lambda m: m["images"][0].update(changed_voxels=1), "another number of voxels differs"),
        (lambda m: m["images"][0].update(changed_to_values=9), "changed to other numbers"),
        (lambda m: m["images"][0].pop("proofs"), "a field is missing"),
        (lambda m: m.update(version=1), "version 3"),
    ],
)
def test_verify_notices_a_manifest_that_was_touched(
    medveil: Callable, session: Path, tmp_path: Path, stand: Stand, change: Callable[[dict], None], said: str
) -> None:
    out = tmp_path / "out"
    assert medveil("protect", session, "--to", out, "--jobs", "1").code == 0
    assert medveil("verify", out, "--source", session).code == 0
    _tamper(out, change)
    ran = medveil("verify", out, "--source", session)
    assert ran.code == 5
    assert said in ran.out + ran.err


@pytest.mark.slow
def test_a_real_session_released_twice_gives_the_same_bytes(medveil: Callable, tmp_path: Path) -> None:
    from medveil.core.seeds import Seeds
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    seeds = Seeds(41)
    person = draw_person(seeds, 0)
    series = Scanner(contrast="bold", spacing_mm=3.5, volumes=4, motion_mm=1.0, motion_deg=1.0)
    for scanner, place in (
        (Scanner(spacing_mm=3.0), "anat/sub-01_T1w"),
        (series, "func/sub-01_task-rest_bold"),
    ):
        nifti.write(
            scan(person, seeds, scanner=scanner).image, tmp_path / "in" / "sub-01" / f"{place}.nii.gz"
        )
    for out in ("one", "two"):
        ran = medveil("protect", tmp_path / "in", "--to", tmp_path / out, "--save-masks", "--jobs", "1")
        assert ran.code == 0, ran.err
    assert _files(tmp_path / "one") == _files(tmp_path / "two")
    assert _files(tmp_path / "one-internal") == _files(tmp_path / "two-internal")
    assert medveil("verify", tmp_path / "one", "--source", tmp_path / "in").code == 0
    bold, t1w = json.loads((tmp_path / "one" / "findings.json").read_text())["images"][::-1]
    assert bold["remarks"] == ["located with the help of another image of the session"]
    assert t1w["remarks"] == []
    assert bold["measured"]["motion_max_mm"] > 1
    assert bold["proofs"]["named parts covered"]
    assert {"face_detected_before", "face_detected_after", "skin_moved_mm"} <= set(t1w["measured"])
