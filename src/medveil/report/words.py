"""Values as words: one way to write an estimate, a p-value or a setting, on the page and in a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Condition

METRICS = ("auc", "eer", "linkability", "rank_1", "rank_1_with_table")
MORE = (
    "rank_5",
    "rank_1_of_10",
    "eer_interpolated",
    "eer_step",
    "linkability_pav",
    "min_cllr",
    "zebra_population",
    "zebra_individual",
    "d_prime",
)
CONDITIONS = ("original", "release", "null")

LONG_NAMES = {
    "auc": "AUC",
    "eer": "Equal error rate (EER)",
    "linkability": "Linkability",
    "rank_1": "Rank-1 rate",
    "rank_5": "Rank-5 rate",
    "rank_1_with_table": "Rank-1 rate with the table",
    "eer_interpolated": "EER, interpolated",
    "eer_step": "EER, step",
    "linkability_pav": "Linkability without bins",
    "min_cllr": "min Cllr",
    "zebra_population": "ZEBRA, population",
    "zebra_individual": "ZEBRA, individual",
    "d_prime": "d\N{PRIME}",
    "dir_at_fpir_01": "Found at 1 % false alarms",
    "dir_at_fpir_10": "Found at 10 % false alarms",
    "dir_left_out_fpir_01": "Found at 1 % false alarms, each left out in turn",
    "dir_left_out_fpir_10": "Found at 10 % false alarms, each left out in turn",
    "rank_1_of_10": "Rank-1 rate among ten",
    "tpr_at_fpr_01": "found at 1 % false alarms",
    "tpr_at_fpr_001": "found at 0.1 % false alarms",
    "mae": "mean error",
    "gallery": "Candidates",
    "probe_detected": "Scans with a face found",
    "gallery_detected": "Candidates' images with a face found",
    "probe_located": "Scans in which the head was found",
    "gallery_located": "Candidates' scans in which the head was found",
    "learned_from": "Other people learned from",
    "explained": "Share of the variance explained",
    "probe_empty": "Scans with nothing to see",
    "landmarks_on_skin": "Landmarks that lie on the skin",
    "background_people": "Other people learned from",
    "table_pairs": "Pairs in the table of scores",
    "table_pairs_unused": "Pairs in it that nobody asked for",
    "psnr": "PSNR",
    "ssim": "SSIM",
}
NONE = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"
UNITS = {"ml": "mL", "mm": "mm", "s": "s", "db": "dB", "mm3": "mm³", "percent": "%", "deg": "°"}


def finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int | None = None) -> str:
    """A number for a reader: fixed `digits`, else three that matter; the minus sign is a real one.

    >>> number(0.5234, 2), number(1234567.0), number(0.000012), number(None)
    ('0.52', '1,234,567', '1.2e-05', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return "undefined"
    if digits is not None:
        text = f"{value:.{digits}f}"
    elif value == int(value) and abs(value) < 1e15:
        text = f"{int(value):,}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}") if text.startswith("-") else text


def digits_of(estimate: Estimate) -> int | None:
    """Two decimals for a rate or a difference of rates, three where the interval is so narrow that two would hide it."""
    if estimate.unit or estimate.value is None or not -1 <= estimate.value <= 1:
        return None
    if estimate.name not in METRICS and estimate.low == estimate.high == round(estimate.value):
        return None
    if estimate.low is None or estimate.high is None:
        return 2 if estimate.value in (0, 1) else 3
    return 2 if estimate.high - estimate.low >= 0.05 or estimate.low == estimate.high else 3


def value(estimate: Estimate) -> str:
    """The point estimate with its unit, `undefined` where there is none."""
    if not finite(estimate.value):
        return "undefined"
    text = number(estimate.value, digits_of(estimate))
    return f"{text} {estimate.unit}" if estimate.unit else text


def interval(estimate: Estimate) -> str:
    """`[low, high]`, empty where no interval can be given."""
    if not (finite(estimate.value) and finite(estimate.low) and finite(estimate.high)):
        return ""
    digits = digits_of(estimate)
    return f"[{number(estimate.low, digits)}, {number(estimate.high, digits)}]"


def full(estimate: Estimate | None) -> str:
    """Value and interval in one piece of text, for alternative texts and terminals."""
    if estimate is None:
        return "not computed"
    return f"{value(estimate)} {interval(estimate)}".strip()


def p_value(p: float | None) -> str:
    """`p = 0.012`, `p < 0.001` or nothing.

    >>> p_value(0.0123), p_value(0.0001), p_value(None)
    ('p = 0.012', 'p < 0.001', '')
    """
    if p is None or not math.isfinite(p):
        return ""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def times_in_100(rate: float) -> str:
    """A rate as a steward may say it. Rounding never turns nearly all into all, nor hardly any into none.

    >>> [times_in_100(x) for x in (0.5234, 0.9962, 0.99999, 1.0, 0.0004, 0.0)]
    ['52', '99.6', '99.9', '100', '0.1', '0']
    """
    times = 100 * rate
    if 99 < times < 100:
        return f"{math.floor(10 * times) / 10:g}"
    return f"{math.ceil(10 * times) / 10:g}" if 0 < times < 1 else f"{times:.0f}"


def phrase(key: str) -> str:
    """A key as words, its unit in brackets.

    >>> phrase("removed_ml"), phrase("brain_voxels_unchanged"), phrase("rank_10")
    ('removed (mL)', 'brain voxels unchanged', 'rank-10')
    """
    if key in LONG_NAMES:
        return LONG_NAMES[key]
    head, _, tail = key.rpartition("_")
    if head and tail in UNITS:
        return f"{head.replace('_', ' ')} ({UNITS[tail]})"
    if head == "rank" and tail.isdigit():
        return f"rank-{tail}"
    return key.replace("_", " ")


def setting(item: Any) -> str:
    """A setting as text. A place on somebody's machine is nobody else's business and is left out."""
    if isinstance(item, bool):
        return "yes" if item else "no"
    if item is None:
        return "none"
    if isinstance(item, float):
        return number(item)
    if isinstance(item, Mapping):
        return ", ".join(f"{phrase(str(k))} {setting(v)}" for k, v in sorted(item.items(), key=str))
    if isinstance(item, list | tuple):
        return ", ".join(setting(i) for i in item)
    text = str(item)
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive or text.startswith("~"):
        return "(a path, not shown)"
    return text


def in_order(keys: Iterable[str], first: tuple[str, ...]) -> list[str]:
    """Known names in their usual order, then the others by name: the page does not depend on dict order."""
    keys = list(keys)
    return [k for k in first if k in keys] + sorted(k for k in keys if k not in first)


def conditions(attack: AttackFindings) -> list[Condition]:
    """The conditions of an attack in reading order: original, release, null, then any others."""
    return [attack.conditions[k] for k in in_order(attack.conditions, CONDITIONS)]


def counted(n: int, one: str, many: str = "") -> str:
    """
    >>> counted(1, "image"), counted(2, "image"), counted(0, "person", "people")
    ('1 image', '2 images', '0 people')
    """
    return f"{n:,} {one}" if n == 1 else f"{n:,} {many or one + 's'}"


def sentence(text: str) -> str:
    """
    >>> sentence("erase the face"), sentence("Done."), sentence("")
    ('Erase the face.', 'Done.', '')
    """
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def printable(text: str) -> str:
    """Text without control characters: a label may not steer a terminal or break a drawing."""
    return "".join(c if c.isprintable() else "�" for c in text)
