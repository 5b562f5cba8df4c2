"""What a panel is: a name, a heading, and the values its template shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings, Findings

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Panel:
    """A section of the page.

    Args:
        name: anchor of the section and name of its template (`templates/<name>.html.j2`).
        title: its heading; `short`: how the list of contents calls it.
        context: findings to the values its template shows; None leaves the section out.
    """

    name: str
    title: str
    short: str
    context: Callable[[Findings], dict[str, Any] | None]


@dataclass(frozen=True)
class Guide:
    """How to read a figure: what is shown, what better and worse look like, what to do then."""

    shown: str
    better: str
    worse: str
    then: str


@dataclass(frozen=True)
class Drawing:
    """A kind of figure, drawn once for each attack.

    Args:
        paint: an attack and a name unique on the page, to SVG; None where there is nothing to draw.
    """

    name: str
    title: str
    guide: Guide
    paint: Callable[[AttackFindings, str], Markup | None]
