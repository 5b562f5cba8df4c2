"""Ten thousand damaged files: is each one cleaned or set aside, soon, in little memory, and without a marker?

python benchmarks/metadata/mutated.py [--files N] [--json FILE] [--only NUMBER --save FILE]

Each file is made anew from the seed and its number, and runs in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import select
import signal
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from leak import ALLOWED
from medveil.core.seeds import Seeds
from medveil.io.search import Needle, Needles
from medveil.io.unpacking import Unpacker
from medveil.measure.leak.marker import Marker, Mint
from medveil.measure.leak.planted import plant

SEED = 20
SLOW_S = 10.0
MEMORY_BYTES = 256 << 20  # above what the process has before it sees the file
LARGEST_BYTES = 64 << 10  # of pydicom's files
VRS = b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_ELEMENT = re.compile(rb"(?s)....(?:" + b"|".join(VRS) + rb")")


@dataclass
class Outcome:
    """What became of one file.

    Args:
        what: cleaned, quarantined, unread, crash, over time, over memory.
        why: reason of a quarantine, or type of an error.
        leaked, moved: numbers of the markers that came out: anywhere, and (by damage to a tag) in an element
            that is declared to stay.
        seconds, memory_bytes: used.
    """

    what: str
    why: str = ""
    leaked: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    declared: int = 0
    seconds: float = 0.0
    memory_bytes: int = 0


def sources() -> tuple[list[bytes], list[Marker]]:
    """The planted DICOM files, and pydicom's small ones with markers written into them."""
    planted = plant(["dicom"], Seeds(SEED), lambda: _never())
    files = [f.content for f in planted.files]
    mint = Mint(Seeds(SEED + 1), file="stained")
    for path in sorted(_packaged().rglob("*.dcm")):
        if path.stat().st_size <= LARGEST_BYTES and (content := _stained(path, mint)):
            files.append(content)
    return files, planted.markers + mint.markers


def _never() -> Any:
    raise AssertionError("no volume is needed for DICOM files")


def _packaged() -> Path:
    import pydicom

    return Path(pydicom.__file__).parent / "data" / "test_files"


def _stained(path: Path, mint: Mint) -> bytes:
    """One of pydicom's files with markers at the top, in an item and in a private block; empty if it can't be written."""
    from pydicom import Dataset, Sequence, dcmread

    try:
        ds = dcmread(path, force=True)
        ds.decode()
        for keyword in (
            "PatientName",
            "PatientID",
            "PatientComments",
            "ImageComments",
            "StudyDescription",
            "StationName",
        ):
            setattr(ds, keyword, mint.plant("stained", keyword))
        ds.StudyDate, item = mint.plant("stained", "StudyDate", "date"), Dataset()
        item.PatientName = mint.plant("stained", "item")
        item.ReferencedSOPInstanceUID = mint.plant("stained", "item", "uid")
        ds.ReferencedImageSequence = Sequence([item])
        ds.private_block(0x0009, mint.plant("stained", "creator"), create=True).add_new(
            1, "LO", mint.plant("stained", "private")
        )
        out = BytesIO()
        ds.save_as(out)
    except Exception:  # noqa: BLE001 - some are broken on purpose; those are damaged enough in `files.py`
        return b""
    return out.getvalue()


def places(data: bytes) -> list[int]:
    """Where elements begin: found by their VR, or (implicit) by pydicom's reading at the top."""
    from pydicom import dcmread

    head = data[: data.rfind(b"\xe0\x7f\x10\0") + 8 or len(data)]
    found = [m.start() for m in _ELEMENT.finditer(head, 132)]
    if b"1.2.840.10008.1.2\0" in data[:1000]:
        with contextlib.suppress(Exception):
            elements = dcmread(BytesIO(data), force=True)
            found += [
                e.value_tell - 8
                for t in elements
                if (e := elements.get_item(t.tag)) and getattr(e, "value_tell", 0)
            ]
    return found or [132]


def bits(data: bytearray, _: bytes, random: Random) -> None:
    """Up to twenty bits, nine times in ten before the pixels."""
    end = max(140, data.rfind(b"\xe0\x7f\x10\0")) if random.random() < 0.9 else len(data)
    end = min(end, len(data))
    for _n in range(random.choice([1, 1, 2, 3, 5, 20])):
        data[random.randrange(min(132, end - 1), end)] ^= 1 << random.randrange(8)


def cut(data: bytearray, _: bytes, random: Random) -> None:
    """Cut short, or a stretch left out."""
    at = random.randrange(len(data))
    del data[at : len(data) if random.random() < 0.7 else at + random.randint(1, 400)]


