"""Burned-in text on simulated heads: how small may it be and still be found? Prints tables, writes JSON.

Twelve people who do not exist, sagittal slices of 1 mm. On each, for each size, place and ink, one string in one font
is burned into the slices; a box counts as found if the evidence covers at least .8 of its area.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.protect.text.boxes import Box, covered
from medveil.protect.text.glyphs import glyph_boxes
from medveil.protect.text.static import sampled, static_boxes
from medveil.protect.text.strings import string_boxes
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.overlays import FONTS, burn, lettering
from medveil.simulate.scanner import Scanner

SIZES_PX = (6, 8, 9, 10, 12, 14, 16, 20, 24, 32, 40)
STRINGS = ("DOE JANE", "ROSS^K", "19700131", "MR-77413", "Smith, P", "01/31/70", "ID 40917", "LEE^ANNA")
PLACES, INKS = ("corner", "tissue"), ("white", "grey")
FRAMES = 16
FOUND_SHARE = 0.8

Frames = np.ndarray[Any, Any]
Test = Callable[[Frames, str], tuple[Box, ...]]


def slices(data: Frames) -> Frames:
    """Sixteen sagittal slices of the middle two thirds, (16, H, W), the crown at the top."""
    n = data.shape[0]
    some = n // 6 + sampled(2 * n // 3, FRAMES)
    return np.ascontiguousarray(data[some][:, :, ::-1].transpose(0, 2, 1))


def placed(
    frames: Frames, size_px: int, place: str, ink: str, draw: np.random.Generator
) -> tuple[Frames, Box, str]:
    """The frames with a string on them, where its ink is, and what it says."""
    fitting: list[tuple[str, np.ndarray[Any, Any]]] = []
    while not fitting:
        text, font = str(draw.choice(STRINGS)), str(draw.choice(list(FONTS)))
        letters = lettering(text, size_px, font, smooth=bool(draw.random() < 0.5))
        if letters.shape[1] < frames.shape[2] - 8:
            fitting.append((text, letters))
    text, letters = fitting[0]
    room = frames.shape[1] - letters.shape[0], frames.shape[2] - letters.shape[1]
    if place == "corner":
        top, left = int(draw.integers(1, 6)), int(draw.integers(1, max(2, min(8, room[1]))))
    else:
        top, left = int(room[0] * draw.uniform(0.25, 0.45)), int(room[1] * draw.uniform(0.4, 0.6))
    head = frames[frames > np.percentile(frames, 60)]
    value = float(np.percentile(frames, 99.9)) if ink == "white" else float(np.median(head))
    return burn(frames, letters, top=top, left=left, value=value), Box(top, left, *letters.shape), text


def interval(hits: list[bool], name: str) -> Estimate:
    """Share of people on whom the text was found, with its interval over people."""
    draws = (
        Seeds(0).stream("text/bootstrap").choice(np.array(hits, dtype=float), (2000, len(hits))).mean(axis=1)
    )
    low, high = (float(v) for v in np.percentile(draws, [2.5, 97.5]))
    if (
        len(set(hits)) == 1
    ):  # a bootstrap of equal values has no width: exact binomial bound (Clopper-Pearson)
        bound = 0.025 ** (1 / len(hits))
        low, high = (bound, 1.0) if hits[0] else (0.0, 1.0 - bound)
    return Estimate(name, float(np.mean(hits)), low, high, n=len(hits), better="higher", note="people")


def main() -> None:
    """Run; see README."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--people", type=int, default=12)
    ask.add_argument("--to", type=Path, default=Path(__file__).with_name("text.json"))
    ask.add_argument("--strings", action="store_true", help="also match the string that was burned in (slow)")
    given = ask.parse_args()

    cohort = simulate_cohort(given.people, seed=23, photos=0, scanner=Scanner(spacing_mm=1.0)).scans
    tests: dict[str, Test] = {
        "static, 16 slices": lambda f, _: static_boxes(f),
        "static, 8 slices": lambda f, _: static_boxes(f[::2]),
        "glyphs, 1 slice": lambda f, _: glyph_boxes(f[8:9]),
    }
    if given.strings:
        tests["header string, 1 slice"] = lambda f, text: string_boxes(f[8], [text])
    hits: dict[tuple[str, str, str, int], list[bool]] = {}
    false: dict[str, list[tuple[int, float]]] = {}
    seconds: dict[str, float] = dict.fromkeys(tests, 0.0)
    for person, record in enumerate(cohort):
        frames = slices(np.asarray(record.open().data))
        for name, test in tests.items():
            boxes = test(frames, STRINGS[person % len(STRINGS)])
            masked = np.zeros(frames.shape[1:], dtype=bool)
            for box in boxes:
                masked[box.place] = True
            false.setdefault(name, []).append((len(boxes), float(masked.mean())))
        for p, place in enumerate(PLACES):
            for i, ink in enumerate(INKS):
                for size in SIZES_PX:
                    draw = Seeds(23).stream("text/overlay", person, p, i, size)
                    marked, box, text = placed(frames, size, place, ink, draw)
                    for name, test in tests.items():
                        start = time.process_time()
                        found = covered(box, test(marked, text)) >= FOUND_SHARE
                        seconds[name] += time.process_time() - start
                        hits.setdefault((name, place, ink, size), []).append(found)
    recall = {key: interval(value, "recall") for key, value in hits.items()}
    print("| test, place, ink | " + " | ".join(f"{s} px" for s in SIZES_PX) + " |")
    print("|---" * (len(SIZES_PX) + 1) + "|")
    for name in tests:
        for place in PLACES:
            for ink in INKS:
                row = [f"{recall[name, place, ink, s].value:.2f}" for s in SIZES_PX]
                print(f"| {name}, {place}, {ink} | " + " | ".join(row) + " |")
    for name, clean in false.items():
        flagged = interval([boxes > 0 for boxes, _ in clean], "false alarms")
        share = float(np.mean([m for _, m in clean]))
        each = seconds[name] / (len(clean) * len(PLACES) * len(INKS) * len(SIZES_PX))
        print(f"clean, {name}: flagged {flagged}, {share:.2%} of pixels masked, {each:.2f} CPU s a call")
    out = {
        "people": given.people,
        "recall": {", ".join(map(str, key)): value.to_json() for key, value in recall.items()},
        "clean": {k: {"boxes": [b for b, _ in v], "masked": [m for _, m in v]} for k, v in false.items()},
    }
    given.to.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
