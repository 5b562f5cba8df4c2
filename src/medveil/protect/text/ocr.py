"""OCR: an outside reader as one more witness; the tesseract program, if it is installed.

    frame ──8 bit, both polarities, three times larger──> tesseract (tsv) ──confident words──> boxes

It misses small text and text on tissue that the other tests see, and is slow, so it is never relied on
alone. What it reads is dropped here: only the place of a word leaves this file.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, MissingPackage
from medveil.protect.text.boxes import Box, as_frames, joined

INSTALL = "sudo apt-get install tesseract-ocr  (or: conda install -c conda-forge tesseract)"
_ENLARGED = 3
_TIMEOUT_S = 120


def ocr_boxes(frame: npt.NDArray[Any], *, least_confidence: float = 50.0) -> tuple[Box, ...]:
    """Boxes around words of three signs or more that tesseract reads.

    Args:
        frame: (H, W) or (H, W, 3), one frame.
        least_confidence: 0 to 100, as tesseract gives it.

    Raises:
        MissingPackage: the program is not installed.
        InputRefused: the program failed on this frame.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise MissingPackage("the program tesseract", "reading burned-in text (ocr)", INSTALL)
    as_frames(frame[None])
    grey = np.nan_to_num(frame.astype(np.float32))
    grey = grey.max(axis=-1) if grey.ndim == 3 else grey
    low, high = np.percentile(grey, [0.5, 99.9])
    eight = (np.clip((grey - low) / max(float(high - low), 1e-9), 0, 1) * 255).astype(np.uint8)
    boxes: list[Box] = []
    for picture in (eight, 255 - eight):
        boxes += _read(program, picture, least_confidence)
    return joined(boxes)


def _read(program: str, picture: npt.NDArray[np.uint8], least_confidence: float) -> list[Box]:
    from PIL import Image

    image = Image.fromarray(picture)
    size = (image.width * _ENLARGED, image.height * _ENLARGED)
    data = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(data, format="PNG")
    try:
        done = subprocess.run(  # noqa: S603 - argv is a fixed list, the picture goes through a pipe
            [program, "stdin", "stdout", "--psm", "11", "tsv"],
            input=data.getvalue(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise InputRefused("ocr: tesseract could not be run to its end on a frame") from None
    if done.returncode != 0:
        raise InputRefused("ocr: tesseract failed on a frame", hint="try the tests without ocr")
    boxes = []
    rows = csv.DictReader(
        io.StringIO(done.stdout.decode("utf-8", "replace")), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    for row in rows:
        try:
            sure = float(row["conf"])
            left, top, width, height = (int(row[k]) for k in ("left", "top", "width", "height"))
        except (KeyError, TypeError, ValueError):
            raise InputRefused(
                "ocr: tesseract answered in another form than expected (tsv)",
                hint="tesseract 4 or 5 is known",
            ) from None
        if sure < least_confidence or len((row.get("text") or "").strip()) < 3:
            continue
        box = Box(top // _ENLARGED, left // _ENLARGED, 1, 1, "ocr", sure)
        box = Box(box.top, box.left, -(-height // _ENLARGED) + 1, -(-width // _ENLARGED) + 1, "ocr", sure)
        boxes.append(box.grown(2, (picture.shape[0], picture.shape[1])))
    return boxes
