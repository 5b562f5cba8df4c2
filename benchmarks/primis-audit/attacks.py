"""How much of an obfuscated code can be read without a key? The attacks on codes, one after the other; see README.md."""

from __future__ import annotations

import argparse
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from medveil.carry.decoding import Bench, authorised, pair_of, threat_of
from medveil.carry.training import part_of
from medveil.core import catalog
from medveil.core.image import Image
from medveil.core.secrets import Key
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair
from medveil.io.film_folder import FilmFile, find_films
from medveil.io.films import read_shared
from medveil.measure.fidelity.error import psnr
from medveil.share.codec.primis import Primis
from medveil.share.keys import LevelKeys

HERE = Path(__file__).parent
KEY = Key(sha256(b"the key of a benchmark").digest())
SIDE = 128
SHOWN = ("auc", "found", "solved", "psnr", "ssim", "residual_bits_bound")


def main() -> None:
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("table", type=Path)
    o.add_argument("--model", default="films-16")
    o.add_argument("--decoys", nargs="+", type=int, default=[16, 48, 240])
    o.add_argument("--films", type=int, default=10, help="one of each person, from the people of `test`")
    o.add_argument(
        "--others",
        type=int,
        default=20,
        help="people of `validate`, half to learn from and half to calibrate on",
    )
    o.add_argument("--attack", nargs="+", default=None, help="all that come with medveil")
    o.add_argument("--to", type=Path, default=HERE / "attacks.json")
    a = o.parse_args()
    torch.set_num_threads(1)
    codec, rows = Primis(a.model), []
    names = a.attack or [p.name for p in catalog.parts("attack") if p.name.startswith("decode.")]
    files = find_films(a.table.parent, a.table)
    for decoys in a.decoys:
        pairs = [made(codec, f, decoys) for f in of(files, "test", a.films)]
        others = tuple(made(codec, f, decoys) for f in of(files, "validate", a.others))
        threat, apart = (
            threat_of(codec, others[::2]),
            others[1::2],
        )  # nobody is learned from and calibrated on
        opened = [
            psnr(p.picture, q, data_range=1.0) for p, q in zip(pairs, authorised(pairs, threat), strict=True)
        ]
        print(
            f"S_n {decoys}, {len(pairs)} people: authorised {sum(x or 99 for x in opened) / len(opened):.1f} dB"
        )
        for name in names:
            found = Bench(pairs, threat, Seeds(0), calibrate=apart, control=False).attacked(
                catalog.find("attack", name).load()()
            )
            row: dict[str, Any] = {
                "decoys": decoys,
                "attack": name,
                "seconds": found.seconds,
                "p": found.p_value,
            }
            row |= {k: e.to_json() for k, e in found.estimates.items()}
            rows.append(row)
            told = "  ".join(f"{k} {found.estimates[k]}" for k in SHOWN if k in found.estimates)
            print(f"  {name:22} {found.seconds / len(pairs):6.1f} s a film  {told}", flush=True)
            a.to.write_text(json.dumps(rows, indent=1) + "\n")


def of(files: list[FilmFile], part: str, count: int) -> list[FilmFile]:
    """One film of each of so many people, those of at least 128 x 128 pixels."""
    chosen: dict[str, FilmFile] = {}
    for f in files:
        if part_of(f.group) == part and len(chosen) < count:
            chosen.setdefault(f.group, f)
    return list(chosen.values())


def made(codec: Primis, film: FilmFile, decoys: int) -> CodePair:
    """The middle of a film as a code, and what it hides."""
    data = read_shared(film.path).image.data
    i, j = ((n - SIDE) // 2 for n in data.shape)
    image = Image(data[i : i + SIDE, j : j + SIDE], torch.eye(4).numpy(), "film")
    digest = sha256(image.data.tobytes()).digest()
    return pair_of(codec, image, LevelKeys.derived(KEY, digest, 4), decoys=decoys, group=film.group)


if __name__ == "__main__":
    main()
