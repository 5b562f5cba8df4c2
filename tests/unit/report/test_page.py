"""The page, read as its readers and its attackers would."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from medveil.core.errors import InputRefused, UsageError
from medveil.core.estimate import Estimate
from medveil.core.findings import Curves, Findings
from medveil.report.page import Picture, render
from medveil.report.panels.side_by_side import FRAMES

from .example import CASES, attack, findings, images

NONE = Curves([], [], [], [], [], [], [], [], [], [])
VOID = {"meta", "link", "br", "hr", "img", "input"}
JPEG = b"\xff\xd8\xff\xe0 a picture"


@cache
def page(case: str) -> str:
    return render(findings(case))


class Reader(HTMLParser):
    """Reads a page and keeps what the tests ask about; raises where a tag is closed that was not open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.note(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({k for k, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append((tag, dict(attrs)))
        self.ids += [v for k, v in attrs if k == "id" and v]
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@cache
def read(case: str) -> Reader:
    return Reader(page(case))


# --- form ------------------------------------------------------------------------------------------------


def test_the_same_findings_give_the_same_bytes() -> None:
    assert render(findings("attack too weak")) == page("attack too weak")


def test_findings_that_went_through_a_file_give_the_same_page() -> None:
    text = json.dumps(findings("attack too weak").to_json(), sort_keys=True)  # nor does their order matter
    assert render(Findings.from_json(json.loads(text))) == page("attack too weak")


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_well_formed(case: str) -> None:
    reader = read(case)  # raises where tags do not match
    assert len(set(reader.ids)) == len(reader.ids)
    assert reader.headings[0] == 1
    assert reader.headings.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False))
    assert ("html", {"lang": "en"}) in reader.elements


@pytest.mark.parametrize("case", CASES)
def test_the_page_loads_nothing(case: str) -> None:
    html, reader = page(case), read(case)
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html.replace("url(#", "")
    assert "@import" not in html
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "audio", "video"}
    for _, attrs in reader.elements:
        for name, value in attrs.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src"):
                assert (value or "").startswith("#")


@pytest.mark.parametrize("case", CASES)
def test_every_inner_link_leads_somewhere(case: str) -> None:
    reader = read(case)
    for _, attrs in reader.elements:
        for name in ("href", "aria-labelledby"):
            if attrs.get(name):
                assert (attrs[name] or "").lstrip("#") in reader.ids
    for target in re.findall(r"url\(#([^)]+)\)", page(case)):
        assert target in reader.ids


def test_the_content_policy_allows_this_style_sheet_and_nothing_else() -> None:
    html = page("not measured")
    css = html.split("<style>")[1].split("</style>")[0]
    policy = next(a["content"] or "" for t, a in read("not measured").elements if "http-equiv" in a)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_no_path_of_this_machine_is_on_the_page() -> None:
    given = findings(
        "not measured", step_settings={"x.y": {"atlas": "/home/kim/atlas.nii", "other": "C:\\kim\\a"}}
    )
    html = render(given)
    assert "kim" not in html
    assert "(a path, not shown)" in html


# --- what it says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_answer_and_verdict_come_first(case: str) -> None:
    text = read(case).text
    given = findings(case)
    answer, verdict = text.index(given.answer), text.index("Verdict: " + case)
    assert max(answer, verdict) < text.index("What this means") < text.index("What the attacks achieved")
    assert "What to do next" in text


def test_each_verdict_has_its_own_advice() -> None:
    assert "Do not hand out this release" in read("leak").text
    assert "smallest effect" in read("no evidence of a leak").text
    assert "AUC 0.63" in read("no evidence of a leak").text
    assert "Treat the release as not measured" in read("attack too weak").text
    assert "medveil release DIR --photos PHOTOS" in read("not measured").text


def test_the_sections_are_there_and_an_empty_one_is_not() -> None:
    everything = {"numbers", "figures", "images", "fidelity", "settings", "methods", "glossary"}
    assert everything <= set(read("leak").ids)
    assert everything - set(read("not measured").ids) == {"figures"}
    assert "No attack was run: neither photographs nor other scans were given" in read("not measured").text
    assert "Against whom" not in read("not measured").text


def test_a_bare_score_table_makes_a_page_without_empty_parts() -> None:
    label = "my <own> $label$"
    one = attack("scores", (0.8, 0.7, 0.9), (0.6, 0.5, 0.7), "leak", "It works.")
    given = Findings(
        title="Scores",
        answer="Yes.",
        verdict="leak",
        threat="",
        simulated=False,
        cohort={},
        attacks=[
            replace(one, conditions={label: replace(one.conditions["release"], label=label)}, settings={})
        ],
    )
    reader = Reader(render(given))
    assert not {"images", "fidelity", "methods"} & set(reader.ids)
    assert reader.text.count(label) > 3


