"""Telling what a code is: how large each level, for whom; and, with the source at hand, how close and how dear."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medveil.carry.sharing import codecs
from medveil.carry.sharing.leaking import told_db
from medveil.carry.sharing.opening import picture
from medveil.carry.sharing.people import identity_of
from medveil.carry.sharing.stored import find_key, key_files, read_code
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.secrets import KEY_BYTES
from medveil.io.films import read_shared
from medveil.share.container import SEAL_BYTES, Code, preamble
from medveil.share.keys import LevelKey


@dataclass(frozen=True)
class Fidelity:
    """How close an image comes back, and what plain codecs need for the same PSNR.

    Args:
        psnr_db: against the largest minus the smallest number of the source; None where it is exact.
        bits_per_pixel: of all levels that it takes, the code's header and the seals of its levels included.
        jpeg2000_bpp: bits per pixel of a JPEG 2000 of this PSNR, exact where this is; None where it cannot, or for a
            volume.
        jpeg_bpp: of a JPEG; 8-bit films only.
    """

    psnr_db: float | None
    bits_per_pixel: float
    jpeg2000_bpp: float | None
    jpeg_bpp: float | None

    def line(self) -> str:
        """What a person reads."""
        plain = {"JPEG 2000": self.jpeg2000_bpp, "JPEG": self.jpeg_bpp}
        for_it = ", ".join(f"{name} {bpp:.3g}" for name, bpp in plain.items() if bpp is not None)
        return f"{told_db(self.psnr_db)} at {self.bits_per_pixel:.3g} bpp" + (
            f" ({for_it} bpp)" if for_it else ""
        )


@dataclass(frozen=True)
class LevelInfo:
    """One level.

    Args:
        size: bytes of it alone; bits_per_pixel: the same (of a volume, per voxel).
        public: whether anyone can read it; of an obfuscated code, true components among decoys.
        held: whether the identity that was given opens it; None without one.
        fidelity: of the image up to this level, where source and key were given.
    """

    level: int
    size: int
    bits_per_pixel: float
    public: bool
    held: bool | None
    fidelity: Fidelity | None


@dataclass(frozen=True)
class Info:
    """What a code is.

    Args:
        shape: of the image; dtype: of its numbers.
        tags: bytes of what else stood in the file, sealed.
        size: bytes of the file.
        key_bytes: of the secret of a level; key_files: label of each key file to its bytes.
        tags_held: whether the identity that was given opens the tags.
        anyone: fidelity of what anybody sees of an obfuscated code, where the source was given.
    """

    mode: str
    codec: str
    code_id: str
    generator: str
    shape: tuple[int, ...]
    dtype: str
    public: int
    levels: tuple[LevelInfo, ...]
    tags: int
    size: int
    key_bytes: int
    key_files: dict[str, int]
    tags_held: bool | None
    anyone: Fidelity | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        grid = " x ".join(map(str, self.shape))
        hides = "" if self.mode == "seal" else ", which is not encryption"
        out = [
            f"{self.mode}{hides}; {self.codec}; {grid}, {self.dtype}; {self.size} bytes; written by {self.generator}",
            *(_line(level, self.mode) for level in self.levels),
        ]
        if self.anyone is not None:
            out.append(f"anyone, without a key: {self.anyone.line()}")
        tags = {None: "", True: ", which you can open", False: ", which you cannot open"}[self.tags_held]
        out.append(f"tags: {self.tags} bytes, sealed{tags}")
        out.append(
            f"a level's secret has {self.key_bytes} bytes; key files, one a person, delete it to withdraw:"
        )
        out += [f"  {who}.age: {size} bytes" for who, size in self.key_files.items()] or ["  none"]
        return [*out, "withdrawing reaches those who come later: whoever opened the image has it"]


def info(
    path: Path, *, identity: Path | None = None, source: Path | None = None, model: str | None = None
) -> Info:
    """What a code is.

    Args:
        path: of the code.
        identity: one's own private key file, to say what one holds.
        source: the image it was made of, to say how close each level that is open comes to it.
        model: file of the model, if it is none that comes with medveil.

    Raises:
        InputRefused: no code, no private key, or a source of another shape.
        VerificationFailed: the code was changed, or no key is for this identity.
    """
    mine = None if identity is None else identity_of(identity)
    code = read_code(path)
    header = code.header
    shape = codecs.shape_of(header.settings)
    key = None if mine is None else find_key(path, code, mine)
    image = None if source is None else read_shared(source).image
    finest = max(header.public if code.mode == "seal" else 0, key.level if key else 0)
    if image is not None and not finest and code.mode == "seal":
        raise UsageError(
            "source: nothing is open to compare it with", hint="give your private key with --identity"
        )
    levels = tuple(
        LevelInfo(
            level=n,
            size=size,
            bits_per_pixel=codecs.bpp(size, header.settings),
            public=n <= header.public,
            held=None if key is None else n <= key.level,
            fidelity=_fidelity(code, key, n, image, model) if image is not None and n <= finest else None,
        )
        for n, size in enumerate(header.sizes, start=1)
    )
    return Info(
        mode=code.mode,
        codec=header.codec,
        code_id=code.code_id.hex(),
        generator=header.generator,
        shape=shape,
        dtype=_dtype(header.settings.get("dtype")),
        public=header.public,
        levels=levels,
        tags=header.tags,
        size=path.stat().st_size,
        key_bytes=KEY_BYTES,
        key_files={who: file.stat().st_size for who, file in key_files(path).items()},
        tags_held=None if key is None else key.tags is not None,
        anyone=_fidelity(code, None, None, image, model)
        if image is not None and code.mode == "obfuscate"
        else None,
    )


def _fidelity(
    code: Code, key: LevelKey | None, level: int | None, image: Image, model: str | None
) -> Fidelity:
    from medveil.share import yardstick

    other, _, size = picture(code, key, level, model)
    size += len(preamble(code.header)) + SEAL_BYTES * code.levels  # headers count, as the yardstick's do
    psnr = codecs.psnr_db(image, other.data)
    pixels = image.data
    jpeg2000 = jpeg = None
    if pixels.ndim == 2 and pixels.dtype.kind in "iu":
        span = max(float(pixels.max()) - float(pixels.min()), 1.0)
        if psnr is None:
            jpeg2000 = yardstick.jpeg2000_lossless_bpp(pixels)
        else:
            jpeg2000 = yardstick.jpeg2000_at(pixels, psnr, data_range=span)
            jpeg = yardstick.jpeg_at(pixels, psnr, data_range=span)
    return Fidelity(
        None if psnr is None else round(psnr, 3),
        8 * size / math.prod(pixels.shape),
        jpeg2000,
        jpeg,
    )


def _line(level: LevelInfo, mode: str) -> str:
    free = level.public and mode == "seal"
    words = ["public" if free else "public, among decoys" if level.public else "sealed"]
    if level.held is not None:
        words.append("open to you" if level.held or free else "not open to you")
    close = f"; up to here {level.fidelity.line()}" if level.fidelity else ""
    return (
        f"level {level.level}: {level.size} bytes, {level.bits_per_pixel:.3g} bpp, {', '.join(words)}{close}"
    )


def _dtype(said: Any) -> str:
    """numpy's short name of the numbers; '' for anything else that may stand there."""
    short = said.lstrip("<>|=") if isinstance(said, str) else ""
    return short if short[:1] in tuple("biuf") and short[1:].isdigit() and len(short) <= 3 else ""
