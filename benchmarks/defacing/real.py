"""Every real head in a folder, protected as a user would: a table of verdicts, and pictures to look at; see README.md.

python -m benchmarks.defacing.real --data FOLDER --pictures /tmp/looked-at
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from medveil.core.errors import MedveilError
from medveil.io import nifti
from medveil.protect.deface.erase import Erase
from medveil.protect.verify import verify_image
from medveil.scene.marks import jpeg, marked
from medveil.scene.slices import cut


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--data", type=Path, required=True, help="a folder with NIfTI files, looked through whole"
    )
    options.add_argument(
        "--pictures", type=Path, help="folder for before and after slices: faces, not to be shared"
    )
    options.add_argument("--deep", action="store_true")
    a = options.parse_args()
    for path in sorted(a.data.rglob("*.nii.gz")):
        start = time.process_time()
        image = nifti.read(path)
        try:
            outcome = Erase(deep=a.deep).apply(image)
        except MedveilError as error:
            print(f"{path.name:36} {time.process_time() - start:5.1f} s  refused: {error}", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "released.nii.gz"
            nifti.write(outcome.image, written)
            proofs = verify_image(image, nifti.read(written), outcome.altered, outcome.protected)
        m, proofs = outcome.measured, {**proofs, **outcome.proofs}
        failed = [k for k, v in proofs.items() if not v]
        print(
            f"{path.name:36} {time.process_time() - start:5.1f} s  {failed or 'all proofs hold'}, "
            f"{m['removed_ml']:.0f} ml removed, confidence {m['confidence_peak_ratio']:.2f}; {'; '.join(outcome.remarks)}",
            flush=True,
        )
        if a.pictures:
            a.pictures.mkdir(parents=True, exist_ok=True)
            stem = path.name.removesuffix(".nii.gz")
            where = cut(image, outcome.protected, height_px=240)
            before, after = where.grey(image), where.grey(outcome.image)
            shades = marked(
                after, before, where.share(outcome.altered, image), where.share(outcome.protected, image)
            )
            (a.pictures / f"{stem}.jpg").write_bytes(
                jpeg(np.concatenate([np.stack([before] * 3, -1), shades]))
            )


if __name__ == "__main__":
    main()
