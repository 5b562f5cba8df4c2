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
    methods,
    numbers,
    settings,
    side_by_side,
)

if TYPE_CHECKING:
    from markupsafe import Markup

PANELS = (
    numbers.PANEL,
    curves.PANEL,
    images.PANEL,
    fidelity.PANEL,
    settings.PANEL,
    methods.PANEL,
    glossary.PANEL,
)


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture made elsewhere: one side of a before / after pair.

    Args:
        subject: whom it shows, as the release labels them; `caption`: what a reader should see.
        png: the picture as PNG bytes.
        group: pictures of one subject and one group stand side by side.
    """

    subject: str
    caption: str
    png: bytes
    group: str = ""

    def __repr__(self) -> str:
        return f"Picture({len(self.png)} bytes)"


def render(findings: Findings, *, pictures: Sequence[Picture] = (), internal: bool = False) -> str:
    """The page, as HTML.

    Args:
        pictures: before / after pictures; faces, so they go into the internal edition only.
        internal: the edition that must not leave the house; says so in red on every printed page.

    Raises:
        UsageError: pictures for the edition that may leave the house, or a picture that is no PNG.
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
        sections.insert(place, (side_by_side.PANEL, side_by_side.arrange(pictures)))
    css = environment.get_template("page.css").render()
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
