"""What `explore` says of an exploration, on toy systems: counts, findings, shortest paths."""

import json
import re
from dataclasses import replace

from bdevcheck.model.compose import System
from bdevcheck.model.explore import explore
from bdevcheck.model.expression import at
from bdevcheck.model.outcome import outcome_of
from bdevcheck.model.property import Property, always, never_breaks, no_deadlock, sometimes
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.narrate import document_of, draw_system, lines_of, list_systems

from .toys import SETTLES, broken_mutex, counter, deadlock, empty, livelock

MODERN = VARIANTS["modern"]


def told(system: System, *claims: Property, max_states: int = 1000) -> list[str]:
    """Return the text about a system with these properties."""
    found = explore(replace(system, properties=claims), max_states=max_states)
    return [line.plain for line in lines_of(outcome_of(found), MODERN)]


def data(system: System, *claims: Property, max_states: int = 1000) -> dict[str, object]:
    """Return the data about a system with these properties."""
    found = explore(replace(system, properties=claims), max_states=max_states)
    return document_of(outcome_of(found), "modern")


AT_2, AT_9 = at("digit", "2"), at("digit", "9")


def test_first_lines_name_system_variant_counts_and_bound() -> None:
    lines = told(counter(3))
    assert lines[0] == f"counter of 3, variant modern ({MODERN.about})"
    assert lines[2] == "  3 states, 2 steps, depth 2: all that can be reached"


def test_bounded_exploration_says_so_and_leaves_properties_open() -> None:
    lines = told(counter(10), always("below-9", ~AT_9), max_states=5)
    assert "bound of 5 states REACHED, OR INTERRUPTED, not all was searched" in lines[2]
    assert lines[3].startswith("  open  below-9: ")
    assert lines[-1] == "No property fails within 5 states; 1 are not decided."


def test_failure_within_a_bound_is_a_failure_all_the_same() -> None:
    lines = told(counter(10), always("below-2", ~AT_2), max_states=5)
    assert lines[-1] == "1 of 1 properties fail."


def test_holding_properties_hold_within_the_bounds() -> None:
    lines = told(counter(3), sometimes("gets-to-2", AT_2))
    assert lines[3].startswith("  holds gets-to-2: sometimes ")
    assert lines[-1] == "All 1 properties hold, within these bounds."
    assert not any("Shortest path" in line for line in lines)


def test_counterexample_shows_each_step_with_what_moved() -> None:
    lines = told(counter(4), always("below-2", ~AT_2))
    start = lines.index("Shortest path to a failure of below-2 (2 steps):")
    assert lines[start + 1 : start + 3] == [
        "   1  count   digit: 0 → 1",
        "   2  count   digit: 1 → 2",
    ]
    assert lines[start + 3] == "     now not: not (digit is 2)"


def test_path_that_shows_two_failures_is_shown_once() -> None:
    lines = told(counter(4), always("one", ~AT_2), always("two", ~AT_2))
    assert sum("Shortest path" in line for line in lines) == 1
    assert "The same path shows two." in lines


def test_unreached_example_fails_without_a_path() -> None:
    lines = told(empty(), sometimes("shines", at("lamp", "on")))
    assert lines[-1] == "1 of 1 properties fail."
    assert not any("Shortest path" in line for line in lines)


def test_loop_is_marked_and_counted() -> None:
    lines = told(livelock(always_enabled=False), SETTLES)
    (title,) = [line for line in lines if line.startswith("Shortest path")]
    loop = re.search(r"\((\d+) steps, the last (\d+) for ever\):", title)
    assert loop is not None
    assert sum(line.startswith("↻") for line in lines) == int(loop[2]) > 0


def test_steps_that_break_a_rule_are_red_and_named_in_the_data() -> None:
    found = outcome_of(explore(SYSTEMS["issue-3413"](VARIANTS["buggy"])))
    red = [line for line in lines_of(found, VARIANTS["buggy"]) if line.style == "red"]
    assert red
    assert all("success seen before registration" in line.plain for line in red)
    guilty = [
        step["label"]
        for finding in json.loads(json.dumps(document_of(found, "buggy")))["properties"]
        for step in finding["path"] or ()
        if step["breaks"] == "create-after-register"
    ]
    assert set(guilty) == {"rpc5 bdev_raid_create: success seen before registration"}


def test_document_is_plain_json_and_agrees_with_the_text() -> None:
    claims = (always("below-2", ~AT_2), sometimes("gets-to-2", AT_2), no_deadlock())
    document = data(counter(4), *claims)
    assert json.loads(json.dumps(document)) == document
    properties = document["properties"]
    assert isinstance(properties, list)
    assert [each["name"] for each in properties] == ["below-2", "gets-to-2", "no-deadlock"]
    lines = told(counter(4), *claims)
    words = {True: "holds", False: "fails", None: "open"}
    for line, each in zip(lines[3:6], properties, strict=True):
        assert line == f"  {words[each['holds']]:<6}{each['name']}: {each['claim']}"


def test_every_system_is_listed_with_what_it_is() -> None:
    *systems, variants = list_systems()
    assert [line.partition(": ")[0] for line in systems] == [*SYSTEMS, *LARGE_SYSTEMS]
    assert all(len(line.partition(": ")[2]) > 20 for line in systems)
    assert variants == f"variants: {', '.join(VARIANTS)}"


def test_counterexample_is_drawn_only_where_there_is_one() -> None:
    for system in (deadlock(), broken_mutex()):
        assert draw_system(system, "counterexample") is not None
        assert draw_system(system, "sequence") is not None
    fine = replace(counter(3), properties=(never_breaks("one-reply"),))
    assert draw_system(fine, "counterexample") is None
    assert draw_system(fine, "graph") is not None