def lengths(data: bytearray, _: bytes, random: Random) -> None:
    """One to three lengths that are wrong: near, random, huge or undefined."""
    found = places(bytes(data))
    for _n in range(random.randint(1, 3)):
        at = random.choice(found)
        vr = bytes(data[at + 4 : at + 6])
        wide = vr in LONG or vr not in VRS
        where = at + (8 if vr in LONG else 4 if wide else 6)
        size, code = (4, "<I") if wide else (2, "<H")
        if where + size > len(data):
            continue
        old = int.from_bytes(data[where : where + size], "little")
        new = random.choice(
            [
                old + random.randint(-20, 20),
                random.randrange(300),
                random.getrandbits(8 * size),
                (1 << 8 * size) - 1,
            ]
        )
        struct.pack_into(code, data, where, new % (1 << 8 * size))


def swapped(data: bytearray, _: bytes, random: Random) -> None:
    """One to five VRs become others."""
    found = places(bytes(data))
    for _n in range(random.randint(1, 5)):
        at = random.choice(found) + 4
        data[at : at + 2] = random.choice(VRS)


def spliced(data: bytearray, other: bytes, random: Random) -> None:
    """Elements of a second file between two of the first: bare, or in items up to forty deep, closed or not."""
    theirs = places(other)
    start = random.randrange(len(theirs))
    end = min(start + random.randint(1, 30), len(theirs) - 1)
    chunk = other[theirs[start] : max(theirs[end], theirs[start])]
    for _n in range(random.choice([0, 1, 1, 2, 3, 40])):
        tag = random.choice(
            [0x00081140, 0x00081115, 0x00400275, 0x52009229, 0x00089215, 0x00091001, 0x300A00B0]
        )
        known = random.random() < 0.5
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(chunk) if known else 0xFFFFFFFF) + chunk
        item += b"" if known or random.random() < 0.3 else struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        known = random.random() < 0.5
        length = len(item) if known else 0xFFFFFFFF
        chunk = (
            struct.pack(
                "<HH2sHI", tag >> 16, tag & 0xFFFF, random.choice([b"SQ", b"SQ", b"SQ", b"UN"]), 0, length
            )
            + item
        )
        chunk += b"" if known or random.random() < 0.3 else struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    at = random.choice(places(bytes(data)))
    data[at:at] = chunk


KINDS: tuple[Callable[[bytearray, bytes, Random], None], ...] = (bits, cut, lengths, swapped, spliced)


def mutated(files: list[bytes], number: int) -> bytes:
    """The damaged file of this number."""
    random = Random(f"{SEED}/{number}")  # noqa: S311 - damage, not a secret
    data, other = bytearray(random.choice(files)), random.choice(files)
    KINDS[number % len(KINDS)](data, other, random)
    if data and random.random() < 0.2:
        random.choice(KINDS)(data, other, random)
    return bytes(data)


def met(content: bytes, needles: Needles) -> set[int]:
    """Numbers of the markers in these bytes, packed ones too."""
    search = Unpacker(needles)
    search.feed(content)
    search.close()
    return search.found.plain | search.found.packed


def judged(data: bytes, needles: Needles, declared: frozenset[int]) -> Outcome:
    """Through the engine, and search what comes out; a shifted day that is another's by chance is so under one key only."""
    outcome = under(bytes(range(32)), data, needles, declared)
    if outcome.leaked:
        again = under(bytes(range(1, 33)), data, needles, declared)
        outcome.leaked = [n for n in outcome.leaked if n in again.leaked]
    return outcome


def under(key: bytes, data: bytes, needles: Needles, declared: frozenset[int]) -> Outcome:
    """The outcome under a key."""
    from pydicom import dcmread

    from medveil.core.secrets import Key
    from medveil.protect.header.dicom.clean import clean
    from medveil.protect.header.dicom.marks import marks
    from medveil.protect.header.dicom.quarantine import Quarantine
    from medveil.protect.header.dicom.rules import Options
    from medveil.protect.header.dicom.write import to_bytes
    from medveil.protect.header.pseudonyms import Pseudonyms

    options = Options(secondary_capture=True)
    try:
        dataset = dcmread(BytesIO(data), force=True)
    except MemoryError:
        return Outcome("over memory", "reading")
    except Exception as error:  # noqa: BLE001 - what pydicom can't read goes no further
        return Outcome("unread", type(error).__name__)
    try:
        cleaned = clean(dataset, Pseudonyms(Key(key)), options)
        marks(cleaned.dataset, options=options)
        written = to_bytes(cleaned)
    except Quarantine as error:
        if met(str(error).encode(), needles):
            return Outcome("crash", "a marker in the reason")
        return Outcome("over memory" if "MemoryError" in error.reason else "quarantined", error.reason)
    except BaseException as error:  # noqa: BLE001 - this is what is looked for
        return Outcome("crash", type(error).__name__)
    found = met(written, needles)
    leaked = found - declared
    try:
        again = dcmread(BytesIO(written))
        list(again.iterall())
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome("crash", f"output not readable: {type(error).__name__}", sorted(leaked))
    moved = leaked - met(_without_facts(again), needles) if leaked else set()
    return Outcome("cleaned", "", sorted(leaked - moved), sorted(moved), len(found & declared))


