"""The page: findings as one self-contained HTML document that a worried person reads first.

    findings -> panels (values) -> templates (autoescaped) -> one file: no script, no network, no clock

The same findings give the same bytes. A content policy in the page allows its own style sheet and data
URIs and nothing else, so that even a hostile label that got through could load nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medveil.core.errors import UsageError
from medveil.core.findings import Findings
from medveil.report.panels import (
    answer,
    curves,
    fidelity,
    glossary,
    images,
    inference,
    methods,
    numbers,
    settings,
    side_by_side,
    table,
)

if TYPE_CHECKING:
    from markupsafe import Markup

PANELS = (
    numbers.PANEL,
    curves.PANEL,
    table.PANEL,
    inference.PANEL,
    images.PANEL,
    fidelity.PANEL,
    settings.PANEL,
    methods.PANEL,
    glossary.PANEL,
)


@dataclass(frozen=True, repr=False)
class Picture:
    """The pictures of one image, made elsewhere, as JPEG bytes; empty bytes where there is none.

    Args:
        subject, name: which image, as the rows of the findings call it.
        slices_before, slices_after: the same three planes.
        heads_before, heads_after: `side_by_side.FRAMES` square frames in one strip, from left to right profile.
    """

    subject: str
    name: str
    slices_before: bytes
    slices_after: bytes = b""
    heads_before: bytes = b""
    heads_after: bytes = b""

    def __repr__(self) -> str:
        size = sum(map(len, (self.slices_before, self.slices_after, self.heads_before, self.heads_after)))
        return f"Picture({size} bytes)"


def render(findings: Findings, *, pictures: Sequence[Picture] = (), internal: bool = False) -> str:
    """The page, as HTML.

    Args:
        pictures: of images before and after; faces, so they go into the internal edition only.
        internal: the edition that must not leave the house; says so in red on every printed page.

    Raises:
        UsageError: pictures for the edition that may leave the house, or a picture that is no JPEG.
        InputRefused: findings with a verdict that does not exist.
    """
    if pictures and not internal:
        raise UsageError(
            "report: pictures of people belong in the internal edition", hint="render(..., internal=True)"
        )
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("medveil.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["ticks"] = _ticks
    sections = [(panel, panel.context(findings)) for panel in PANELS]
    if internal:
        place = 1 + [panel.name for panel, _ in sections].index("images")
        sections.insert(place, (side_by_side.PANEL, side_by_side.arrange(findings, pictures)))
    css = environment.get_template("page.css").render(frames=side_by_side.FRAMES)
    return environment.get_template("page.html.j2").render(
        title=findings.title,
        css=Markup(css),  # noqa: S704 - our own file, no values in it
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        hero=answer.context(findings),
        sections=[{"panel": panel, "p": context} for panel, context in sections if context is not None],
        internal=internal,
        version=findings.versions.get("medveil", ""),
    )


def _ticks(text: str) -> Markup:
    """Text whose `commands` are set as code."""
    from markupsafe import Markup, escape

    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))
