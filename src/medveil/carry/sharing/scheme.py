"""Scheme: how to encode, checked before an image is touched; then one image becomes a code and its key files.

seal        Image ──codec──> levels ──fresh keys, AEAD──> code
obfuscate   Image ──primis──> sparse levels ──keys of the site's key, decoys──> code, and what it leaks, measured
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from medveil.carry.sharing import codecs
from medveil.carry.sharing.people import Person, people, refuse_unknown_levels
from medveil.core.errors import UsageError
from medveil.io.keys import read_key
from medveil.io.ledger import ledger_of, note_release
from medveil.share.base import Layered
from medveil.share.container import Code
from medveil.share.keys import LevelKeys, wrap
from medveil.share.seal import check, seal

if TYPE_CHECKING:
    from medveil.carry.sharing.leaking import MeasuredLeak
    from medveil.io.films import Shared
    from medveil.share.codec.jpeg2000 import Jpeg2000
    from medveil.share.codec.primis import Primis

Mode = Literal["seal", "obfuscate"]


@dataclass(frozen=True, repr=False)
class Plan:
    """What to encode, for whom, and how; as the command line says it.

    Args:
        source: an image, or a folder of images.
        target: CODE.mvc, or for a folder a new folder.
        recipients: PUB for the finest level and the tags, or PUB:LEVEL.
        mode: `seal` is encryption, `obfuscate` is not.
        codec: None for jpeg2000 when sealing, primis when obfuscating.
        model: of primis; None for the one that comes with medveil.
        public: how many levels anyone can read; for `seal`.
        decoys: S_n, decoys at each site; for `obfuscate`, None for three times S_x.
        key: the site's key file; for `obfuscate`.
        tags: whether all else that stood in the file travels along, sealed.
        force: replace an existing output.
        keep_names: of a folder: name codes after their files instead of by their id.
        jobs: processes, for a folder.
    """

    source: Path
    target: Path
    recipients: tuple[str, ...]
    mode: Mode = "seal"
    codec: str | None = None
    model: str | None = None
    public: int = 0
    decoys: int | None = None
    key: Path | None = None
    tags: bool = True
    force: bool = False
    keep_names: bool = False
    jobs: int = 1


@dataclass(frozen=True, repr=False)
class Made:
    """A code in the making: not written yet.

    Args:
        code: that anyone may store.
        keys: what goes into the key file of each person, by label.
        leak: of an obfuscated code.
    """

    code: Code
    keys: Mapping[str, bytes]
    leak: MeasuredLeak | None = None


@dataclass(frozen=True, repr=False)
class Scheme:
    """How to encode, the same for every image. Pickled for worker processes: it holds paths and public keys only."""

    persons: tuple[Person, ...]
    mode: Mode
    codec_name: str
    model: str | None
    public: int
    decoys: int | None
    key: Path | None
    tags: bool

    @staticmethod
    def of(plan: Plan) -> Scheme:
        """The scheme of a plan.

        Raises:
            UsageError: options that do not go together, unknown levels.
            InputRefused: a key file that cannot be used.
            MissingPackage: the extra `learn` is not installed.
        """
        if plan.mode not in get_args(Mode):
            raise UsageError("mode: expected seal or obfuscate")
        name = plan.codec or ("jpeg2000" if plan.mode == "seal" else "primis")
        _refuse_mixed(plan, name)
        key = None if plan.key is None else plan.key.absolute()  # a worker process may stand elsewhere
        model = str(Path(plan.model).absolute()) if plan.model and Path(plan.model).is_file() else plan.model
        scheme = Scheme(
            people(plan.recipients), plan.mode, name, model, plan.public, plan.decoys, key, plan.tags
        )
        levels = codecs.levels_of(scheme.codec)
        refuse_unknown_levels(scheme.persons, levels)
        if plan.mode == "seal" and not 0 <= plan.public < levels:
            raise UsageError(
                f"public: {plan.public} of {levels} levels, expected 0 to {levels - 1}",
                hint="the finest level is for those who have a key; an image for everybody needs no code",
            )
        if key is not None:
            read_key(key, outside=plan.target)
        return scheme

    @cached_property
    def codec(self) -> Jpeg2000 | Primis:
        """Made anew in every process."""
        return codecs.encoder(self.codec_name, self.model)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "codec"}

    def describe(self) -> list[str]:
        """In words what will be done."""
        levels = codecs.levels_of(self.codec)
        how = (
            f"seal them with fresh keys; {self.public} of {levels} levels can be read by anyone"
            if self.mode == "seal"
            else f"publish all levels with {self.decoys or '3 S_x'} decoys at each site; this is not encryption"
        )
        tags = (
            "seal all else that stood in the file beside them"
            if self.tags
            else "leave all else in the file behind"
        )
        return [f"encode as {self.codec.describe()}", how, tags, *self.grants()]

    def grants(self) -> list[str]:
        """Who gets what, one line a person."""
        finest = codecs.levels_of(self.codec)
        with_tags = " and the tags" if self.tags else ""
        return [
            f"{p.label}: level {finest}, the finest{with_tags}"
            if p.level is None
            else f"{p.label}: levels up to {p.level}"
            for p in self.persons
        ]

    def make(self, shared: Shared) -> Made:
        """The code of an image and its key files, verified. In mode `obfuscate` the release is noted in the ledger.

        Raises:
            Refusal: the codec cannot take this image, or it was released in another way before.
            InputRefused, VerificationFailed: as the codec, the ledger and `share.seal` say.
        """
        code, keys, leak = self._sealed(shared) if self.mode == "seal" else self._obfuscated(shared)
        again = Code.from_bytes(code.to_bytes())
        check(again, keys.owner)
        key_files = {
            p.label: wrap(keys.owner if p.level is None else keys.of(p.level), code.code_id, [p.recipient])
            for p in self.persons
        }
        return Made(again, key_files, leak)

    def _sealed(self, shared: Shared) -> tuple[Code, LevelKeys, None]:
        layered = self.codec.encode(shared.image)
        settings = codecs.with_display(layered.settings, shared.display)
        keys = LevelKeys.new(len(layered.levels))
        tags = shared.tags if self.tags else b""
        return (
            seal(Layered(layered.codec, settings, layered.levels), keys, public=self.public, tags=tags),
            keys,
            None,
        )

    def _obfuscated(self, shared: Shared) -> tuple[Code, LevelKeys, MeasuredLeak]:
        from medveil.carry.sharing.leaking import leak
        from medveil.io.film_tags import digest
        from medveil.share import obfuscate as mechanism

        codec: Any = self.codec
        assert self.key is not None  # noqa: S101 - `of` refuses this mode without one
        site = read_key(self.key)
        image, statistics = shared.image, codec.statistics
        mark = bytes.fromhex(digest(image))
        settings, levels = codec.settings(image), codec.sparse(image)
        true, atoms = levels[0].nonzeros, levels[0].atoms
        decoys = self.decoys or min(3 * true, atoms - true)
        keys = LevelKeys.derived(site, mark, len(levels))
        code = mechanism.obfuscate(
            levels,
            statistics,
            codecs.with_display(settings, shared.display),
            keys,
            decoys=decoys,
            tags=shared.tags if self.tags else b"",
            codec=codec.name,
        )
        published = mechanism.public_part(code, statistics)
        measured = leak(codec, image, published, levels)
        # What is published, not what was asked for: a newer version or another machine may publish something else
        # for the same settings, and two publications that differ give the image away.
        how = {"published": [hashlib.sha256(section).hexdigest() for section in code.public]}
        note_release(
            ledger_of(self.key), site, mechanism.release_mark(site, mark), mechanism.settings_mark(how)
        )
        return code, keys, measured


def _refuse_mixed(plan: Plan, codec: str) -> None:
    """Refuse options of one mode in the other."""
    if plan.mode == "seal":
        if plan.key is not None:
            raise UsageError(
                "key: sealing makes fresh keys itself", hint="leave --key out; it is for --mode obfuscate"
            )
        if plan.decoys is not None:
            raise UsageError("decoys: only obfuscated codes have them", hint="leave --decoys out")
        return
    if codec != "primis":
        raise UsageError(
            "mode: only sparse codes can be obfuscated", hint="take --codec primis, or --mode seal"
        )
    if plan.key is None:
        raise UsageError(
            "key: --mode obfuscate needs the site's key, so that an image is never released in two ways",
            hint="`medveil key new FILE` makes one; give it with --key",
        )
    if plan.public:
        raise UsageError("public: all levels of an obfuscated code are public", hint="leave --public out")
    if plan.decoys is not None and plan.decoys < 1:
        raise UsageError("decoys: expected at least 1")
