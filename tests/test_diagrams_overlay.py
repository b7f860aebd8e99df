"""Paths over explored graphs, and as sequence charts."""

from __future__ import annotations

import pytest

from bdevcheck.diagrams.dot import draw_exploration, draw_projection
from bdevcheck.diagrams.overlay import draw_overlay
from bdevcheck.diagrams.sequence import draw_sequence, telling_lanes
from bdevcheck.model.compose import System, vector
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machine import declare
from bdevcheck.model.path import Path, Step
from bdevcheck.model.property import never_breaks
from bdevcheck.model.verify import decide

RPC = declare("rpc", ["unsent", "pending", "sent"], [("ask", "unsent", "pending"),
                                                     ("reply", "pending", "sent")])  # fmt: skip
BDEV = declare(
    "bdev",
    ["absent", "made", "registered"],
    [("make", "absent", "made"), ("register", "made", "registered"), ("is_made", "made", "=")],
)
DIE = declare("die", ["idle", *(f"d{n}" for n in range(40))],
              [(f"roll_{n}", "idle", f"d{n}") for n in range(40)])  # fmt: skip


def system(*, noise: bool) -> System:
    """Return a request that may be answered too early, with or without much else going on."""
    vectors = [
        vector("ask", {"rpc": "ask", "bdev": "make"}),
        vector("register", {"bdev": "register"}),
        vector("reply early", {"rpc": "reply", "bdev": "is_made"}, breaks="create-after-register"),
    ]
    if not noise:
        return System("small", {"rpc": RPC, "bdev": BDEV}, tuple(vectors))
    vectors += [vector(f"roll {n}", {"die": f"roll_{n}"}) for n in range(40)]
    return System("large", {"rpc": RPC, "bdev": BDEV, "die": DIE}, tuple(vectors))


def guilty(exploration: Exploration) -> Path:
    """Return the shortest path by which the rule is broken."""
    path = decide(exploration, never_breaks("create-after-register")).path
    assert path is not None
    return path


def lines_with(source: str, text: str) -> list[str]:
    return [line for line in source.splitlines() if text in line]


def test_path_is_red_and_numbered_over_a_whole_graph() -> None:
    exploration = explore(system(noise=False))
    source = draw_overlay(exploration, guilty(exploration)).source
    (ask,) = lines_with(source, "[1] ask")
    (early,) = lines_with(source, "[2] reply early")
    assert 'color="#c8102e"' in ask
    assert "breaks create-after-register" in early
    off = lines_with(source, 'label=" register "')
    assert off
    assert all('color="#c3cad1"' in line for line in off)  # what was not taken is pale


def test_exploration_with_highlight_is_the_overlay() -> None:
    exploration = explore(system(noise=False))
    path = guilty(exploration)
    assert draw_exploration(exploration, path).source == draw_overlay(exploration, path).source


def test_large_graph_shows_the_path_and_counts_the_rest() -> None:
    exploration = explore(system(noise=True))
    assert len(exploration.states) > 60
    source = draw_overlay(exploration, guilty(exploration)).source
    assert lines_with(source, "[2] reply early")
    assert lines_with(source, "… 38 more")  # of 40 rolls at the start, two are named
    assert lines_with(source, "… 39 more")  # once asked, also the registration
    assert len(source.splitlines()) < 40


def test_step_taken_twice_bears_both_numbers() -> None:
    lamp = declare("lamp", ["off", "on"], [("on", "off", "on"), ("off", "on", "off")])
    lit = System(
        "lit", {"lamp": lamp}, (vector("on", {"lamp": "on"}), vector("off", {"lamp": "off"}))
    )
    on, off = Step(lit.vectors[0], (0,), (1,)), Step(lit.vectors[1], (1,), (0,))
    source = draw_overlay(explore(lit), Path((on, off, on), loop=2)).source
    assert lines_with(source, "[1, 3] on")
    assert "the last 2 repeat for ever" in source


def test_projection_takes_the_path_too() -> None:
    exploration = explore(system(noise=True))
    source = draw_projection(exploration, ["rpc", "bdev"], guilty(exploration)).source
    # The same step of other members of the merged states is not drawn beside it.
    assert len(lines_with(source, "reply early")) == 1
    assert lines_with(source, "[2] reply early")


def test_path_of_another_system_is_refused() -> None:
    foreign = guilty(explore(system(noise=True)))
    with pytest.raises(ValueError, match="step 1, 'ask': not among the explored states"):
        draw_overlay(explore(system(noise=False)), foreign)


def test_sequence_has_a_lane_for_each_component_that_moves() -> None:
    whole = system(noise=True)
    source = draw_sequence(whole, guilty(explore(whole))).source
    assert lines_with(source, '"lane rpc" [')
    assert lines_with(source, '"lane bdev" [')
    assert not lines_with(source, '"lane die"')


def test_sequence_connects_the_participants_of_a_step() -> None:
    whole = system(noise=False)
    source = draw_sequence(whole, guilty(explore(whole))).source
    (legal,) = lines_with(source, '"rpc 1" -> "bdev 1"')
    (early,) = lines_with(source, '"rpc 2" -> "bdev 2"')
    assert 'color="#c8102e"' not in legal
    assert 'color="#c8102e"' in early
    (tested,) = lines_with(source, '\t"bdev 2" [')
    assert "dashed" in tested  # tested, not moved
    assert "label=made" in tested


def test_sequence_counts_steps_outside_its_lanes() -> None:
    whole = system(noise=True)
    path = guilty(explore(whole))
    source = draw_sequence(whole, path, lanes=["rpc"]).source
    assert not lines_with(source, '"lane bdev"')
    roll = Step(whole.vectors[3], (1, 1, 0), (1, 1, 1))
    longer = Path((path.steps[0], roll, path.steps[1]))
    assert "… 2 steps not drawn" in draw_sequence(whole, longer, lanes=["rpc"]).source
    assert "… 1 step not drawn" in draw_sequence(whole, longer, lanes=["rpc", "bdev"]).source


def test_telling_lanes_are_those_of_the_decisive_step() -> None:
    whole = system(noise=True)
    assert telling_lanes(whole, guilty(explore(whole))) == ("rpc", "bdev")


def test_unknown_lane_is_refused() -> None:
    whole = system(noise=False)
    with pytest.raises(ValueError, match="no lane 'cat'; there are: rpc, bdev"):
        draw_sequence(whole, guilty(explore(whole)), lanes=["cat"])


def test_empty_path_is_drawn() -> None:
    assert "path of 0 steps" in draw_sequence(system(noise=False), Path(())).source
