"""Auditing: attacks on codes whose owner knows what they hide; a table of how far each of them got.

    codes ──owner's identity──> true components ──────────────┐
      └── what anybody sees ──attacks──> claims ──────────────┴──> AUC, found, solved, PSNR, bits left, verdict
    films of other people (--others) ──same codec, fresh keys──> pairs to learn from

Sealed levels have nothing to attack but age and AEAD: of them it is checked that the bytes are as good as noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medveil import recipe
from medveil.carry import decoding
from medveil.carry.sharing import codecs
from medveil.carry.sharing.leaking import some
from medveil.carry.sharing.people import identity_of
from medveil.carry.sharing.stored import SUFFIX, find_key, read_code
from medveil.carry.talk import Silent, Talk
from medveil.core import catalog
from medveil.core.errors import InputRefused, MedveilError, UsageError
from medveil.core.estimate import Estimate
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair
from medveil.core.verdict import Verdict
from medveil.io.film_folder import FilmFile, find_films
from medveil.io.film_tags import Tags, digest
from medveil.io.films import read_shared
from medveil.measure.decoding.assess import authorised, table
from medveil.measure.decoding.sealed import ALARM, paired, sealed_against
from medveil.measure.decoding.tradeoff import complexity
from medveil.measure.decoding.verdict import DecodeFindings, judge, overall
from medveil.share.container import Code
from medveil.share.keys import LevelKey, LevelKeys
from medveil.share.seal import open_tags, unseal

if TYPE_CHECKING:
    from medveil.share.codec.primis import Primis

ALWAYS = (
    "decode.mean_image",
    "decode.random_support",
    "decode.naive",
    "decode.by_magnitude",
    "decode.by_value",
    "decode.by_frequency",
    "decode.by_neighbours",
)
SEVERAL = "decode.two_releases"
_COMMITMENT, _TAG = 32, 16  # of a sealed section, see `share.seal`


@dataclass(frozen=True, repr=False)
class AuditPlan:
    """What to attack, and with what.

    Args:
        codes: CODE.mvc, or a folder of codes; their key files lie beside them.
        identity: the owner's private key file; it opens what the codes hide.
        source: the image a code was made of, or a folder of images; pictures are compared with it. None: with what
            the finest key opens.
        others: folder of films of other people, see `io.film_folder`, for attacks that learn.
        model: file of the model, if it is none that comes with medveil.
        attacks: beside those that are always tried: public names; settings: `part.setting=value`.
        control: whether attacks that prove no leak are tried on unprotected codes.
    """

    codes: Path
    identity: Path
    source: Path | None = None
    others: Path | None = None
    model: str | None = None
    attacks: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    control: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Audited:
    """What attacks reached on codes.

    Args:
        obfuscated, sealed: how many codes of either mode were attacked.
        people: whose they are; each code counts as a person where nothing says otherwise.
        attacks: on obfuscated codes, judged together.
        granted: fidelity of what the finest key opens, where sources were given.
        complexity: of the public code, an upper bound.
        seal: AUC of sealed bytes against their own content and another's; None without sealed codes.
        reference: what pictures were compared with.
        threat: what the attacker holds.
    """

    obfuscated: int
    sealed: int
    people: int
    attacks: tuple[DecodeFindings, ...] = ()
    granted: dict[str, Estimate] = field(default_factory=dict)
    complexity: Estimate | None = None
    seal: Estimate | None = None
    reference: str = ""
    threat: str = ""

    @property
    def verdict(self) -> Verdict:
        """Over everything."""
        return "leak" if self._broken else overall(self.attacks) if self.attacks else "no evidence of a leak"

    @property
    def _broken(self) -> bool:
        p = None if self.seal is None else self.seal.p_value
        return p is not None and p < ALARM

    def held(self) -> dict[str, dict[str, Estimate]]:
        """Estimates by what measured them, for limits; floors are not held against anybody."""
        held = {f.attack: f.estimates for f in self.attacks if f.verdict is not None}
        return held | ({"sealed bytes": {"auc": self.seal}} if self.seal is not None else {})

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "obfuscated": self.obfuscated,
            "sealed": self.sealed,
            "people": self.people,
            "threat": self.threat,
            "reference": self.reference,
            "attacks": [f.to_json() for f in self.attacks],
            "authorised": {name: e.to_json() for name, e in self.granted.items()},
            "complexity": None if self.complexity is None else self.complexity.to_json(),
            "seal": None if self.seal is None else self.seal.to_json(),
        }

    def lines(self) -> list[str]:
        """What a person reads."""
        return [*self._sealed_lines(), *self._obfuscated_lines(), f"verdict: {self.verdict}"]

    def _obfuscated_lines(self) -> list[str]:
        if not self.obfuscated:
            return []
        count = self.attacks[0].estimates.get("ambiguity_bits") or next(
            (f.estimates["ambiguity_bits"] for f in self.attacks if "ambiguity_bits" in f.estimates), None
        )
        return [
            f"{self.obfuscated} obfuscated codes of {self.people} people; {self.threat}",
            f"pictures are compared with {self.reference}",
            *table(self.attacks, {"authorised": self.granted} if self.granted else {}),
            *(
                []
                if count is None
                else [f"bits left: at most, a site; the count is {count}, which is no security"]
            ),
            *([] if self.complexity is None else [f"complexity: at most {self.complexity}"]),
            *(f"{f.attack}: {f.reason}" for f in self.attacks if f.verdict is not None),
        ]

    def _sealed_lines(self) -> list[str]:
        if not self.sealed:
            return []
        said = (
            ""
            if self.seal is None
            else f"sealed bytes against their own content and another's: AUC {self.seal}"
        )
        told = (
            "this is an alarm: the bytes tell what they hide"
            if self._broken
            else "as good as noise"
            if self.seal is not None and self.seal.value is not None
            else "too few bytes to say"
        )
        return [
            f"{self.sealed} sealed codes: above the public levels there is nothing to attack but age and "
            "ChaCha20-Poly1305; sizes, geometry and public levels are in the clear",
            f"{said}; {told}",
        ]


def audit(plan: AuditPlan, talk: Talk | None = None) -> Audited:
    """Attack codes that are one's own.

    Raises:
        UsageError: no such attack or setting, an attack that learns without anybody to learn from.
        InputRefused: no codes, sources that are not theirs, films that cannot be used.
        CannotOpen, VerificationFailed: the identity does not open all of a code, or a code was changed.
    """
    talk = talk or Silent()
    attacks = _attacks(plan)
    opened = [_Opened.of(path, plan) for path in _codes(plan.codes)]
    sealed = [one for one in opened if one.code.mode == "seal"]
    hidden = [one for one in opened if one.code.mode == "obfuscate"]
    seal = _seal(sealed, Seeds(plan.seed)) if sealed else None
    if not hidden:
        return Audited(0, len(sealed), len(sealed), seal=seal)
    sources = _sources(plan, hidden)
    codec = _one_codec(hidden, plan.model)
    pairs = [pair for one, source in zip(hidden, sources, strict=True) for pair in _pairs(one, codec, source)]
    if len({(p.code.nonzeros, p.code.decoys) for p in pairs}) > 1:
        raise InputRefused(
            "codes: differ in how many components or decoys a site has", hint="audit them one kind at a time"
        )
    if len(hidden) > 1:
        attacks.append(_named(SEVERAL))
    learn, calibrate = _others(plan, codec, pairs)
    seeds = Seeds(plan.seed)
    threat = decoding.threat_of(codec, learn)
    bench = decoding.Bench(pairs, threat, seeds, calibrate, plan.control)
    found = []
    for attack in attacks:
        talk.say(f"{attack.name}: {attack.describe()}")
        found.append(bench.attacked(attack, attacks=len(attacks)))
    given = plan.source is not None
    return Audited(
        len(hidden),
        len(sealed),
        len({p.group for p in pairs}),
        tuple(judge(found)),
        authorised(decoding.authorised(pairs, threat), pairs, seeds) if given else {},
        complexity(pairs, codec.statistics, seeds),
        seal,
        "the sources" if given else "what the finest key opens, since no source was given",
        str(threat),
    )


def known() -> tuple[str, ...]:
    """Public names of the attacks on codes that there are."""
    return tuple(p.name for p in catalog.parts("attack") if p.name.startswith(decoding.PREFIX))


@dataclass(frozen=True, eq=False, repr=False)
class _Opened:
    """A code and the key that opens all of it."""

    code: Code
    key: LevelKey

    @staticmethod
    def of(path: Path, plan: AuditPlan) -> _Opened:
        code = read_code(path)
        key = find_key(path, code, identity_of(plan.identity))
        if key.level < code.levels:
            raise InputRefused(
                f"identity: opens level {key.level} of {code.levels}, and an audit needs them all",
                hint="audit with the identity of whoever made the code",
            )
        return _Opened(code, key)

    def tags(self) -> bytes:
        return open_tags(self.code, self.key) if self.key.tags is not None else b""


def _attacks(plan: AuditPlan) -> list[Any]:
    names = dict.fromkeys((*ALWAYS, *plan.attacks))
    if wrong := [name for name in names if not name.startswith(decoding.PREFIX)]:
        raise UsageError(
            f"--attack: {wrong[0]} is no attack on codes", hint="known are " + ", ".join(known())
        )
    chosen = recipe.Recipe((), tuple(_named(name) for name in names))
    found = list(recipe.with_settings(chosen, (), plan.settings).attack)
    if plan.others is None and (hungry := [a.name for a in found if a.learns]):
        raise UsageError(
            f"--attack: {hungry[0]} learns from films of other people",
            hint="give a folder of them with --others",
        )
    return found


def _named(name: str) -> Any:
    return recipe.part("attack", name)


def _codes(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob(f"*{SUFFIX}") if p.is_file() and not p.name.startswith("."))
    if not found:
        raise InputRefused(f"codes: the folder holds no {SUFFIX} file")
    return found


def _one_codec(hidden: Sequence[_Opened], model: str | None) -> Primis:
    made_with = {str(one.code.header.settings.get("model")) for one in hidden}
    if len(made_with) > 1:
        raise InputRefused("codes: were made with different models", hint="audit them one kind at a time")
    codec: Any = codecs.decoder(hidden[0].code.header, model)
    return codec  # type: ignore[no-any-return]


def _pairs(one: _Opened, codec: Primis, source: tuple[Image, str] | None) -> list[CodePair]:
    """A code and what it hides, slice by slice; whose it is, the source says, or else it is a person of its own."""
    from medveil.share.base import Layered
    from medveil.share.obfuscate import public_part, reveal

    published, true = public_part(one.code, codec.statistics), reveal(one.code, one.key, codec.statistics)
    settings = codecs.bare(Layered(codec.name, one.code.header.settings, ())).settings
    image, group = source or (codec.render(true, settings), one.code.code_id.hex())
    return some(decoding.pairs_of(published, true, decoding.pictures_of(image), group))


def _sources(plan: AuditPlan, hidden: Sequence[_Opened]) -> list[tuple[Image, str] | None]:
    """The image that each code was made of and whose it is; found by its pixels, which the tags vouch for."""
    if plan.source is None:
        return [None] * len(hidden)
    films = find_films(plan.source) if plan.source.is_dir() else [FilmFile(plan.source, "source", "source")]
    by_pixels: dict[str, tuple[Image, str]] = {}
    for film in films:
        image = read_shared(film.path).image
        by_pixels[digest(image)] = image, film.group
    out: list[tuple[Image, str] | None] = []
    for one in hidden:
        tags = one.tags()
        found: tuple[Image, str] | None
        if not tags and len(films) == len(hidden) == 1:
            found = next(iter(by_pixels.values()))  # encoded --without-tags: only its shape can be checked
        else:
            found = by_pixels.get(Tags.from_bytes(tags).pixels) if tags else None
        if found is None or found[0].data.shape != codecs.shape_of(one.code.header.settings):
            raise InputRefused(
                "source: not every code was made of an image that is there",
                hint="give the very files, or leave --source out",
            )
        out.append(found)
    return out


def _others(
    plan: AuditPlan, codec: Primis, pairs: Sequence[CodePair]
) -> tuple[tuple[CodePair, ...], list[CodePair]]:
    """Codes of other people: to learn from, and every fifth person's to calibrate on where one person is audited."""
    if plan.others is None:
        return (), []
    made, reasons = [], set()
    audited = {p.picture.tobytes() for p in pairs}
    for film in find_films(plan.others):
        try:
            image = read_shared(film.path).image
            pair = decoding.pair_of(
                codec, image, LevelKeys.new(len(pairs[0].true)), decoys=pairs[0].code.decoys, group=film.group
            )
        except MedveilError as error:
            reasons.add(error.message)
            continue
        if pair.picture.tobytes() in audited:
            raise UsageError("--others: holds a film that is audited", hint="they must be of other people")
        made.append(pair)
    if not made:
        raise InputRefused("--others: no film could be used: " + "; ".join(sorted(reasons)))
    people = sorted({p.group for p in made})
    if len({p.group for p in pairs}) > 1 or len(people) < 2:
        return tuple(made), []
    aside = set(people[::5])
    return tuple(p for p in made if p.group not in aside), [p for p in made if p.group in aside]


def _seal(sealed: Sequence[_Opened], seeds: Seeds) -> Estimate:
    """Every sealed level and the tags against their contents, and each section XORed with the next."""
    bytes_, contents = [], []
    for one in sealed:
        public = one.code.header.public
        levels = unseal(one.code, one.key).levels[public:]
        plain = [*levels, *([one.tags()] if one.key.tags is not None else [])]
        sections = one.code.sealed[public : public + len(plain)]
        bytes_ += [section[_COMMITMENT : len(section) - _TAG] for section in sections]
        contents += plain
    return sealed_against([*bytes_, *paired(bytes_)], [*contents, *paired(contents)], seeds)
