"""Opening: a code becomes an image again, at the quality that was granted; with its tags if they were."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medveil.carry.sharing import codecs
from medveil.carry.sharing.people import identity_of
from medveil.carry.sharing.stored import find_key, read_code, refuse_input
from medveil.core.errors import CannotOpen, UsageError
from medveil.core.image import Image
from medveil.io.films import Loss, write_opened
from medveil.share.container import Code
from medveil.share.keys import LevelKey
from medveil.share.seal import open_tags, unseal

_ASK = "ask the owner for a key file of that level"


@dataclass(frozen=True)
class Opened:
    """An image that was opened.

    Args:
        level: up to which it was opened; None for the public part of an obfuscated code.
        levels: how many the code has.
        exact: whether these are the very numbers of the source.
        tags: whether all else that stood in the source was restored.
        verified: whether a key vouched for what was opened; public levels read without one are as they were found.
    """

    level: int | None
    levels: int
    exact: bool
    tags: bool
    verified: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        what = (
            "what anyone sees, with decoys" if self.level is None else f"level {self.level} of {self.levels}"
        )
        return [
            f"{what}: {'the exact numbers' if self.exact else 'lossy'}, {'with' if self.tags else 'without'} tags"
            + ("" if self.verified else "; not verified, since that takes a key")
        ]


def open_code(
    path: Path,
    to: Path,
    *,
    identity: Path | None = None,
    level: int | None = None,
    model: str | None = None,
    windowed: bool = False,
    force: bool = False,
) -> Opened:
    """Open a code into a new image file, whose suffix decides the format.

    Args:
        path: of the code; its key files lie beside it.
        to: .png or .dcm for a film, .nii, .nii.gz, .mgz or .nrrd for a volume.
        identity: one's own private key file; None for what is public.
        level: stop at this level instead of the finest that is open.
        model: file of the model, if it is none that comes with medveil.
        windowed: an 8-bit PNG as a viewer shows it.
        force: replace an existing file.

    Raises:
        CannotOpen: nothing is public, no key is for this identity, or the level is not granted.
        UsageError: no such level; the output exists, or is an input.
        InputRefused: no code, no private key, another model.
        VerificationFailed: something was changed.
        OutputFailed: a format that cannot hold the image, permissions, disk full.
    """
    refuse_input(to, [path, *([identity] if identity else [])])
    if os.path.lexists(to) and not force:
        raise UsageError("output: exists already", hint="name a new file, or replace it with --force")
    mine = None if identity is None else identity_of(identity)
    code = read_code(path)
    if level is not None and not 1 <= level <= code.levels:
        raise UsageError(f"level: {level} is asked for, the code has 1 to {code.levels}")
    key = None if mine is None else find_key(path, code, mine)
    image, opened, size = picture(code, key, level, model)
    tags = open_tags(code, key) if key is not None and key.tags is not None else b""
    exact = opened == code.levels and code.header.codec == "codec.jpeg2000"
    write_opened(
        to,
        image,
        tags or None,
        lossless=exact,
        display=codecs.display_of(code.header.settings),
        loss=None
        if exact
        else Loss(codecs.LOSS_METHODS[code.header.codec], image.data.nbytes / max(size, 1)),
        windowed=windowed,
        force=force,
    )
    return Opened(opened, code.levels, exact, bool(tags) and not windowed, key is not None)


def picture(
    code: Code, key: LevelKey | None, level: int | None, model: str | None
) -> tuple[Image, int | None, int]:
    """The image that a key opens, up to which level, and from how many bytes.

    Returns:
        The level is None for the public part of an obfuscated code.
    """
    codec: Any = codecs.decoder(code.header, model)
    if code.mode == "obfuscate":
        return _sparse_picture(code, key, level, codec)
    finest = max(code.header.public, key.level if key else 0)
    if not finest:
        raise CannotOpen(
            "code: no level is public, and no private key was given", hint="give yours with --identity"
        )
    if level is not None and level > finest:
        raise CannotOpen(f"level: {level} is not granted, the finest that is open is {finest}", hint=_ASK)
    layered = codecs.bare(unseal(code, key, level=level))
    return codec.decode(layered), len(layered.levels), sum(map(len, layered.levels))


def _sparse_picture(
    code: Code, key: LevelKey | None, level: int | None, codec: Any
) -> tuple[Image, int | None, int]:
    from medveil.share.base import Layered
    from medveil.share.obfuscate import public_part, reveal

    settings = codecs.bare(Layered(code.header.codec, code.header.settings, ())).settings
    if key is None:
        shown = public_part(code, codec.statistics)[:level]
        return codec.render(shown, settings), None, sum(map(len, code.public[:level]))
    if level is not None and level > key.level:
        raise CannotOpen(f"level: {level} is not granted, the finest that is open is {key.level}", hint=_ASK)
    true = reveal(code, key, codec.statistics)[:level]
    return codec.render(true, settings), len(true), sum(map(len, code.public[: len(true)]))
