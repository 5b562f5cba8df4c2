"""How long does a film take, and how much memory? Run on an idle machine; see README.md."""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import torch
from rate import cut, mosaic

from medveil.core.image import Image
from medveil.core.secrets import Key
from medveil.share.codec.primis import Primis
from medveil.share.container import Code
from medveil.share.keys import LevelKeys
from medveil.share.obfuscate import obfuscate, reveal
from medveil.share.seal import seal, unseal


def main() -> None:
    o = argparse.ArgumentParser(description=__doc__)
    o.add_argument("table", type=Path)
    o.add_argument("--sizes", nargs="+", type=int, default=[256, 512, 1024, 2048])
    a = o.parse_args()
    torch.set_num_threads(2)
    squares, codec = list(cut(a.table)), Primis("films-16")
    codec.statistics  # noqa: B018 - the model is loaded before the clock starts
    for size in a.sizes:
        image = Image(mosaic(squares, size, 0), np.eye(4), "film")
        for _ in range(3):
            start, keys = time.perf_counter(), LevelKeys.new(4)
            code = seal(codec.encode(image), keys).to_bytes()
            encoded = time.perf_counter()
            codec.decode(unseal(Code.from_bytes(code), keys.owner))
            print(f"{size}: encode {encoded - start:.2f} s, open {time.perf_counter() - encoded:.2f} s")
        print(f"{size}: peak so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
        levels = codec.sparse(image)
        for decoys in (16, 48, 240):
            keys, start = LevelKeys.derived(Key.new(), bytes(32), 4), time.perf_counter()
            made = obfuscate(levels, codec.statistics, codec.settings(image), keys, decoys=decoys)
            stop = time.perf_counter()
            reveal(made, keys.owner, codec.statistics)
            bpp = 8 * len(made.to_bytes()) / image.data.size
            print(
                f"  S_n {decoys}: {stop - start:.2f} + {time.perf_counter() - stop:.2f} s, {bpp:.2f} bpp",
                flush=True,
            )


if __name__ == "__main__":
    main()
