"""Private elements that hold facts of the acquisition only; all others go.

A private element means nothing without the creator of its block, so the list is keyed by both: creator, group and
the low byte of the element. Without it diffusion scans of three makers lose their b-values and directions, and
Philips images their true scale. Each entry fixes the VR, and text must match its pattern. Siemens' CSA
headers (0029,xx10 and xx20) stay out: they hold the whole protocol, with free text, in a format of their own.

Source: PS3.15 E.3.10 (Retain Safe Private Option) and the makers' DICOM conformance statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMERIC = frozenset({"FL", "FD", "SS", "US", "SL", "UL"})


@dataclass(frozen=True)
class Safe:
    """One safe private element: its VR, what it is, and for text the pattern of a value."""

    vr: str
    what: str
    pattern: str = ""

    def fits(self, value: str) -> bool:
        """Whether one value of a text element has the pattern."""
        return bool(self.pattern) and re.fullmatch(self.pattern, value.strip(" \0")) is not None


_SLICES = r"\d{1,4}[ps]?(\*\d{1,4}s?)+"
_PAT = r"(p\d{1,2})?( ?s\d{1,2})?( ?SMS\d{1,2})?"
SAFE: dict[tuple[str, int], Safe] = {
    ("SIEMENS MR HEADER", 0x0019000A): Safe("US", "number of images in a mosaic"),
    ("SIEMENS MR HEADER", 0x0019000B): Safe("DS", "duration of a slice"),
    ("SIEMENS MR HEADER", 0x0019000C): Safe("IS", "b-value"),
    ("SIEMENS MR HEADER", 0x0019000D): Safe("CS", "diffusion directionality"),
    ("SIEMENS MR HEADER", 0x0019000E): Safe("FD", "diffusion gradient direction"),
    ("SIEMENS MR HEADER", 0x00190013): Safe("SL", "table position"),
    ("SIEMENS MR HEADER", 0x00190014): Safe("IS", "table position"),
    ("SIEMENS MR HEADER", 0x00190015): Safe("FD", "slice position"),
    ("SIEMENS MR HEADER", 0x00190016): Safe("DS", "time after start"),
    ("SIEMENS MR HEADER", 0x00190017): Safe("DS", "slice resolution"),
    ("SIEMENS MR HEADER", 0x00190018): Safe("IS", "dwell time"),
    ("SIEMENS MR HEADER", 0x00190027): Safe("FD", "b-matrix"),
    ("SIEMENS MR HEADER", 0x00190028): Safe("FD", "bandwidth per pixel, phase encoding"),
    ("SIEMENS MR HEADER", 0x00190029): Safe("FD", "times of the slices of a mosaic"),
    ("SIEMENS MR HEADER", 0x0051000B): Safe("SH", "acquisition matrix", _SLICES),
    ("SIEMENS MR HEADER", 0x00510011): Safe("LO", "parallel imaging", _PAT),
    ("SIEMENS MR SDS 01", 0x002100FE): Safe("SQ", "facts of the series"),
    ("SIEMENS MR SDI 02", 0x002100FE): Safe("SQ", "facts of a frame"),
    ("SIEMENS MR SDI 02", 0x00210004): Safe("DS", "time after start"),
    ("SIEMENS MR SDI 02", 0x0021001C): Safe("IS", "phase encoding direction"),
    ("SIEMENS MR SDI 02", 0x00210042): Safe("IS", "dwell time"),
    ("SIEMENS MR SDI 02", 0x00210053): Safe("FD", "bandwidth per pixel, phase encoding"),
    ("SIEMENS MR SDI 02", 0x00210056): Safe("LO", "parallel imaging", _PAT),
    ("SIEMENS MR SDI 02", 0x00210058): Safe("SH", "acquisition matrix", _SLICES),
    ("SIEMENS MR SDI 02", 0x0021005B): Safe("FD", "slice position"),
    ("GEMS_ACQU_01", 0x0019005A): Safe("FL", "acquisition duration"),
    ("GEMS_ACQU_01", 0x0019007E): Safe("SS", "number of echoes"),
    ("GEMS_ACQU_01", 0x001900BB): Safe("DS", "diffusion gradient direction, x"),
    ("GEMS_ACQU_01", 0x001900BC): Safe("DS", "diffusion gradient direction, y"),
    ("GEMS_ACQU_01", 0x001900BD): Safe("DS", "diffusion gradient direction, z"),
    ("GEMS_ACQU_01", 0x001900D9): Safe("DS", "number of diffusion directions"),
    ("GEMS_ACQU_01", 0x001900DF): Safe("DS", "number of diffusion directions"),
    ("GEMS_ACQU_01", 0x001900E0): Safe("DS", "number of diffusion directions"),
    ("GEMS_RELA_01", 0x0021004F): Safe("SS", "locations in the acquisition"),
    ("GEMS_PARM_01", 0x0043002C): Safe("SS", "effective echo spacing"),
    ("GEMS_PARM_01", 0x0043002F): Safe("SS", "magnitude, phase, real or imaginary"),
    ("GEMS_PARM_01", 0x00430039): Safe("IS", "b-value"),
    ("GEMS_PARM_01", 0x00430083): Safe("DS", "acceleration factors"),
    ("GEMS_PARM_01", 0x0043008A): Safe("CS", "phase encoding direction"),
    ("Philips Imaging DD 001", 0x20010003): Safe("FL", "b-value"),
    ("Philips Imaging DD 001", 0x20010004): Safe("CS", "diffusion direction"),
    ("Philips Imaging DD 001", 0x20010008): Safe("IS", "number of the phase"),
    ("Philips Imaging DD 001", 0x2001000A): Safe("IS", "number of the slice"),
    ("Philips Imaging DD 001", 0x2001000B): Safe("CS", "orientation of the slice"),
    ("Philips Imaging DD 001", 0x20010013): Safe("SL", "EPI factor"),
    ("Philips Imaging DD 001", 0x20010018): Safe("SL", "number of slices"),
    ("Philips Imaging DD 001", 0x20010022): Safe("FL", "water-fat shift"),
    ("Philips Imaging DD 001", 0x20010081): Safe("IS", "number of dynamics"),
    ("Philips MR Imaging DD 001", 0x2005000D): Safe("FL", "scale intercept"),
    ("Philips MR Imaging DD 001", 0x2005000E): Safe("FL", "scale slope"),
    ("Philips MR Imaging DD 001", 0x200500B0): Safe("FL", "diffusion direction, right to left"),
    ("Philips MR Imaging DD 001", 0x200500B1): Safe("FL", "diffusion direction, anterior to posterior"),
    ("Philips MR Imaging DD 001", 0x200500B2): Safe("FL", "diffusion direction, feet to head"),
    ("Philips MR Imaging DD 005", 0x20050009): Safe("DS", "rescale intercept"),
    ("Philips MR Imaging DD 005", 0x2005000A): Safe("DS", "rescale slope"),
    ("Philips MR Imaging DD 005", 0x20050012): Safe("IS", "number of the b-value"),
    ("Philips MR Imaging DD 005", 0x20050013): Safe("IS", "number of the gradient direction"),
    ("Philips PET Private Group", 0x70530000): Safe("DS", "SUV scale factor"),
    ("Philips PET Private Group", 0x70530009): Safe("DS", "activity concentration scale factor"),
    ("Image Private Header", 0x00650009): Safe("FD", "b-value"),
    ("Image Private Header", 0x00650037): Safe("FD", "diffusion gradient direction"),
    ("Image Private Header", 0x00650050): Safe("DS", "number of images in a mosaic"),
}
CREATORS = frozenset(creator for creator, _ in SAFE)


def lines() -> list[str]:
    """The list in words: one line an element."""
    return [f"{c} ({t >> 16:04X},xx{t & 0xFF:02X}) {s.what}" for (c, t), s in sorted(SAFE.items())]
