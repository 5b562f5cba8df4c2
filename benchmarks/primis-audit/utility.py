"""What are films still good for after the code? Tables 2, 3 and Fig. 8 of the PRIMIS paper on our films; see README.md."""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from medveil.carry.training import part_of
from medveil.core.seeds import Seeds
from medveil.io.films import read_shared
from medveil.measure.utility.agreement import CLASSES, LIMITS
from medveil.measure.utility.before_after import ORIGINAL, BeforeAfter
from medveil.measure.utility.classification import ClassificationSettings, auc_within, classification
from medveil.measure.utility.crossed import AGAIN, Crossed
from medveil.measure.utility.nets import NetTraining
from medveil.measure.utility.overlap import NAMES
from medveil.measure.utility.radiomics import FEATURES, Texture, texture
from medveil.measure.utility.segmentation import SegmentationSettings, segmentation
from medveil.report.heat_map import heat_map
from medveil.share.codec.grid import Grid
from medveil.share.codec.primis import Primis

HERE = Path(__file__).parent
MODELS = {"S_x 16": "films-16", "S_x 8": "films-8", "S_x 4": "films-4"}
# A change that everybody sees: where even this costs nothing, the test sees too little to praise a code by it.
COARSE, FACTOR = "coarse", 8
# Of each task the films of one source, so that neither size nor file format tells a label.
SOURCES = {"children": "pneumonia224", "covid": "masked", "lungs": "masked", "texture": "masked"}
REMARKS = {
    "children": "one source, one size; `group` keeps related names together and is not proof of one child",
    "covid": "CONFOUNDED: the films of COVID-19 are of adults of other hospitals, all others of children of one; read "
    "the change and not the AUC",
    "lungs": "the outline goes behind the heart and the diaphragm, where nothing shows it",
}
Picture = npt.NDArray[np.float32]


@dataclass(frozen=True, repr=False)
class Film:
    """A film and its codes, at its own size."""

    group: str
    label: str
    source: str
    pictures: dict[str, Picture]
    mask: npt.NDArray[np.bool_] | None


def main() -> None:
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("table", type=Path, help="labels.csv of the films")
    o.add_argument("--only", nargs="+", choices=SOURCES, default=list(SOURCES))
    o.add_argument("--side", type=int, default=128, help="pixels; films are resized after they were coded")
    o.add_argument("--folds", type=int, default=2)
    o.add_argument("--steps", type=int, nargs=2, default=(300, 200), help="classifier, U-Net")
    o.add_argument(
        "--most", type=int, default=None, help="films of each label, source and part, for a quick look"
    )
    o.add_argument("--threads", type=int, default=2)
    o.add_argument("--accelerator", default="cpu")
    o.add_argument("--seed", type=int, default=0)
    o.add_argument(
        "--kept", type=Path, default=None, help="folder to keep the coded films in, for another run"
    )
    o.add_argument("--to", type=Path, default=HERE / "utility.json")
    o.add_argument("--figure", type=Path, default=HERE / "utility.png")
    a = o.parse_args()
    torch.set_num_threads(a.threads)
    seeds, begun = Seeds(a.seed), time.monotonic()

    def told(*what: object) -> None:
        print(f"{time.monotonic() - begun:6.0f} s ", *what, flush=True)

    films = coded(a.table, {SOURCES[task] for task in a.only}, a.most, a.kept, told)
    out: dict[str, Any] = json.loads(a.to.read_text()) if a.to.exists() else {}
    classes, unet = (
        NetTraining(steps=steps, batch=batch, width=width, depth=depth, accelerator=a.accelerator)
        for steps, batch, width, depth in zip(a.steps, (16, 8), (16, 8), (5, 4), strict=True)
    )

    def keep(name: str, found: Crossed | Texture) -> None:
        out[name] = {"side": a.side, "seconds": round(time.monotonic() - begun), **short(found.to_json())}
        a.to.write_text(json.dumps(out) + "\n")

    for task in ("children", "covid"):
        if task not in a.only:
            continue
        some = [f for f in films if f.source == SOURCES[task] and f.label != "other"]
        data, labels = gathered(some, a.side, REMARKS[task]), np.array([f.label for f in some])
        if task == "covid":
            labels = np.where(labels == "covid19", "covid19", "no covid19")
            told(f"AUC of the number of pixels of the file alone: {by_size(some):.2f}")
        how = ClassificationSettings(folds=a.folds, training=classes)
        found = classification(data, labels, seeds=seeds, settings=how, told=told)
        keep(task, found)
        shown(task, found, sorted(found.cells[0].found))
    outlined = [f for f in films if f.mask is not None]
    if "lungs" in a.only:
        data = gathered(outlined, a.side, REMARKS["lungs"])
        masks = np.stack([scaled(f.mask, a.side, a.side) > 0.5 for f in outlined if f.mask is not None])
        spread = SegmentationSettings(folds=a.folds, training=unet, unit=f"pixel of {a.side}")
        found = segmentation(data, masks, seeds=seeds, settings=spread, told=told)
        keep("lungs", found)
        shown("lungs", found, NAMES)
    if "texture" in a.only:
        held = [f for f in outlined if part_of(f.group) != "train"]
        side = max(max(f.pictures[ORIGINAL].shape) for f in held)
        after = {name: np.stack([padded(f.pictures[name], side) for f in held]) for name in held[0].pictures}
        before = after.pop(ORIGINAL)
        masks = np.stack([padded(f.mask, side) for f in held if f.mask is not None])
        data = BeforeAfter(before, after, np.array([f.group for f in held]), remark="films at their own size")
        textures = texture(data, masks, seeds=seeds, told=told)
        keep("texture", textures)
        graded(textures)
        a.figure.write_bytes(drawn(textures))