def _without_facts(dataset: Any) -> bytes:
    """The file without the elements that are declared to stay."""
    from pydicom import config

    from medveil.protect.header.dicom.allowed import FACTS

    facts = {tag for tag, fact in FACTS.items() if fact.shape != "binary"}

    def drop(ds: Any, element: Any) -> None:
        if int(element.tag) in facts or element.VR in ("TM", "DS", "IS", "US", "SS", "UL", "SL", "FL", "FD"):
            del ds[element.tag]

    out = BytesIO()
    dataset.walk(drop)
    with config.disable_value_validation():
        dataset.save_as(out)
    return out.getvalue()


def in_a_process(work: Callable[[], Outcome]) -> Outcome:
    """The outcome, from a process with a bound of memory that is killed when its time is over."""
    read, write = os.pipe()
    start, own = time.monotonic(), _status("VmSize")
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY_BYTES, own + MEMORY_BYTES))
        before = _status("VmHWM")
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent counts it
            outcome = Outcome(
                "over memory" if isinstance(error, MemoryError) else "crash", type(error).__name__
            )
        outcome.memory_bytes = _status("VmHWM") - before
        os.write(write, json.dumps(asdict(outcome)).encode())
        os._exit(0)
    os.close(write)
    in_time = select.select([read], [], [], SLOW_S)[0]
    if not in_time:
        os.kill(child, signal.SIGKILL)
    said = os.read(read, 1 << 16) if in_time else b""
    os.close(read)
    os.waitpid(child, 0)
    outcome = (
        Outcome(**json.loads(said)) if said else Outcome("crash" if in_time else "over time", "no answer")
    )
    outcome.seconds = time.monotonic() - start
    return outcome


def _status(name: str) -> int:
    """Bytes that the kernel states of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def main() -> None:
    """Damage, run, count."""
    import warnings

    warnings.simplefilter("ignore")  # pydicom warns of every damage, with values
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--json", default="")
    parser.add_argument("--only", type=int, default=None, help="this number only, in this process")
    parser.add_argument("--save", default="", help="write the damaged file of --only here")
    given = parser.parse_args()
    files, markers = sources()
    needles = Needles(Needle(raw, n, exact) for n, m in enumerate(markers) for raw, exact in m.spellings())
    declared = frozenset(n for n, m in enumerate(markers) if m.place in ALLOWED)
    whole = Counter(judged(f, needles, declared).what for f in files)  # warms the process, and is the control
    print(f"{len(files)} files, {len(markers)} markers; undamaged: {dict(whole)}")
    if given.only is not None:
        data = mutated(files, given.only)
        if given.save:
            Path(given.save).write_bytes(data)
        outcome = judged(data, needles, declared)
        print(
            KINDS[given.only % len(KINDS)].__name__,
            outcome,
            [markers[n] for n in outcome.leaked + outcome.moved],
        )
        return
    start, outcomes = time.monotonic(), []
    for n in range(given.files):
        outcomes.append(in_a_process(lambda n=n: judged(mutated(files, n), needles, declared)))  # type: ignore[misc]
    report(outcomes, time.monotonic() - start, given.json)


def report(outcomes: list[Outcome], seconds: float, path: str) -> None:
    """The table by kind of damage, reasons, and what must be nought."""
    names = ("cleaned", "quarantined", "unread", "crash", "over time", "over memory")
    kinds = {k.__name__: outcomes[i :: len(KINDS)] for i, k in enumerate(KINDS)} | {"all": outcomes}
    print("| damage | files | " + " | ".join(names) + " | unprotected |")
    print("|---" * (len(names) + 3) + "|")
    for name, some in kinds.items():
        counts = Counter(o.what for o in some)
        leaks = sum(bool(o.leaked) for o in some)
        print(f"| {name} | {len(some)} | " + " | ".join(str(counts[n]) for n in names) + f" | {leaks} |")
    reasons = Counter((o.what, o.why) for o in outcomes if o.why)
    print("\n".join(f"{n:6d} {what}: {why}" for (what, why), n in reasons.most_common()))
    leaked = [n for n, o in enumerate(outcomes) if o.leaked]
    moved = [n for n, o in enumerate(outcomes) if o.moved]
    bad = [n for n, o in enumerate(outcomes) if o.what in ("crash", "over time", "over memory")]
    slowest, largest = max(o.seconds for o in outcomes), max(o.memory_bytes for o in outcomes)
    print(f"unprotected {leaked}; a marker moved into a declared place {moved}; to look at {bad}")
    print(f"slowest {slowest:.2f} s, most memory {largest / 1e6:.0f} MB more, {seconds:.0f} s in all")
    if path:
        data = {
            "files": len(outcomes), "seconds": round(seconds), "slowest_s": round(slowest, 2), "memory_bytes": largest,
            "kinds": {k: Counter(o.what for o in some) for k, some in kinds.items()},
            "reasons": [[what, why, n] for (what, why), n in reasons.most_common()],
            "unprotected": leaked, "moved": moved, "to_look_at": bad,
        }  # fmt: skip
        Path(path).write_text(json.dumps(data, indent=1))


if __name__ == "__main__":
    main()
