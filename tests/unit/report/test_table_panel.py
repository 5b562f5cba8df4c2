"""The panel of the table says how many people it singles out, before and after."""

from __future__ import annotations

from dataclasses import replace

from medveil.core.findings import Findings
from medveil.measure.tables.assess import assess
from medveil.report.page import render

from .example import findings

ROWS = [
    {"participant_id": "sub-1", "age": "31", "sex": "F", "site": "north"},
    {"participant_id": "sub-2", "age": "31", "sex": "F", "site": "south"},
    {"participant_id": "sub-3", "age": "54", "sex": "M", "site": "south"},
    {"participant_id": "sub-4", "age": "n/a", "sex": "M", "site": "south"},
]


def told() -> Findings:
    after = [{k: v for k, v in row.items() if k != "site"} for row in ROWS]
    return replace(findings(), tables={"original": assess(ROWS), "release": assess(after)})


def test_the_sentence_counts_people_and_names_facts() -> None:
    page = render(told())
    assert "2 of 4 people can be picked out of the table by age and sex alone" in page
    assert "What the table gives away" in page


def test_what_a_column_less_wins_stands_beside_it() -> None:
    page = render(told())
    row = page[page.index("people who look like nobody else") :]
    cells = [c.split("</td>")[0] for c in row.split('<td class="num">')[1:3]]
    assert cells == ["1.00", "0.50"]


def test_no_label_of_a_person_is_shown() -> None:
    assert "sub-3" not in render(told()).split('id="table"')[1].split("</section>")[0]


def test_findings_with_tables_survive_json() -> None:
    assert Findings.from_json(told().to_json()) == told()


def test_without_a_table_there_is_no_section() -> None:
    assert 'id="table"' not in render(findings())
