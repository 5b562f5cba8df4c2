"""Figures: one look for all of them, and the way from matplotlib to a piece of a page.

    paint(figure) -> matplotlib SVG -> inline SVG: no ids but those referred to, no style attributes, no
    dates, no fonts, no addresses. The page styles the text, and its content policy can stay strict.

Colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart; line
styles say the same thing a second time.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medveil.report.words import printable

if TYPE_CHECKING:
    from markupsafe import Markup

INK = "#1b1f24"
QUIET = "#5b6570"
HAIRLINE = "#c9ced4"

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "medveil",
    "text.parse_math": False,  # a label with two dollar signs is a label, not a formula
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.labelsize": 8.5,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.4,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class Pen:
    """How one condition is drawn in every figure."""

    colour: str
    dash: str | tuple[int, tuple[float, ...]]
    marker: str
    width: float = 1.8


PENS = {
    "original": Pen("#d55e00", (0, (5, 1.6)), "s"),
    "release": Pen("#0072b2", "-", "o", 2.3),
    "null": Pen("#7a828a", (0, (1.2, 1.6)), "D"),
}
OTHERS = (
    Pen("#009e73", "-", "^"),
    Pen("#cc79a7", (0, (5, 1.6)), "v"),
    Pen("#56b4e9", (0, (3, 1.2, 1, 1.2)), "P"),
    Pen("#e69f00", (0, (1.2, 1.6)), "X"),
)


def pens(labels: list[str]) -> dict[str, Pen]:
    """A pen for each condition; the usual three always look the same."""
    strangers = [label for label in labels if label not in PENS]
    return {
        label: PENS[label] if label in PENS else OTHERS[strangers.index(label) % len(OTHERS)]
        for label in labels
    }


def draw(
    name: str,
    label: str,
    size: tuple[float, float],
    paint: Callable[[Any], None],
    margins: tuple[float, float, float, float] = (0.52, 0.45, 0.1, 0.08),
) -> Markup:
    """A figure as inline SVG.

    Args:
        name: prefix of the ids inside, unique on the page.
        label: what a reader who does not see the figure is told.
        size: width and height in inches; the page scales it to the width of its column.
        paint: draws into the `matplotlib.figure.Figure` it is given.
        margins: left, bottom, right, top, in inches; fixed, so that figures beside each other align.
    """
    from markupsafe import Markup
    from matplotlib import style
    from matplotlib.figure import Figure

    out = io.StringIO()
    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the measuring font lacks; the page has its own fonts
        figure = Figure(figsize=size)
        left, bottom, right, top = margins
        width, height = size
        figure.subplots_adjust(
            left / width, bottom / height, 1 - right / width, 1 - top / height, hspace=0.12
        )
        figure.patch.set_visible(False)
        paint(figure)
        for axes in figure.axes:
            axes.patch.set_visible(False)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return Markup(_inline(out.getvalue(), name, label))  # noqa: S704 - serialised by ElementTree, which escapes


_KEEP = re.compile(r"^(fill|stroke|opacity|text-anchor|font-size|font-weight)")
_DECIMALS = re.compile(r"-?\d+\.\d+")


def _inline(svg: str, name: str, label: str) -> str:
    """Turn a matplotlib SVG file into an element that shares a page with others."""
    root = ET.fromstring(svg)  # noqa: S314 - written by matplotlib a line ago, not by a stranger
    referred = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    for element in list(root.iter()):
        element.tag = element.tag.rpartition("}")[2]
        for child in list(element):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                element.remove(child)
        element.attrib = _attributes(element, name, referred)
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": printable(label),
        "stroke-linejoin": "round",
    }
    return ET.tostring(root, encoding="unicode")


def _attributes(element: ET.Element, name: str, referred: set[str]) -> dict[str, str]:
    """Presentation attributes instead of styles, prefixed ids, two decimals."""
    kept: dict[str, str] = {}
    for key, text in element.attrib.items():
        key = key.rpartition("}")[2]
        if key == "style":
            for part in text.split(";"):
                prop, _, setting = (s.strip() for s in part.partition(":"))
                if prop == "font":  # the shorthand: size, then families
                    found = re.search(r"[\d.]+px", setting)
                    kept["font-size"] = found.group() if found else "8.5px"
                    if re.search(r"\b(bold|[6-9]00)\b", setting):
                        kept["font-weight"] = "600"
                elif _KEEP.match(prop):
                    kept[prop] = setting
        elif key == "id":
            if text in referred:
                kept["id"] = f"{name}-{text}"
        elif key == "href":
            kept["href"] = f"#{name}-{text[1:]}"
        elif key == "clip-path":
            kept[key] = text.replace("#", f"#{name}-")
        elif key in ("d", "x", "y", "width", "height"):
            kept[key] = _DECIMALS.sub(_two_decimals, " ".join(text.split()))
        else:
            kept[key] = text
    return kept


def _two_decimals(match: re.Match[str]) -> str:
    text = f"{float(match.group()):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
