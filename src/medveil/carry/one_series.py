"""One DICOM series: its slices defaced as one volume, searched for text, each file rebuilt, read again and searched.

    files ──read──> datasets ──volume──> steps ──┐
                        │                        ├──> new pixels ──┐
                        ├──frames──> text ───────┘                 ├──> marks ──> bytes ──> read again, proofs
                        └──clean──> new headers ───────────────────┘

Marks say what was measured: a face that a detector still sees, text that nobody could look for, are not called gone.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.surface import find_head
from medveil.carry.applying import Folders, apply, image_measures, mask_place, rows_of, write_mask
from medveil.carry.jobs import Job
from medveil.carry.leftover import KEPT_BY
from medveil.carry.naming import Naming
from medveil.carry.residual import faces
from medveil.core.errors import InputRefused, Refusal, VerificationFailed
from medveil.core.image import Image
from medveil.core.release import Carried, Entry, Mask, Outcome, Step
from medveil.io.aside import write_aside
from medveil.io.chance import left_behind
from medveil.io.dicom.pixels import hides_bits
from medveil.io.dicom.series import Series
from medveil.io.dicom.volume import Volume, put_pixels, read_series, read_volume, restored, stored
from medveil.io.folder import sha256
from medveil.io.identifiers import identifiers_of
from medveil.io.nifti import facts_for
from medveil.io.residual import Identifier
from medveil.protect.header.dates import day_of
from medveil.protect.header.dicom import Dicom
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.marks import marks
from medveil.protect.header.dicom.write import to_bytes
from medveil.protect.header.pseudonyms import Pseudonyms
from medveil.protect.text.boxes import Seen
from medveil.protect.text.burned_in import BurnedIn
from medveil.protect.text.flags import facts_of, risk
from medveil.protect.verify import verify_image

Frames = npt.NDArray[Any]
TEXT_LEFT = "burned-in text cannot be ruled out"


@dataclass(frozen=True, repr=False)
class _Parts:
    """The parts of a recipe by what they work on."""

    steps: tuple[Step, ...]
    header: Dicom
    text: BurnedIn


def protect_series(
    job: Job,
    series: Series,
    parts: Sequence[Any],
    folders: Folders,
    carried: Callable[[], Carried] | None,
    naming: Naming,
    entry: Entry,
) -> Entry:
    """Protect the files of one series.

    Raises:
        MedveilError: whatever is wrong with it; then its folder is to be removed.
    """
    use, pseudonyms = _parts_of(parts), naming.pseudonyms()
    if pseudonyms is None:
        raise VerificationFailed("DICOM was about to leave without a key for new names")
    sources = _read(series.paths)
    before = [stored(source) for source in sources]
    volume = read_volume(sources) if use.steps else None
    outcome = None
    after: Sequence[Frames] = before
    if volume is not None:
        given = replace(job.given.read(volume.image), carried=carried() if carried else None)
        outcome = apply(use.steps, volume.image, given)
        after = restored(volume, outcome.image, before)
    known = _identifiers(sources, use.header, pseudonyms.date_shift_days(series.subject))
    seen = _look(use.text, sources, before, known)
    after = [use.text.blank(frames, seen) for frames in after]
    if outcome is not None and seen.boxes:
        outcome = _with_boxes(outcome, seen)
    face_removed = None if outcome is None or volume is None else _face_is_gone(volume, outcome)
    names = _write(
        sources,
        [
            b if hides_bits(source) or not np.array_equal(a, b) else None
            for source, a, b in zip(sources, before, after, strict=True)
        ],
        folders.release / job.place,
        pseudonyms,
        use.header,
        face_removed=face_removed,
        pixels_cleaned=_text_is_gone(use.text, seen, sources[0], after),
    )
    written = [folders.release / job.place / name for name in names]
    proofs = _proofs(written, after, known, seen, volume, outcome)
    failed = [name for name, held in proofs.items() if not held]
    if failed:
        raise VerificationFailed("a proof failed: " + ", ".join(failed))
    measured: dict[str, float] = {"files": float(len(names)), "text_boxes": float(len(seen.boxes))}
    if outcome is not None and volume is not None:
        write_mask(outcome, facts_for(volume.image), folders.inside / mask_place(job.place))
        measured |= {k: float(v) for k, v in outcome.measured.items()}
        measured |= image_measures(volume.image, read_series(written))
    located = outcome.affine_to_mni if outcome else None
    return replace(
        entry,
        state="protected",
        files=tuple(names),
        measured=measured,
        proofs=proofs,
        remarks=(*(outcome.remarks if outcome else ()), *_said(seen, face_removed, outcome)),
        sha256=hashlib.sha256("".join(map(sha256, written)).encode()).hexdigest(),
        affine_to_mni=None if located is None else rows_of(located),
    )


def _parts_of(parts: Sequence[Any]) -> _Parts:
    headers = [p for p in parts if isinstance(p, Dicom)]
    texts = [p for p in parts if isinstance(p, BurnedIn)]
    steps = tuple(p for p in parts if isinstance(p, Step))
    return _Parts(steps, headers[0] if headers else Dicom(), texts[0] if texts else BurnedIn())


def _read(paths: Sequence[Path]) -> list[Any]:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            return [dcmread(path) for path in paths]
        except Exception as error:  # noqa: BLE001 - whatever a broken file does to the parser
            raise InputRefused(f"series: a file could not be parsed ({type(error).__name__})") from None


def _identifiers(sources: Sequence[Any], header: Dicom, days: int) -> list[Identifier]:
    """What names the people of a series, of all its files, without what may stand in the release.

    Args:
        days: by which the key moves their dates; a day that another one is moved to proves nothing.
    """
    kept = {k for option, keywords in KEPT_BY.items() if getattr(header, option) for k in keywords}
    found = dict.fromkeys(i for source in sources for i in identifiers_of(source, without=kept))
    meant = [kind for kind, stays in (("date", header.full_dates), ("uid", header.uids)) if stays]
    dates = {day for i in found if i.kind == "date" and (day := day_of(i.value))}
    moved = {day + timedelta(days) for day in dates}
    return [i for i in found if i.kind not in meant and not (i.kind == "date" and day_of(i.value) in moved)]


def _look(
    text: BurnedIn, sources: Sequence[Any], frames: Sequence[Frames], known: Iterable[Identifier]
) -> Seen:
    """What is burned in, over all files of one size at once.

    Raises:
        Refusal: the header announces text, or makes it likely, and none could be ruled out.
    """
    if len({(f.shape[1:], f.dtype) for f in frames}) != 1:
        raise InputRefused("series: its files have frames of several sizes, expected one")
    facts = facts_of(sources[0])
    strings = [i.value for i in known if i.kind in ("name", "id", "date")]
    seen = text.look(np.concatenate(frames), facts, strings)
    if seen.verdict == "unknown" and risk(facts) != "no sign":
        raise Refusal(TEXT_LEFT, "; ".join(seen.reasons), hint="look at it, and blank it before")
    return seen


def _text_is_gone(text: BurnedIn, seen: Seen, source: Any, after: Sequence[Frames]) -> bool | None:
    """True if a look that was measured to find text sees none in what is released; None where that cannot be said."""
    if seen.boxes:
        seen = text.look(np.concatenate(after), facts_of(source))
    return True if seen.verdict == "none seen" else None


def _with_boxes(outcome: Outcome, seen: Seen) -> Outcome:
    """The outcome with the blanked boxes among what was altered: columns and rows of a frame are the first two axes.

    Raises:
        Refusal: a box lies over what was promised to stay.
    """
    boxes = _in_boxes(seen, outcome.image)
    if outcome.protected is not None and (boxes & outcome.protected).any():
        raise Refusal(
            "what looks like burned-in text lies over the brain",
            hint="look at the slices; --set text.burned_in.smallest_px=16 looks for larger text only",
        )
    return replace(outcome, altered=boxes if outcome.altered is None else outcome.altered | boxes)


def _in_boxes(seen: Seen, image: Image) -> Mask:
    """(I, J, K) True in the columns and rows of a box."""
    out = np.zeros(image.data.shape[:3], dtype=bool)
    for box in seen.boxes:
        rows, columns = box.place
        out[columns, rows] = True
    return out


def _face_is_gone(volume: Volume, outcome: Outcome) -> bool | None:
    """True if the steps proved their parts gone and a detector sees no face; None where that cannot be said."""
    if not all(outcome.proofs.values()) or outcome.image is volume.image:
        return None
    return None if any(face.detected for face in faces(find_head(outcome.image))) else True


def _write(
    sources: Sequence[Any],
    changed: Sequence[Frames | None],
    folder: Path,
    pseudonyms: Pseudonyms,
    header: Dicom,
    *,
    face_removed: bool | None,
    pixels_cleaned: bool | None,
) -> list[str]:
    """Write every file under a number; the names, in order.

    Args:
        changed: the frames of each file whose pixels are not to stay as they are stored.
    """
    names = []
    for n, (source, frames) in enumerate(zip(sources, changed, strict=True), start=1):
        cleaned = clean(source, pseudonyms, header)
        if frames is not None:
            syntax = put_pixels(cleaned.dataset, frames, syntax=cleaned.transfer_syntax)
            cleaned = replace(cleaned, transfer_syntax=syntax)
        marks(cleaned.dataset, options=header, face_removed=face_removed, pixels_cleaned=pixels_cleaned)
        names.append(f"{n:05d}.dcm")
        with write_aside(folder / names[-1], "DICOM file") as file:
            file.write(to_bytes(cleaned))
    return names


def _proofs(
    written: Sequence[Path],
    meant: Sequence[Frames],
    known: Sequence[Identifier],
    seen: Seen,
    volume: Volume | None,
    outcome: Outcome | None,
) -> dict[str, bool]:
    """What can be proved about the files as they lie there; each proof by its name."""
    again = _read(written)
    proofs = {
        "pixels as meant": all(
            np.array_equal(stored(one), frames) for one, frames in zip(again, meant, strict=True)
        ),
        "no identifier of the source left": not left_behind(written[0].parent, known),
    }
    if volume is not None and outcome is not None:
        released = read_volume(again).image
        proofs |= verify_image(volume.image, released, outcome.altered, outcome.protected)
        proofs.pop("something was altered", None)  # a slab without a face has nothing to alter
        proofs["voxels as altered"] = _as_altered(volume, outcome, released, _in_boxes(seen, released))
        proofs |= {name: bool(held) for name, held in outcome.proofs.items()}
    return proofs


def _as_altered(volume: Volume, outcome: Outcome, released: Image, boxes: Mask) -> bool:
    """Whether the steps' result is what the files hold, as nearly as they can hold it, but for the blanked boxes."""
    low, high = max(a for a, _ in volume.limits), min(b for _, b in volume.limits)
    meant = outcome.image.data
    if meant.shape != released.data.shape:
        return False
    if released.data.dtype.kind in "iu":
        wrong = released.data != np.clip(meant, low, high)
    else:  # each frame has a scaling of its own, and holds the real value to its step
        step = max(abs(slope) for frames in volume.scaling for slope, _ in frames)
        wrong = ~np.isclose(released.data, meant, rtol=0.0, atol=step, equal_nan=True)
    return not (wrong.any(axis=3) if wrong.ndim > 3 else wrong)[~boxes].any()


def _said(seen: Seen, face_removed: bool | None, outcome: Outcome | None) -> list[str]:
    said = []
    if seen.boxes:
        said.append(f"{len(seen.boxes)} boxes that look like burned-in text were blanked on every frame")
    elif seen.verdict == "unknown":
        said.append("whether text is burned in could not be told: too few frames to compare")
    if outcome is not None and face_removed is None:
        said.append("a face detector still fires, so the files are not marked as having no recognisable face")
    return said
