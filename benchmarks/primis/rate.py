"""What do code and key cost, beside JPEG and JPEG 2000 at the same PSNR, and how long does it take? See README.md."""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from medveil.carry.training import part_of
from medveil.core.image import Image
from medveil.core.secrets import Key
from medveil.io.film_folder import find_films
from medveil.io.films import read_shared
from medveil.share.codec.jpeg2000 import Jpeg2000
from medveil.share.codec.primis import Primis
from medveil.share.container import Code
from medveil.share.keys import LevelKeys
from medveil.share.obfuscate import obfuscate, reveal
from medveil.share.seal import seal, unseal
from medveil.share.yardstick import jpeg2000_at, jpeg_at

HERE = Path(__file__).parent
SQUARE = 256
# As released: 25 sites for each of 4 code maps in a 64 x 64 tile, 256 components, 32 of them kept (k = 16).
RELEASED_SITES = 4 * 25 / 64**2


def main() -> None:
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("table", type=Path)
    o.add_argument("--models", nargs="+", default=["films-4", "films-8", "films-16"])
    o.add_argument("--sizes", nargs="+", type=int, default=[256, 512, 1024, 2048])
    o.add_argument("--films", type=int, default=8, help="pictures of each size, one of 2048")
    o.add_argument(
        "--decoys", nargs="+", type=float, default=[1], help="S_n in units of S_x; 0 for all others"
    )
    o.add_argument("--to", type=Path, default=HERE / "rate.json")
    a = o.parse_args()
    torch.set_num_threads(2)
    squares = list(cut(a.table))
    rows: list[dict[str, Any]] = []
    for size in a.sizes:
        count = 1 if size == 2048 else a.films
        pictures = [mosaic(squares, size, n) for n in range(count)]
        for name in a.models:
            rows.append(mean([measured(Primis(name), p, a.decoys) for p in pictures], name, size))
            told(rows[-1])
        rows.append(mean([exact(p) for p in pictures], "codec.jpeg2000", size))
        told(rows[-1])
        a.to.write_text(json.dumps(rows, indent=1) + "\n")
    kept = RELEASED_SITES * math.log2(math.comb(256, 32))
    print(
        f"reference layout, k = 16: key {kept:.2f} bpp, public code {RELEASED_SITES * 256 * 32:.0f} bpp (float32)"
    )


def cut(table: Path) -> list[npt.NDArray[np.uint8]]:
    """Squares from the middle of films of people that no network saw."""
    out = []
    for film in find_films(table.parent, table):
        data = read_shared(film.path).image.data if part_of(film.group) == "test" else np.zeros((0, 0))
        if min(data.shape) >= SQUARE:
            i, j = ((n - SQUARE) // 2 for n in data.shape)
            out.append(np.asarray(data[i : i + SQUARE, j : j + SQUARE], dtype=np.uint8))
    return out


def mosaic(squares: list[npt.NDArray[np.uint8]], size: int, first: int) -> npt.NDArray[np.uint8]:
    """A picture of size x size pixels from squares, so that fine detail is as in films and not enlarged."""
    n = size // SQUARE
    some = [squares[(first * n * n + k) % len(squares)] for k in range(n * n)]
    return np.block([[some[r * n + c] for c in range(n)] for r in range(n)])


def measured(codec: Primis, picture: npt.NDArray[np.uint8], decoys: list[float]) -> dict[str, float]:
    """Rates, PSNR and times of one picture, sealed and obfuscated."""
    image, pixels = Image(picture, np.eye(4), "film"), picture.size
    codec.statistics  # noqa: B018 - the model is loaded before the clock starts
    start = time.perf_counter()
    keys = LevelKeys.new(4)
    code = seal(codec.encode(image), keys).to_bytes()
    encoded = time.perf_counter()
    back = codec.decode(unseal(Code.from_bytes(code), keys.owner))
    opened = time.perf_counter()
    db = psnr(picture, back.data)
    out = {
        "psnr_db": db,
        "seal_bpp": 8 * len(code) / pixels,
        "encode_s": encoded - start,
        "open_s": opened - encoded,
    }
    for times in decoys:
        levels = codec.sparse(image)
        true, atoms = levels[0].nonzeros, levels[0].atoms
        n = round(times * true) or atoms - true
        derived = LevelKeys.derived(Key.new(), bytes(32), 4)
        start = time.perf_counter()
        made = obfuscate(levels, codec.statistics, codec.settings(image), derived, decoys=n)
        stop = time.perf_counter()
        reveal(made, derived.owner, codec.statistics)
        out |= {
            f"obfuscate_{n}_bpp": 8 * len(made.to_bytes()) / pixels,
            f"obfuscate_{n}_s": stop - start,
            f"reveal_{n}_s": time.perf_counter() - stop,
        }
        sites = sum(level.sites for level in levels)
        out[f"support_{n}_bpp"] = sites * math.log2(math.comb(true + n, true)) / pixels
    out["jpeg2000_bpp"] = jpeg2000_at(picture, db, data_range=255) or math.nan
    out["jpeg_bpp"] = jpeg_at(picture, db, data_range=255) or math.nan
    return out


def exact(picture: npt.NDArray[np.uint8]) -> dict[str, float]:
    """The codec that most should take: exact bits, sealed."""
    image, codec, keys = Image(picture, np.eye(4), "film"), Jpeg2000(), LevelKeys.new(3)
    start = time.perf_counter()
    code = seal(codec.encode(image), keys).to_bytes()
    encoded = time.perf_counter()
    back = codec.decode(unseal(Code.from_bytes(code), keys.owner))
    opened = time.perf_counter()
    if not np.array_equal(back.data, picture):
        raise SystemExit("the exact level is not exact")
    return {"seal_bpp": 8 * len(code) / picture.size, "encode_s": encoded - start, "open_s": opened - encoded}


def psnr(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    return float(10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean()))


def mean(rows: list[dict[str, float]], name: str, size: int) -> dict[str, Any]:
    return {"codec": name, "size": size, "pictures": len(rows)} | {
        key: float(np.mean([r[key] for r in rows])) for key in rows[0]
    }


def told(row: dict[str, Any]) -> None:
    figures = "  ".join(f"{k} {v:.2f}" for k, v in row.items() if isinstance(v, float))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{row['codec']:15} {row['size']:4}² x {row['pictures']}: {figures}  (peak so far {peak:.2f} GB)",
        flush=True,
    )


if __name__ == "__main__":
    main()