def test_every_estimate_stands_with_interval_n_and_guessing() -> None:
    text = read("no evidence of a leak").text
    for piece in ("0.97 [0.93, 0.99]", "0.52 [0.41, 0.63]", "0.50 [0.40, 0.60]", "95 % intervals"):
        assert piece in text
    assert "p = 0.001, n = 11" in text
    assert "0.12 to 0.13" in text
    assert "11 mated, 110 non-mated pairs" in text
    for name in ("AUC", "Equal error rate (EER)", "Linkability", "Rank-1 rate"):
        assert name in text


def test_an_undefined_estimate_says_so_and_why() -> None:
    one = attack("a.b", (0.8, 0.7, 0.9), (0.6, 0.5, 0.7), "attack too weak", "Why.")
    release = one.conditions["release"]
    broken = replace(
        release, estimates={**release.estimates, "eer": Estimate("eer", None, note="one pair is not enough")}
    )
    nan = replace(one.conditions["null"], estimates={"auc": Estimate("auc", float("nan"))})
    html = render(
        findings(
            "attack too weak",
            attacks=[
                replace(
                    one, conditions={"original": one.conditions["original"], "release": broken, "null": nan}
                )
            ],
        )
    )
    text = Reader(html).text
    assert re.search(r"undefined\s+one pair is not enough", text)
    assert "nan" not in re.findall(r"[a-z]+", text)
    assert "no voxel inside the brain differs" in text


@pytest.mark.parametrize("case", CASES)
def test_simulated_people_are_said_to_be_simulated(case: str) -> None:
    said = "simulated cohort: ranks tools, does not estimate real-world rates" in read(case).text
    assert said == findings(case).simulated


def test_figures_say_in_words_what_they_show() -> None:
    labels = [a["aria-label"] or "" for t, a in read("leak").elements if t == "svg"]
    assert len(labels) == 1 + 5 * 2
    assert all(a.get("role") == "img" for t, a in read("leak").elements if t == "svg")
    assert any("ROC" in x and "release 0.81 [0.70, 0.90]" in x for x in labels)
    text = read("leak").text
    assert text.count("Better") == text.count("Worse") == text.count("What to do then") == 5


@pytest.mark.parametrize("case", CASES)
def test_the_page_never_promises(case: str) -> None:
    assert not re.search(r"anonymous|safe|compliant", page(case), re.IGNORECASE)
    inside = render(findings(case), internal=True) if case == "not measured" else ""
    assert not re.search(r"anonymous|safe|compliant", inside, re.IGNORECASE)


# --- images ----------------------------------------------------------------------------------------------


def test_refused_images_come_first_with_their_reason() -> None:
    text = read("not measured").text
    assert "11 of 12 images protected; 1 image refused" in text
    assert text.index("no head found") < text.index("sub-01")
    assert "sub-12 ✕ no head found anat/sub-12_FLAIR.nii.gz" in text
    assert "in 11 of 11" in text


def test_a_proof_that_failed_is_in_plain_sight() -> None:
    rows = images()
    rows[3]["proofs"]["brain_voxels_unchanged"] = False
    text = Reader(render(findings("not measured", images=rows))).text
    assert re.search(r"brain voxels unchanged: NO , in 10 of 11", text)


def test_a_proof_that_failed_is_named_beside_its_image() -> None:
    rows = images()
    rows[3]["proofs"]["brain_voxels_unchanged"] = False
    text = Reader(render(findings("not measured", images=rows))).text
    assert "✕ broken: brain voxels unchanged" in text
    assert text.count("all 3 hold") == 10


def test_a_remark_is_said_once_with_the_images_it_is_about() -> None:
    rows = images()
    for row in rows[:5]:
        row["remarks"] = ["chin outside the field of view"]
    rows[6]["remarks"] = ["the face appears to be removed already"]
    text = Reader(render(findings("not measured", images=rows))).text
    assert text.count("chin outside the field of view") == 1
    assert re.search(r"chin outside the field of view \(5 images\s*\)", text)
    assert re.search(r"removed already \(1 image\s*: anat/sub-07_T1w.nii.gz\s*\)", text)


def test_the_refused_are_not_mentioned_where_nobody_was_refused() -> None:
    advice = "Look through the refused images"
    assert advice in read("no evidence of a leak").text
    given = findings("no evidence of a leak", images=images(refused=0), attacks=[])
    assert advice not in Reader(render(given)).text


def test_other_measures_fold_away_with_how_they_were_computed() -> None:
    one = attack("a.b", (0.8, 0.7, 0.9), (0.6, 0.5, 0.7), "leak", "It works.")
    more = {
        "zebra_population": Estimate("zebra_population", 0.123, 0.05, 0.2, unit="bit", note="ZEBRA, expected")
    }
    conditions = {
        k: replace(c, estimates={**c.estimates, **more}, curves=NONE) for k, c in one.conditions.items()
    }
    html = render(findings("leak", attacks=[replace(one, conditions=conditions)]))
    folded = Reader("<div>" + html.split("<details>")[1].split("</details>")[0] + "</div>").text
    assert "ZEBRA, population ZEBRA, expected 0.123 bit [0.05, 0.2]" in folded
    assert "More measures" not in read("leak").text


