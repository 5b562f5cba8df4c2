"""Planted identifiers through the whole command: `medveil release` on NIfTI, BIDS, DICOM and a head as a DICOM series.

python benchmarks/metadata/release.py [--json FILE]

NIfTI, BIDS and the series are simulated heads and are defaced; the small DICOM images are none: `--step header.dicom`.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from leak import ALLOWED
from medveil.carry import canary
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io.dicom_facts import facts_of
from medveil.measure.leak import in_dicom
from medveil.measure.leak.key import key_to_json
from medveil.measure.leak.marker import Mint
from medveil.measure.leak.planted import Planted, PlantedFile

SEED = 20
MEDVEIL = str(Path(sys.executable).with_name("medveil"))
HEADERS = ("--step", "header.dicom")


def head(spacing_mm: float) -> Image:
    """A simulated head, nobody's."""
    from medveil.simulate.person import draw_person
    from medveil.simulate.scan import Scanner, scan

    seeds = Seeds(SEED)
    return scan(draw_person(seeds, 1), seeds, scanner=Scanner(spacing_mm=spacing_mm)).image


def plant_series(folder: Path, key: Path, image: Image) -> None:
    """A head as a classic MR series: each slice holds the 166 markers of the planted image, and a UID of its own."""
    from pydicom.config import disable_value_validation

    mint, planted = Mint(Seeds(SEED)), Planted()
    mint.format, mint.file = "dicom", "series/0000.dcm"
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    spacing = image.spacing_mm
    with disable_value_validation():
        first = in_dicom.stained_file(mint)
        behind = first.PixelData[64 * 64 * 2 :]
        for k in range(image.data.shape[2]):
            data: Any = copy.deepcopy(first)
            data.preamble = first.preamble
            if k:
                data.SOPInstanceUID = mint.draw("uid")
            data.InstanceNumber, data.SliceThickness = k + 1, f"{spacing[2]:.4f}"
            data.ImagePositionPatient = [f"{v:.5f}" for v in (lps @ [0, 0, k, 1])[:3]]
            axes = [*(lps[:3, 0] / spacing[0]), *(lps[:3, 1] / spacing[1])]
            data.ImageOrientationPatient = [f"{v:.8f}" for v in axes]
            data.PixelSpacing = [f"{spacing[1]:.4f}", f"{spacing[0]:.4f}"]
            data.Rows, data.Columns = image.data.shape[1], image.data.shape[0]
            data["PixelData"].value = (
                np.ascontiguousarray(image.data[:, :, k].T.astype("<i2")).tobytes() + behind
            )
            content = in_dicom.to_bytes(data)
            place = f"series/{k:04d}.dcm"
            planted.files.append(PlantedFile(place, content, True, facts_of(io.BytesIO(content))))
    planted.markers = mint.markers
    for file in planted.files:
        path = folder / file.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    key.write_text(json.dumps(key_to_json(planted)))


def released(root: Path, name: str, source: Path, markers: Path, words: tuple[str, ...]) -> dict[str, Any]:
    """One run of the command through the scorer, what it refused, and what `medveil verify` says of the release."""
    out, begun = root / f"out {name}", time.monotonic()
    scored = canary.score(
        out,
        markers,
        allowed=ALLOWED,
        command=[MEDVEIL, "release", "{in}", "--to", "{out}", "--jobs", "1", *words],
        source=source,
    )
    seconds = time.monotonic() - begun
    images = json.loads((out / "findings.json").read_text())["images"]
    key = words[words.index("--key") + 1] if "--key" in words else ""
    key = key or (str(out) + ".key" if Path(str(out) + ".key").exists() else "")
    verify = [MEDVEIL, "verify", str(out), "--source", str(source), "--json"]
    said = subprocess.run([*verify, *(["--key", key] if key else [])], capture_output=True, check=False)
    checked = json.loads(said.stdout or "{}")
    return {
        "name": name,
        "seconds": round(seconds, 1),
        **scored.to_json(),
        "states": dict(Counter(i["state"] for i in images)),
        "reasons": dict(Counter(i["reason"] for i in images if i["reason"])),
        "remarks": dict(Counter(remark for i in images for remark in i["remarks"])),
        "verify": {k: checked.get(k) for k in ("files", "searched", "paired", "problems")},
        "marks": marks(out),
    }


def marks(out: Path) -> dict[str, int]:
    """How many DICOM files of a release say what about faces and text."""
    from pydicom import dcmread

    said = [dcmread(p, stop_before_pixels=True) for p in out.rglob("*.dcm")]
    return dict(
        Counter(f"{k}={one[k].value}" for one in said for k in
                ("PatientIdentityRemoved", "RecognizableVisualFeatures", "BurnedInAnnotation") if k in one)
    )  # fmt: skip


def told(row: dict[str, Any]) -> None:
    """Print one run."""
    total = row["rows"][-1]
    print(f"\n{row['name']}: {row['seconds']} s, exit {row['command_exit']}, {row['states']}, planted {total['planted']}, "
          f"leaked {total['leaked']}, declared {total['allowed']}, missing files {len(row['missing_files'])}, "
          f"printed {row['printed']}, not searched {row['not_searched']}, clean {row['clean']}")  # fmt: skip
    print("  actions " + ", ".join(f"{k} {v['passed']}/{v['asked']}" for k, v in row["actions"].items()))
    for what in ("leaked", "allowed"):
        print(f"  {what}: " + (", ".join(m["place"] for m in row[what]) or "none"))
    for what in ("missing_files", "failed_actions", "reasons", "remarks", "marks", "verify"):
        print(f"  {what}: {row[what] or 'none'}")


def main() -> None:
    """Plant, release, score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        key = root / "release.key"
        subprocess.run([MEDVEIL, "key", "new", str(key)], check=True, capture_output=True)
        sources = {}
        for name in ("nifti", "bids", "dicom"):
            canary.make(root / name, root / f"{name}.json", formats=[name], seed=SEED)
            # A dataset is what lies in bids/; its other markers are all below it.
            sources[name] = root / name / "bids" if name == "bids" else root / name
        plant_series(root / "series", root / "series.json", head(2.0))
        sources["series"] = root / "series"
        rows = []
        for name, source in sources.items():
            for words in ((), ("--key", str(key))):
                title = f"{name}, {'with a key' if words else 'no key given'}"
                chosen = (*(HEADERS if name == "dicom" else ()), *words)
                rows.append(released(root, title, source, root / f"{name}.json", chosen))
                told(rows[-1])
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
