"""Violations as pictures between client and target."""

from __future__ import annotations

import re
from dataclasses import replace

from bdevcheck.conformance.verdict import Moment, Report, Verdict, Violation
from bdevcheck.diagrams.render import render
from bdevcheck.diagrams.timeline import draw_report, draw_timeline
from bdevcheck.traces.record import Place

START = 1_795_369_290_000_000_000


def moment(lane: str, text: str, ms: float, line: int, *, key: bool = False) -> Moment:
    place = Place("run.wire.jsonl" if lane == "client" else "run.log", line)
    return Moment(place, lane, text, START + round(ms * 1e6), key)


VIOLATION = Violation(
    rule="create-after-register",
    bdev="raid1",
    method="bdev_raid_create",
    headline="bdev_raid_create answered success 996 ms before raid1 was registered",
    moments=(
        moment("client", "bdev_raid_create raid1 (id 5): request", 0, 11),
        moment("client", "bdev_raid_create raid1 (id 5): true", 1007, 12, key=True),
        moment("client", "bdev_lvol_create_lvstore (id 7): -19 No such device", 1023, 16),
        moment("target", "Inserting bdev raid1 into list", 2003, 126, key=True),
    ),
    between="The superblock write finished after the reply.",
    states={"raid1": "examining"},
    expected="A conforming target answers when raid1 is registered.",
    advice="Wait for raid1.",
    late_ns=996_295_000,
    known_in=("buggy",),
)


def node(source: str, name: str) -> str:
    found = re.search(rf'^\s*"?{name}"? \[(.*)\]$', source, re.MULTILINE)
    assert found, name
    return found[1]


def y_of(source: str, name: str) -> float:
    found = re.search(r'pos="[-\d.e]+,([-\d.e]+)!"', node(source, name))
    assert found
    return -float(found[1])


def test_headline_rule_and_expectation_are_there() -> None:
    source = draw_timeline(VIOLATION).source
    assert VIOLATION.headline in node(source, "headline")
    assert "violates create-after-register" in node(source, "rule")
    assert "known in: buggy" in node(source, "rule")
    assert "Expected: A conforming target answers" in node(source, "expected")
    assert y_of(source, "headline") < y_of(source, "moment 0") < y_of(source, "expected")


def test_time_runs_downwards() -> None:
    source = draw_timeline(VIOLATION).source
    places = [y_of(source, f"moment {index}") for index in range(4)]
    assert places == sorted(set(places))


def test_witness_is_red_with_file_and_line() -> None:
    source = draw_timeline(VIOLATION).source
    assert "#c8102e" in node(source, "moment 1")
    assert "#c8102e" not in node(source, "moment 2")
    assert "run.wire.jsonl:12" in node(source, "place 1")
    assert "run.log:126" in node(source, "place 3")


def test_gaps_carry_the_time_between() -> None:
    source = draw_timeline(VIOLATION).source
    assert "+1.01 s" in node(source, "gap 1")
    assert "+16 ms" in node(source, "gap 2")
    assert "+980 ms" in node(source, "gap 3")


def test_bar_spans_the_time_between_the_witnesses() -> None:
    source = draw_timeline(VIOLATION).source
    assert y_of(source, "bar start") == y_of(source, "moment 1")
    assert y_of(source, "bar end") == y_of(source, "moment 3")
    assert "but not\\lregistered\\lfor 996 ms" in node(source, "stretch")


def test_bar_of_an_effect_never_seen_says_or_longer() -> None:
    moments = (*VIOLATION.moments[:2], replace(VIOLATION.moments[2], key=True))
    source = draw_timeline(replace(VIOLATION, moments=moments, late_ns=None)).source
    assert "for 16 ms\\lor longer" in node(source, "stretch")


def test_without_clocks_there_are_no_gaps() -> None:
    moments = tuple(replace(each, wall_ns=None) for each in VIOLATION.moments)
    source = draw_timeline(replace(VIOLATION, moments=moments)).source
    assert '"gap 1"' not in source
    assert y_of(source, "moment 0") < y_of(source, "moment 1")


def test_single_witness_has_no_bar() -> None:
    source = draw_timeline(replace(VIOLATION, moments=VIOLATION.moments[:2])).source
    assert '"bar start"' not in source


def test_long_runs_are_counted() -> None:
    polls = tuple(moment("client", f"poll {n}", 1030 + n, 20 + n) for n in range(50))
    moments = (*VIOLATION.moments[:3], *polls, VIOLATION.moments[3])
    source = draw_timeline(replace(VIOLATION, moments=moments)).source
    assert "… 49 records" in source
    assert source.count('"moment ') < 20


def test_markup_in_records_is_shown_as_it_stands() -> None:
    tricky = replace(VIOLATION.moments[1], text=r'<b>"a\nb" &amp; c</b>')
    moments = (VIOLATION.moments[0], tricky, *VIOLATION.moments[2:])
    svg = render(draw_timeline(replace(VIOLATION, moments=moments)), "svg").decode()
    shown = svg.replace("&quot;", '"').replace("&#45;", "-").replace("&#160;", " ")
    assert r'&lt;b&gt;"a\nb" &amp;amp; c&lt;/b&gt;' in shown


def test_report_has_one_picture_for_each_violation() -> None:
    other = replace(VIOLATION, bdev="raid2", headline="another")
    report = Report(Verdict.VIOLATES, ("run",), (VIOLATION, other), (), (), {}, ())
    assert [picture.source for picture in draw_report(report)] == [
        draw_timeline(VIOLATION).source,
        draw_timeline(other).source,
    ]


def test_violation_without_moments_is_drawn() -> None:
    assert VIOLATION.headline in draw_timeline(replace(VIOLATION, moments=())).source
