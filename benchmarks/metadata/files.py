"""Every DICOM file at hand through the engine: taken or set aside, and what was taken is the same image.

python benchmarks/metadata/files.py [--data FOLDER] [--dcm2niix PROGRAM] [--json FILE]

The files are those that pydicom ships, and those below FOLDER.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import warnings
from collections import Counter
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from medveil.core.secrets import Key
from medveil.io.identifiers import dicom_identifiers
from medveil.io.residual import residues
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.marks import marks
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.rules import Options
from medveil.protect.header.dicom.write import to_bytes
from medveil.protect.header.pseudonyms import Pseudonyms

OPTIONS = Options(secondary_capture=True)
EMBEDDED = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass
class Row:
    """What became of one file; fields that were not looked at are empty.

    Args:
        file: its place, below pydicom's files or FOLDER.
        outcome: cleaned, quarantined, no DICOM (pydicom can't read it), crash.
        why: reason, or type of the error.
        opens: whether pydicom reads the output, every element.
        pixels: same decoded, same bytes, same but for comments (of JPEG frames), none, changed.
        residues: kinds of the source's identifiers in the output's bytes.
        nifti: same, none before, changed; or the overlay, which dcm2niix writes as a file of its own, is gone.
    """

    file: str
    outcome: str
    why: str = ""
    opens: bool | None = None
    pixels: str = ""
    residues: tuple[str, ...] = ()
    nifti: str = ""


def looked_at(path: Path, name: str, dcm2niix: str) -> Row:
    """One file, cleaned and compared."""
    from pydicom import dcmread

    data = path.read_bytes()
    try:
        dataset = dcmread(BytesIO(data), force=True)
    except Exception as error:  # noqa: BLE001 - what pydicom can't read goes no further
        return Row(name, "no DICOM", type(error).__name__)
    try:
        cleaned = clean(dataset, Pseudonyms(Key(bytes(range(32)))), OPTIONS)
        marks(cleaned.dataset, options=OPTIONS)
        written = to_bytes(cleaned)
    except Quarantine as error:
        return Row(name, "quarantined", error.reason)
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return Row(name, "crash", type(error).__name__)
    row = Row(name, "cleaned", opens=True)
    try:
        again = dcmread(BytesIO(written))
        list(again.iterall())
    except Exception as error:  # noqa: BLE001 - as above
        row.opens, row.why = False, type(error).__name__
        return row
    row.pixels = pixels(dcmread(BytesIO(data), force=True), again)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.dcm"
        out.write_bytes(written)
        try:
            row.residues = tuple(sorted({r.kind or r.where for r in residues(out, dicom_identifiers(path))}))
        except Exception:  # noqa: BLE001 - its elements can't all be decoded, so they can't be searched for
            row.residues = ("source not parsed",)
        if dcm2niix:
            before, after = converted(dcm2niix, path), converted(dcm2niix, out)
            row.nifti = "none before" if not before else "same" if before == after else "changed"
            overlay = any(tag.group & 0xFF00 == 0x6000 for tag, _ in dataset.items())
            if row.nifti == "changed" and after and overlay and set(after) < set(before):
                row.nifti = "overlay gone"
    return row


def pixels(before: Any, after: Any) -> str:
    """Whether two datasets hold the same image: decoded where that can be done, else byte by byte."""
    import numpy as np
    from pydicom.encaps import generate_frames

    if not any(keyword in before for keyword in EMBEDDED):
        return "none"
    try:
        old = before.pixel_array
    except Exception:  # noqa: BLE001 - no codec, or broken pixels
        old, new = (ds[next(k for k in EMBEDDED if k in ds)].value for ds in (before, after))
        if old[: len(new)] == new:
            return "same bytes"
        if before.file_meta.TransferSyntaxUID.is_encapsulated:
            old, new = (next(generate_frames(b, number_of_frames=1)) for b in (old, new))
            old, new = (b[b.find(b"\xff\x90") :] for b in (old, new))  # from the first tile of JPEG 2000 on
        return "same but for comments" if old == new else "changed"
    try:
        new = after.pixel_array
    except Exception:  # noqa: BLE001 - what could be decoded before has to be so now
        return "changed"
    same = old.dtype == new.dtype and np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
    return "same decoded" if same else "changed"


def converted(dcm2niix: str, path: Path) -> list[tuple[Any, ...]]:
    """Shape, affine and stored numbers of each NIfTI file that dcm2niix makes of one DICOM file."""
    import nibabel as nib
    import numpy as np

    found = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        (Path(folder) / "in" / "a.dcm").write_bytes(path.read_bytes())
        (Path(folder) / "out").mkdir()
        command = [dcm2niix, "-z", "n", "-b", "n", "-f", "a", "-o", f"{folder}/out", f"{folder}/in"]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        for made in sorted(Path(folder, "out").glob("*.nii")):
            image = nib.load(made)
            raw = np.asanyarray(image.dataobj.get_unscaled())
            found.append((raw.shape, raw.dtype.str, raw.tobytes(), np.round(image.affine, 5).tobytes(),
                          image.dataobj.slope, image.dataobj.inter))  # fmt: skip
    return sorted(found)


def main() -> None:
    """All files, counted."""
    warnings.simplefilter("ignore")  # pydicom warns of odd files, with values
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None, help="a folder of DICOM files of your own")
    parser.add_argument("--dcm2niix", default="", help="the program, to compare conversions")
    parser.add_argument("--json", default="")
    given = parser.parse_args()
    import pydicom

    sets = {"pydicom": Path(pydicom.__file__).parent / "data" / "test_files"}
    if given.data:
        sets["data"] = given.data
    out = {}
    for name, folder in sets.items():
        paths = sorted(p for p in folder.rglob("*") if p.is_file())
        rows = [looked_at(p, str(p.relative_to(folder)), given.dcm2niix) for p in paths]
        out[name] = [asdict(row) for row in rows]
        print(f"\n{name}: {len(rows)} files")
        for title, counts in (
            ("outcome", Counter(r.outcome for r in rows)),
            ("set aside", Counter(f"{r.outcome}: {r.why}" for r in rows if r.outcome != "cleaned")),
            ("opens", Counter(str(r.opens) for r in rows if r.outcome == "cleaned")),
            ("pixels", Counter(r.pixels for r in rows if r.outcome == "cleaned")),
            ("residues", Counter(", ".join(r.residues) or "none" for r in rows if r.outcome == "cleaned")),
            ("nifti", Counter(r.nifti for r in rows if r.nifti)),
        ):
            print(f"  {title}: " + "; ".join(f"{k} {n}" for k, n in counts.most_common()))
        for row in rows:
            if (
                row.outcome == "crash"
                or row.opens is False
                or row.residues
                or "changed" in (row.pixels, row.nifti)
            ):
                print("  look at", row)
    if given.json:
        Path(given.json).write_text(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