def short(found: Any) -> Any:
    """Of each estimate value, low and high; what it is stands in README.md."""
    if isinstance(found, dict) and "value" in found:
        return [None if found[k] is None else round(found[k], 4) for k in ("value", "low", "high")]
    if isinstance(found, dict):
        return {k: short(v) for k, v in found.items()}
    return [short(v) for v in found] if isinstance(found, list) else found


def coded(table: Path, sources: set[str], most: int | None, kept: Path | None, told: Any) -> list[Film]:
    """The films with what the codec makes of each; of one that is kept, what was kept."""
    codecs = {name: Primis(model) for name, model in MODELS.items()}
    count: dict[tuple[str, ...], int] = {}
    films = []
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        label, source = label_of(row), row["file"].partition("/")[0]
        key = (label, source, part_of(row["group"]).replace("validate", "test"))
        count[key] = count.get(key, 0) + 1
        if source not in sources or (most is not None and count[key] > most):
            continue
        image = read_shared(table.parent / row["file"]).image
        scale = Grid.of(image).scale
        pictures = {ORIGINAL: scale.to_unit(image.data).astype(np.float32)}
        for name, codec in codecs.items():
            settings = codec.settings(image)
            place = kept / f"{codec.model}-{settings['model'][:12]}-{number}.npy" if kept else None
            if place and place.exists():
                back = np.load(place)
            else:
                # What decode(encode(image)) gives: the entropy coder between is exact, and slow.
                back = codec.render(codec.sparse(image), settings).data
                if place:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    np.save(place, back)
            pictures[name] = scale.to_unit(back).astype(np.float32).clip(0, 1)
        height, width = pictures[ORIGINAL].shape
        small = scaled(pictures[ORIGINAL], height // FACTOR, width // FACTOR)
        pictures[COARSE] = scaled(small, height, width)
        mask = read_shared(table.parent / row["mask"]).image.data > 127 if row["mask"] else None
        films.append(Film(row["group"], label, source, pictures, mask))
    told(f"{len(films)} films coded")
    return films


def label_of(row: dict[str, str]) -> str:
    """normal, bacteria, virus, covid19; of adults without COVID-19 too few are there."""
    if row["label"] == "covid19":
        return "covid19"
    if not row["file"].rpartition("/")[2].startswith("kermany") and row["file"].startswith("masked"):
        return "other"
    return row["sublabel"] or row["label"]


def gathered(films: list[Film], side: int, remark: str) -> BeforeAfter:
    """All at one size; tested on are those the codec did not learn from."""
    pictures = {
        name: np.stack([scaled(f.pictures[name], side, side) for f in films]) for name in films[0].pictures
    }
    group = np.array([f.group for f in films])
    tested = np.array([part_of(g) != "train" for g in group])
    return BeforeAfter(pictures.pop(ORIGINAL), pictures, group, tested, remark)


def scaled(picture: npt.NDArray[Any], height: int, width: int) -> Picture:
    """(height, width), smoothed before it is made smaller; the aspect may be lost, as in the paper's code."""
    x = torch.from_numpy(np.ascontiguousarray(picture, dtype=np.float32))[None, None]
    other = torch.nn.functional.interpolate(x, size=(height, width), mode="bilinear", antialias=True)
    return other[0, 0].clamp(0, 1).numpy()


def padded(picture: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """(side, side) with zeros below and to the right; masks keep them out of every figure."""
    return np.pad(picture, [(0, side - n) for n in picture.shape])


def by_size(films: list[Film]) -> float:
    """How well the size of the file alone tells COVID-19 apart: what no network may be praised for."""
    size = np.array([float(np.prod(f.pictures[ORIGINAL].shape)) for f in films])
    covid = np.array([f.label == "covid19" for f in films])
    one = np.ones((1, len(films)))
    return float(auc_within(size, covid, np.zeros(len(films), dtype=np.int64), one)[0])


def shown(task: str, found: Crossed, names: Iterable[str]) -> None:
    """As Markdown."""
    names = list(names)
    units = [f"{n}, {u}" if (u := found.cells[0].found[n].unit) else n for n in names]
    print(f"\n{task}: {found.images} films of {found.persons} people. {found.remark}\n")
    print("| learned from | tested on | " + " | ".join(units) + " | change of " + names[0] + " |")
    print("|---" * (3 + len(names)) + "|")
    for cell in found.cells:
        figures = [str(cell.found[n]).removesuffix(f" {cell.found[n].unit}") for n in names]
        change = "" if (cell.trained, cell.tested) == (ORIGINAL, ORIGINAL) else str(cell.change[names[0]])
        print(f"| {cell.trained} | {cell.tested} | " + " | ".join(figures) + f" | {change} |")
    print(f"\nControl `{AGAIN}`: what training again changes by itself.", flush=True)


def graded(found: Texture) -> None:
    """As Markdown."""
    print(f"\ntexture: {found.images} films of {found.persons} people, {len(FEATURES)} features\n")
    print(
        "| change | "
        + " | ".join(CLASSES)
        + " | excellent by the interval | median ICC | median ARE % | median RE % |"
    )
    print("|---" * (len(CLASSES) + 5) + "|")
    for name, features in found.changes.items():
        medians = [
            np.median([e.value for e in column if e.value is not None])
            for column in ([a.icc for a in features], [a.are for a in features], [a.re for a in features])
        ]
        grades = " | ".join(str(n) for n in found.grades(name).values())
        sure = found.grades(name, sure=True)["excellent"]
        print(f"| {name} | {grades} | {sure} | " + " | ".join(f"{m:.3g}" for m in medians) + " |")
    for name, features in found.changes.items():
        lost = [a.feature for a in features if a.grade in ("poor", "moderate", None)]
        print(f"{name}, poor or moderate: {', '.join(lost) or 'none'}")


def drawn(found: Texture) -> bytes:
    columns = {name: [a.icc.value for a in features] for name, features in found.changes.items()}
    return heat_map(FEATURES, columns, limits=LIMITS, classes=CLASSES, title="ICC(2,1) of radiomic features")


if __name__ == "__main__":
    main()