def test_a_long_table_folds_away() -> None:
    html = render(findings("not measured", images=images(400, refused=40)))
    reader = Reader(html)
    assert [t for t, _ in reader.elements].count("details") == 2
    assert "40 no head found" in reader.text
    assert "sub-360" in reader.text
    assert "sub-400" in reader.text
    assert "details" not in {t for t, _ in read("not measured").elements}


# --- hostile input ---------------------------------------------------------------------------------------

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}&lt;\x1b[2J"


def test_hostile_text_comes_out_as_text_everywhere() -> None:
    row = {
        "subject": HOSTILE,
        "name": HOSTILE,
        "state": "refused",
        "reason": HOSTILE,
        "measured": {},
        "proofs": {},
    }
    fine = {
        "subject": HOSTILE + "2",
        "name": HOSTILE,
        "state": "protected",
        "reason": "",
        "measured": {HOSTILE: 1.0},
        "proofs": {HOSTILE: True},
        "remarks": [HOSTILE],
    }
    one = attack(HOSTILE, (0.9, 0.8, 0.95), (0.5, 0.4, 0.6), "leak", HOSTILE)
    one = replace(
        one,
        summary=HOSTILE,
        settings={HOSTILE: HOSTILE},
        conditions={HOSTILE: replace(one.conditions["release"], label=HOSTILE, notes={HOSTILE: 1.0})},
    )
    html = render(
        findings(
            "leak",
            title=HOSTILE,
            answer=HOSTILE,
            threat=HOSTILE,
            cohort={HOSTILE: HOSTILE},
            attacks=[one],
            steps=[HOSTILE],
            step_settings={HOSTILE: {HOSTILE: [HOSTILE]}},
            images=[row, fine],
            fidelity={HOSTILE: Estimate(HOSTILE, 1.0, unit=HOSTILE, note=HOSTILE)},
            versions={HOSTILE: HOSTILE, "medveil": HOSTILE},
            methods=[HOSTILE],
            references=[HOSTILE],
        ),
        pictures=[Picture(HOSTILE, HOSTILE, JPEG), Picture(HOSTILE + "2", HOSTILE, JPEG, JPEG, JPEG, JPEG)],
        internal=True,
    )
    reader = Reader(html)
    assert "<script" not in html
    assert {t for t, _ in reader.elements if t in ("script", "image")} == set()
    assert not [a for _, attrs in reader.elements for a in attrs if a.startswith("on")]
    sources = [a["src"] or "" for t, a in reader.elements if t == "img"]
    assert len(sources) == 5
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "49" not in reader.text
    assert reader.text.count("<script>alert(1)</script>") > 20


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(InputRefused, match="unknown verdict"):
        render(findings("not measured", verdict="all good"))


# --- editions --------------------------------------------------------------------------------------------


def test_pictures_do_not_enter_the_edition_that_leaves_the_house() -> None:
    with pytest.raises(UsageError, match="internal edition"):
        render(findings("not measured"), pictures=[Picture("sub-01", "T1w", JPEG)])
    assert "<img" not in page("leak")
    assert "no picture of anyone" in read("leak").text


def test_the_internal_edition_shows_faces_and_says_where_it_must_stay() -> None:
    html = inside(images())
    reader = Reader(html)
    assert "internal edition : shows faces of participants, must not leave the house" in reader.text
    assert "no picture of anyone" not in reader.text
    assert "<title>INTERNAL: " in html
    assert "internal edition" in render(findings("not measured"), internal=True)


def test_a_picture_that_is_no_jpeg_is_refused_and_its_repr_shows_no_one() -> None:
    bad = Picture("sub-01", "T1w", b"<svg onload=alert(1)>")
    with pytest.raises(UsageError, match="not a JPEG"):
        render(findings("not measured"), pictures=[bad], internal=True)
    assert "sub-01" not in repr(bad)


# --- before and after ------------------------------------------------------------------------------------


def inside(rows: list[dict[str, Any]]) -> str:
    """The internal edition with pictures of every image: all four of the released, one of the refused."""
    shown = [
        Picture(r["subject"], r["name"], JPEG, *([JPEG] * 3 if r["state"] == "protected" else []))
        for r in rows
    ]
    return render(findings("not measured", images=rows), pictures=shown, internal=True)


def cards(html: str) -> list[str]:
    """The text of each card of the section with pictures, in the order of the page."""
    section = html.split('<section id="pictures"')[1].split("<section id=", maxsplit=1)[0]
    return [
        Reader("<section>" + part.split(">", 1)[1].split("</section>", maxsplit=1)[0] + "</section>").text
        for part in section.split('<section class="qc')[1:]
    ]


def test_refused_images_are_looked_at_first_then_the_least_sure() -> None:
    rows = images(6, refused=2)
    for row, confidence in zip(rows, (3.0, 1.6, 9.0, 2.0), strict=False):
        row["measured"]["confidence"] = confidence
    found = [text.split()[0] for text in cards(inside(rows))]
    assert found == ["sub-05", "sub-06", "sub-02", "sub-04", "sub-01", "sub-03"]


def test_an_image_whose_confidence_is_unknown_comes_before_those_whose_is_known() -> None:
    rows = images(3, refused=0)
    del rows[1]["measured"]["confidence"]
    assert cards(inside(rows))[0].split()[0] == "sub-02"


def test_a_card_says_what_a_steward_has_to_know() -> None:
    rows = images(2, refused=1)
    rows[0]["remarks"] = ["chin outside the field of view"]
    rows[0]["measured"] |= {
        "face_detected_before": 1.0,
        "face_detected_after": 0.0,
        "descriptor_distance": 0.7123,
        "skin_moved_mm": 31.44,
        "skin_moved_share": 0.987,
    }
    refused, released = cards(inside(rows))
    assert "refused: no head found" in refused
    for piece in (
        "confidence 0.990", "removed (mL) 311", "chin outside the field of view", "all 3 hold",
        "face detected yes → no", "descriptor distance 0.71", "skin moved (mm) 31.4",
    ):  # fmt: skip
        assert piece in released, piece
    assert re.search(r"moved more than 2\smm 99\s%", released)


def test_every_picture_is_described_and_a_head_can_be_turned_by_keyboard() -> None:
    reader = Reader(inside(images(3, refused=1)))
    assert len([t for t, _ in reader.elements if t == "img"]) == 2 * 4 + 1
    assert all(a["alt"] for t, a in reader.elements if t == "img")
    buttons = [a for t, a in reader.elements if t == "input"]
    groups = {a["name"] for a in buttons}
    assert len(groups) == 2
    for group in groups:
        sides = [a for a in buttons if a["name"] == group]
        assert len(sides) == FRAMES
        assert [a["aria-label"] for a in sides if "checked" in a] == ["front"]
        assert {a["type"] for a in sides} == {"radio"}
        assert [a["class"] for a in sides] == [f"s{k}" for k in range(FRAMES)]


def test_the_style_sheet_turns_to_every_frame_and_hovering_wins_over_a_click() -> None:
    css = inside(images(1, refused=0)).split("<style>")[1].split("</style>")[0]
    for k in range(FRAMES):
        move = f"transform: translateX(-{100 * k / FRAMES:.4f}%)"
        assert re.search(rf"input\.s{k}:checked\) .reel > img {{ {re.escape(move)}", css)
        assert re.search(rf"\.s{k}:hover\) .reel > img {{ {re.escape(move)}", css)
    assert css.rindex(":checked)") < css.index(":hover)")
    assert f"width: {100 * FRAMES}%" in css


def test_turning_needs_no_script_and_no_style_beside_the_sheet() -> None:
    html = inside(images(2, refused=0))
    assert "<script" not in html
    assert not [a for _, attrs in Reader(html).elements for a in attrs if a == "style" or a.startswith("on")]


def test_an_image_of_which_no_picture_was_made_keeps_its_card_if_it_was_refused() -> None:
    html = render(findings("not measured", images=images(3, refused=1)), internal=True)
    assert [text.split()[0] for text in cards(html)] == ["sub-03"]
    assert "No pictures were made" in render(findings("leak", images=[]), internal=True)


def test_the_faces_that_are_left_are_counted_in_both_editions() -> None:
    rows = images(4, refused=1)
    for n, row in enumerate(rows[:3]):
        row["measured"] |= {"face_detected_before": 1.0, "face_detected_after": float(n == 0)}
    text = Reader(render(findings("not measured", images=rows))).text
    assert "fired in 3 of 3 images before and in 1 after" in text
    assert "yes → yes" in text
    assert text.count("yes → no") == 2
    assert "face detector" not in read("not measured").text


def test_importing_the_report_loads_neither_matplotlib_nor_jinja() -> None:
    code = "import sys, medveil.report.page, medveil.report.text; print({'matplotlib', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_sub_9_stands_before_sub_10() -> None:
    rows = images(3, refused=0)
    for row, subject in zip(rows, ("sub-10", "sub-9", "sub-x"), strict=True):
        row["subject"] = subject
    text = Reader(render(findings("not measured", images=rows))).text
    assert text.index("sub-9") < text.index("sub-10") < text.index("sub-x")
