"""Encoding: one image becomes a code and its key files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medveil.carry.sharing import codecs
from medveil.carry.sharing.leaking import MeasuredLeak
from medveil.carry.sharing.scheme import Made, Plan, Scheme
from medveil.carry.sharing.stored import refuse_target, write_code
from medveil.carry.sharing.whole_folder import EncodedFolder, encode_folder
from medveil.carry.talk import Silent, Talk
from medveil.core.errors import InputRefused
from medveil.io.films import read_shared
from medveil.share.container import Code


@dataclass(frozen=True)
class Encoded:
    """A code that was written.

    Args:
        levels: bytes of each, the coarsest first; bits_per_pixel: of each, of a volume per voxel.
        public: how many of them anyone can read.
        tags: bytes of what else stood in the file, sealed.
        grants: who got what, in words.
        leak: of an obfuscated code.
    """

    mode: str
    codec: str
    levels: tuple[int, ...]
    bits_per_pixel: tuple[float, ...]
    public: int
    tags: int
    grants: tuple[str, ...]
    leak: MeasuredLeak | None

    @staticmethod
    def of(made: Made, scheme: Scheme) -> Encoded:
        """What can be said of a code that was made."""
        header = made.code.header
        return Encoded(
            header.mode,
            header.codec,
            header.sizes,
            level_bpp(made.code),
            header.public,
            header.tags,
            tuple(scheme.grants()),
            made.leak,
        )

    def to_json(self) -> dict[str, Any]:
        told = {name: value for name, value in vars(self).items() if name != "leak"}
        return {**told, **({"leak": self.leak.to_json()} if self.leak else {})}

    def lines(self) -> list[str]:
        """What a person reads."""
        levels = ", ".join(
            f"{level}: {size} bytes ({bpp:.3g} bpp)"
            for level, (size, bpp) in enumerate(zip(self.levels, self.bits_per_pixel, strict=True), start=1)
        )
        who = "anyone reads all levels, true components among decoys" if self.mode == "obfuscate" else (
            f"anyone reads levels up to {self.public}" if self.public else "nobody else reads anything"
        )  # fmt: skip
        return [
            f"{self.mode}, {self.codec}, levels {levels}; tags: {self.tags} bytes, sealed",
            *self.grants,
            who,
            *(self.leak.lines() if self.leak else ()),
        ]


def encode(plan: Plan, talk: Talk | None = None) -> Encoded | EncodedFolder:
    """Encode an image, or every image in a folder.

    Raises:
        UsageError: options that do not go together; the output exists or is the input.
        InputRefused: no image that can be shared, or a file among the keys that is none.
        Refusal: the codec cannot take the image, or it was obfuscated in another way before.
        OutputFailed: permissions, disk full.
    """
    talk = talk or Silent()
    if plan.source.is_dir():
        return encode_folder(plan, talk)
    prepare(plan)
    scheme = Scheme.of(plan)
    talk.say("encoding")
    made = scheme.make(read_shared(plan.source))
    write_code(plan.target, made.code.to_bytes(), made.keys)
    return Encoded.of(made, scheme)


def describe(plan: Plan) -> list[str]:
    """What would be done, in words; all is checked that can be without an image.

    Raises:
        UsageError, InputRefused: as `encode`.
    """
    prepare(plan)
    lines = Scheme.of(plan).describe()
    return [f"for every image: {line}" for line in lines] if plan.source.is_dir() else lines


def prepare(plan: Plan) -> None:
    """Refuse what cannot be, before anything is read."""
    if plan.source.is_dir():
        return
    if not plan.source.exists():
        raise InputRefused("image: the file is not there")
    given = [
        plan.source,
        *([plan.key] if plan.key else []),
        *(Path(r.rpartition(":")[0] or r) for r in plan.recipients),
    ]
    refuse_target(plan.target, given, force=plan.force)


def level_bpp(code: Code) -> tuple[float, ...]:
    """Bits per pixel of each level."""
    settings: Mapping[str, Any] = code.header.settings
    return tuple(codecs.bpp(size, settings) for size in code.header.sizes)
