"""`state-gating`: what is carried out or refused agrees with one life of the framework."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.watch.event import Answered, Asked, Event, Lost
from bdevcheck.conformance.watch.gate import ANYWHERE, after, ways_of
from bdevcheck.conformance.watch.outcome import Outcome
from bdevcheck.conformance.watch.run import events_of
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.state_gating import StateGating
from bdevcheck.model.catalogue import methods
from bdevcheck.model.machines.framework import FRAMEWORK
from bdevcheck.traces.record import Place
from tests.builder import Script, wire_of
from tests.requested import TOO_EARLY, TOO_LATE, fail, ok, refuse, tell
from tests.watched import doubts_in, kept_in, outcomes_of, tally_of_recordings, violations_in

SET, START, LIST = "bdev_set_options", "framework_start_init", "bdev_get_bdevs"
WAIT, EITHER = "framework_wait_init", "rpc_get_methods"


def judged(script: Script) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, StateGating, log=False)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def running(ms: float = 0) -> Script:
    """Return a target that has listed bdevs: its framework is initialised."""
    return ok(Script(), ms, LIST, [])


# -- violations ------------------------------------------------------------------------------------


def test_startup_method_carried_out_after_a_runtime_method_is_a_violation() -> None:
    (found,) = violations_in(outcomes_of(ok(running(), 10, SET), StateGating, log=False))
    assert found.headline == f"{SET} was carried out in the wrong state of the framework."
    assert found.states == {"framework": "runtime"}
    assert [moment.key for moment in found.moments] == [True, False, True]
    assert f"{LIST} had shown before that the framework was runtime" in found.between


def test_runtime_method_refused_after_initialisation_was_answered_is_a_violation() -> None:
    script = ok(ok(Script(), 0, SET), 10, START).request(20, LIST)
    (found,) = violations_in(outcomes_of(refuse(script, 24, TOO_EARLY), StateGating, log=False))
    assert found.headline == f"{LIST} was refused in the wrong state of the framework."


def test_runtime_method_refused_after_the_wait_for_initialisation_is_a_violation() -> None:
    script = ok(Script(), 0, WAIT).request(10, LIST)
    assert judged(refuse(script, 14, TOO_EARLY)) == (0, 1, 0)


def test_runtime_method_carried_out_before_initialisation_is_a_violation_once_that_is_asked() -> (
    None
):
    script = ok(ok(ok(Script(), 0, SET), 5, SET), 10, LIST, [])
    assert judged(script) == (0, 0, 1)
    assert judged(ok(script, 20, START)) == (0, 1, 1)


def test_method_for_both_states_that_is_refused_is_a_violation() -> None:
    script = refuse(Script().request(0, EITHER), 4)
    (found,) = violations_in(outcomes_of(script, StateGating, log=False))
    assert "In whatever state" in found.between


def test_after_a_violation_the_last_reply_is_believed() -> None:
    script = ok(ok(running(), 10, SET), 20, SET)
    assert judged(script)[1] == 1
    assert judged(ok(ok(script, 30, START), 40, SET))[1] == 2


def test_what_was_open_during_a_violation_is_not_judged_by_it() -> None:
    script = ok(Script().request(0, SET, conn=2), 1, LIST, [])
    assert judged(ok(script, 10, START).reply(20, True, conn=2)) == (0, 1, 0)


def test_violation_can_be_shown_on_another_connection() -> None:
    script = ok(running(), 10, SET, conn=2)
    assert judged(script) == (0, 1, 0)


# -- what is kept ----------------------------------------------------------------------------------


def test_startup_methods_before_initialisation_are_kept_once_it_is_answered() -> None:
    script = ok(ok(Script(), 0, SET), 10, SET)
    assert judged(script) == (0, 0, 0)
    assert judged(ok(script, 20, START)) == (2, 0, 0)


def test_startup_methods_do_not_vouch_for_each_other() -> None:
    """In a target that gates nothing, all of them succeed."""
    script = Script()
    for ms in range(0, 100, 10):
        ok(script, ms, SET)
    assert judged(script) == (0, 0, 0)


def test_startup_method_refused_in_runtime_is_kept() -> None:
    assert judged(refuse(running().request(10, SET), 14)) == (1, 0, 0)
    assert judged(refuse(running().request(10, START), 14)) == (1, 0, 0)


def test_runtime_method_refused_before_initialisation_is_kept_once_it_is_answered() -> None:
    script = refuse(Script().request(0, LIST), 4, TOO_EARLY)
    assert judged(script) == (0, 0, 0)
    assert judged(ok(script, 10, START)) == (1, 0, 0)


def test_refusal_that_nothing_before_decides_is_no_obligation() -> None:
    assert judged(ok(refuse(Script().request(0, SET), 4), 10, LIST, [])) == (0, 0, 0)


def test_ordinary_calls_put_nothing_to_the_test() -> None:
    assert judged(ok(ok(running(), 10, LIST, []), 20, EITHER, [])) == (0, 0, 0)


def test_start_is_judged_once_the_target_is_initialised() -> None:
    script = ok(ok(Script(), 0, START), 10, LIST, [])
    assert judged(refuse(script.request(20, SET), 24)) == (1, 0, 0)


# -- what explains it otherwise --------------------------------------------------------------------


def test_runtime_method_pipelined_behind_the_start_may_be_refused_before_it_is_answered() -> None:
    script = ok(Script(), 0, SET).request(10, START, id="s").request(10.1, LIST, id="l")
    refuse(script, 14, TOO_EARLY)
    assert judged(script.reply(30, True, id="s")) == (1, 0, 0)


def test_call_that_was_open_meanwhile_is_no_violation() -> None:
    """It may have been carried out before what the other reply shows."""
    script = Script().request(0, SET, conn=2)
    ok(script, 1, LIST, [])
    assert judged(script.reply(6, True, conn=2)) == (0, 0, 0)


def test_call_that_was_asked_before_a_connection_was_known_is_no_violation() -> None:
    """Nothing was known when it was asked, though its number is known by now."""
    script = Script().request(0, SET, conn=2)
    ok(script, 1, EITHER, [], conn=3).close(6, 3)
    ok(script, 7, LIST, [])
    assert judged(script.reply(12, True, conn=2)) == (0, 0, 0)


def test_target_may_be_another_one_when_no_connection_is_open() -> None:
    script = running().close(5)
    assert judged(ok(script, 10, SET, conn=2)) == (0, 0, 0)


def test_connection_that_was_never_answered_does_not_hold_a_target() -> None:
    """The recorder may hold it alone, without a target behind it."""
    script = running().request(1, LIST, conn=3, id="x").close(5)
    assert judged(ok(script, 10, SET, conn=2)) == (0, 0, 0)


def test_target_that_closes_a_connection_may_have_ended() -> None:
    script = ok(running(), 5, EITHER, conn=3).close(9, 3, by="target")
    assert judged(ok(script, 10, SET, conn=2)) == (0, 0, 0)


def test_connection_that_stays_open_holds_the_target() -> None:
    script = ok(running(), 5, EITHER, conn=3).close(9, 3)
    assert judged(ok(script, 10, SET, conn=2)) == (0, 1, 0)


def test_nothing_is_known_after_lost_records() -> None:
    events = _events(ok(ok(running(), 10, EITHER, []), 20, SET))
    assert len(violations_in(_told(events))) == 1
    assert violations_in(_told([*events[:-4], Lost(Place("wire", 1)), *events[-4:]])) == []


def _events(script: Script) -> list[Event]:
    trace = script.trace(log=False)
    calls = pair(wire_of(trace).records).calls
    return [each for each in events_of(trace, calls) if isinstance(each, Asked | Answered)]


def _told(events: list[Event]) -> list[Outcome]:
    watch = StateGating(Setting())
    return [outcome for event in events for outcome in watch.take(event)]


def test_other_client_may_have_started_the_framework() -> None:
    """That is a doubt, and one only. (The first of them may be read right behind the start.)"""
    script = ok(ok(ok(Script(), 0, SET), 5, SET), 10, LIST, [])
    (doubt,) = doubts_in(outcomes_of(ok(script, 20, LIST, []), StateGating, log=False))
    assert "another one may have" in doubt.reason
    assert judged(script.close(30)) == (0, 0, 1)


def test_start_that_a_client_of_the_trace_has_asked_for_explains_it() -> None:
    script = ok(ok(Script(), 0, SET), 5, SET).request(10, START, conn=2)
    assert judged(ok(script, 11, LIST, [])) == (0, 0, 0)


def test_minus_one_with_another_text_is_no_refusal() -> None:
    """-1 is EPERM, too (LIFECYCLE 2.3)."""
    script = ok(Script(), 0, START).request(10, LIST)
    assert judged(fail(script, 14, -1, "Operation not permitted")) == (0, 0, 0)


def test_errors_of_a_method_say_nothing() -> None:
    script = fail(running().request(10, SET), 14, -32602, "Invalid parameters")
    assert judged(script) == (0, 0, 0)
    assert judged(fail(ok(Script(), 0, START).request(10, LIST), 14, -19, TOO_EARLY)) == (0, 0, 0)


def test_ambiguous_replies_prove_nothing() -> None:
    examined = "bdev_wait_for_examine"
    script = running().request(10, SET, id=7).request(10, examined, id=7)
    assert judged(script.reply(14, True, id=7).reply(15, True, id=7)) == (0, 0, 0)
    script = running().request(10, SET, id=7).request(10, examined, id=8)
    assert judged(script.reply(14, True, id=7).reply(15, True, id=8)) == (0, 1, 0)


def test_method_without_a_row_proves_nothing() -> None:
    assert judged(refuse(ok(running(), 10, "my_plugin").request(20, "my_plugin"), 24)) == (0, 0, 0)


@pytest.mark.parametrize(("commit", "doubts"), [("3230130e6a", 1), ("d005e023bd", 0)])
def test_target_of_a_version_that_is_not_known_is_doubted(commit: str, doubts: int) -> None:
    script = ok(tell(running(), 10, commit), 20, SET)
    assert judged(script) == (0, 1 - doubts, doubts)


# -- against a target that keeps to it -------------------------------------------------------------

STEPS = ("ask", "ask", "ask", "carry_out", "carry_out", "answer", "answer", "start", "ready", "end")


@st.composite
def lives(draw: st.DrawFn) -> Script:
    """Return what a recorder sees of a target that gates as SPDK does, some clients unseen."""
    script = Script()
    state = draw(st.sampled_from(["startup", "runtime"]))
    asked: list[tuple[str, str, int]] = []
    done: list[tuple[str, int, str]] = []
    pending: list[tuple[str, int, str]] = []
    gone: set[int] = set()
    steps = draw(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99)), max_size=40))
    for number, (step, choice) in enumerate(steps):
        conn = choice % 3 + 1
        if step == "ask" and conn not in gone:
            method = (SET, LIST, START, WAIT, EITHER)[choice % 5]
            asked.append((method, f"r{number}", conn))
            script.request(number, method, conn=conn, id=f"r{number}")
        elif step == "carry_out" and asked:
            method, id, conn = asked.pop(choice % len(asked))
            outcome = _carried_out(method, state)
            (pending if outcome == "later" else done).append((id, conn, outcome))
            state = "initialising" if (method, outcome) == (START, "later") else state
        elif step == "start" and state == "startup":
            state = "initialising"
        elif step == "ready" and state == "initialising":
            state = "runtime"
            done += [(id, conn, "ok") for id, conn, _ in pending]
            pending = []
        elif step == "answer" and done and state != "initialising":
            id, conn, outcome = done.pop(choice % len(done))
            if conn not in gone:
                _answer(script, number, id, conn, outcome)
        elif step == "end" and choice < 10 and conn in script.conns and conn not in gone:
            gone.add(conn)
            script.close(number, conn)
    return script


def _carried_out(method: str, state: str) -> str:
    if method == EITHER:
        return "ok"
    if method == WAIT:
        return "ok" if state == "runtime" else "later"
    if method == LIST:
        return "ok" if state == "runtime" else TOO_EARLY
    if state == "runtime":
        return TOO_LATE
    return "later" if method == START and state == "startup" else "ok" if method == SET else "never"


def _answer(script: Script, ms: int, id: str, conn: int, outcome: str) -> None:
    if outcome == "ok":
        script.reply(ms, True, conn=conn, id=id)
    elif outcome != "never":
        script.latest[conn] = id
        refuse(script, ms, outcome, conn=conn)


@given(lives())
def test_conforming_target_is_never_accused(script: Script) -> None:
    assert judged(script)[1] == 0


# -- the machine -----------------------------------------------------------------------------------


def test_nothing_that_is_let_through_is_refused_in_the_same_state() -> None:
    for row in methods().values():
        through, refused = (ways_of(row, refused=each) for each in (False, True))
        for state in FRAMEWORK.sources("reads"):
            outcomes = [
                any(FRAMEWORK.step(state, way[0]) is not None for way in ways or ())
                for ways in (through, refused)
            ]
            assert through is None or sum(outcomes) == 1 or row.contract != "plain", row.name


def test_refusal_is_no_failure_to_initialise() -> None:
    assert ways_of(methods()[START], refused=True) == (("refuses_startup", "sends"),)


def test_whatever_is_seen_first_is_possible() -> None:
    for row in methods().values():
        ways = ways_of(row, refused=False)
        assert ways is None or after(ANYWHERE, ways, strangers=False), row.name


# -- recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_state_gating(shared: Path, log: bool) -> None:
    total, odd = tally_of_recordings(shared, [StateGating], log=log)
    assert (total, odd) == ({("state-gating", "kept"): 39}, {})
