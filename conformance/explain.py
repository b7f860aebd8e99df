"""Explain: from what was concluded to what a person reads, as data.

In the order in which a reader wants it: the rule; the records that contradict each other; what must
have happened in between; the state of each machine; what a conforming target would have done; what
to do about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from bdevcheck.conformance.call import Call, Orphan
from bdevcheck.conformance.judge import Judgement
from bdevcheck.conformance.moment import (
    answer_moment,
    cut,
    line_moment,
    printable,
    reply_moment,
    request_moment,
)
from bdevcheck.conformance.moves import SHOWN, variants_in
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.schedule import Action, Kind
from bdevcheck.conformance.verdict import Doubt, Moment, Unexplained, Violation
from bdevcheck.model.catalogue import base_names, bdev_names
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.raid import DOING, RAID
from bdevcheck.model.rule import CREATE_AFTER_REGISTER, ONE_REPLY, RULES
from bdevcheck.traces.record import Damage, Place, id_key

if TYPE_CHECKING:
    from bdevcheck.conformance.check import Evidence

EVERY_RULE = "every rule"
"""What stands for the rule where a doubt concerns the trace as a whole."""

_MAX_LOOKUPS = 3


def violation_of(evidence: Evidence, owed: Obligation) -> Violation:
    """Explain one broken promise."""
    rule, call = RULES[owed.rule], owed.subject.call
    bdev = owed.blamed or owed.bdev
    effect = _effect_after(evidence, owed, bdev)
    late = _late_ns(call, effect)
    states = _states(owed, came=effect is not None)
    words = {
        "method": call.request.method,
        "bdev": printable(bdev),
        "ahead": "" if late is None else f" {late / 1e6:.3f} ms",
        "doing": _doing(states),
    }
    return Violation(
        rule=owed.rule,
        bdev=bdev,
        method=call.request.method,
        headline=rule.headline.format_map(words),
        moments=tuple(_moments(evidence, owed, bdev, effect)),
        between=rule.between.format_map(words),
        states={role: " or ".join(names) for role, names in states.items()},
        expected=f"A conforming target would have {rule.expected}.",
        advice=rule.advice,
        late_ns=late,
        known_in=variants_in(owed.variants),
    )


def doubt_of(evidence: Evidence, owed: Obligation) -> Doubt:
    """Say why the trace does not decide one obligation, and what would."""
    reason, remedy = _why_undecided(evidence, owed)
    call = owed.subject.call
    place = call.reply.at.place if call.reply is not None else call.request.at.place
    return Doubt(owed.rule, owed.bdev, call.request.method, reason, remedy, place)


def orphan_violation(evidence: Evidence, orphan: Orphan) -> Violation:
    """Explain a reply that no request asked for."""
    rule, reply = ONE_REPLY, orphan.reply
    asked = [
        call
        for call in evidence.pairing.calls
        if call.reply is not None
        and call.request.conn == reply.conn
        and id_key(call.request.id) == id_key(reply.id)
        and call.request.at.seq < reply.at.seq
    ]
    before = asked[-1:]
    moments = [request_moment(call) for call in before]
    moments += [reply_moment(call.reply) for call in before if call.reply is not None]
    moments.append(reply_moment(reply))
    what = cut(f"id {json.dumps(reply.id, default=str)} on connection {reply.conn}")
    answered = f"a second reply to {what}" if before else f"a reply to {what}, which nobody sent"
    return Violation(
        rule=rule.name,
        bdev="",
        method=before[0].request.method if before else "",
        headline=rule.headline.format(answered=answered),
        moments=tuple(moments),
        between=rule.between,
        states={},
        expected=f"A conforming target would have {rule.expected}.",
        advice=rule.advice,
    )


def orphan_doubt(orphan: Orphan) -> Doubt:
    """Say why a reply without a request proves nothing here."""
    return Doubt(
        rule=ONE_REPLY.name,
        bdev="",
        method="",
        reason="a reply without a request, on a connection whose start is not in the trace",
        remedy="record from the start of the connection",
        place=orphan.reply.at.place,
    )


def damage_doubt(damage: Damage) -> Doubt:
    """Say that a damaged recording cannot pass, whatever is left of it."""
    return Doubt(
        rule=EVERY_RULE,
        bdev="",
        method="",
        reason=f"the recording is damaged: {damage.reason}",
        remedy="record again, or repair the place",
        place=damage.place,
    )


def silence_doubt(call: Call) -> Doubt:
    """Say that creates were asked for, and none of them was answered."""
    return Doubt(
        rule=CREATE_AFTER_REGISTER.name,
        bdev="",
        method=call.request.method,
        reason="creates were asked for, but none was answered with success",
        remedy="record until the replies have come (before v26.05 an array of requests is refused)",
        place=call.request.at.place,
    )


def idle_doubt(source: str) -> Doubt:
    """Say that a trace puts no rule to the test."""
    return Doubt(
        rule=EVERY_RULE,
        bdev="",
        method="",
        reason="nothing to judge: the trace exercises no rule",
        remedy="record the calls that create, look for, wait for or delete bdevs",
        place=Place(source, 1),
    )


def unexplained_of(judgement: Judgement) -> Unexplained:
    """Say which record no run of the model fits, and what could have come instead."""
    action = judgement.failed_at
    assert action is not None
    bdev = action.line.fact.name if action.line is not None and action.line.fact else ""
    if action.subject is not None:
        bdev = next(iter((*action.subject.bdevs, *action.subject.bases)), "")
    moment = _action_moment(action)
    return Unexplained(bdev, moment, judgement.expected)


# -- moments -------------------------------------------------------------------------------------


def _moments(
    evidence: Evidence, owed: Obligation, bdev: str, effect: Moment | None
) -> Iterator[Moment]:
    call = owed.subject.call
    assert call.reply is not None
    yield request_moment(call)
    yield reply_moment(call.reply)
    proof = _proof(evidence, owed, effect)
    rest = [proof, *([effect] if effect is not None else [])]
    rest += islice(_failed_lookups(evidence, call, bdev, effect), _MAX_LOOKUPS)
    unique = {str(moment.place): moment for moment in reversed(rest)}
    yield from sorted(unique.values(), key=_when)


def _when(moment: Moment) -> tuple[int, int]:
    return (moment.wall_ns if moment.wall_ns is not None else 0, moment.place.line)


def _proof(evidence: Evidence, owed: Obligation, effect: Moment | None) -> Moment:
    """Return the record that contradicts the reply."""
    certain = owed.certain
    own = certain is None or (certain.subject is owed.subject)
    if certain is not None and not own and certain.kind is not Kind.COVERED:
        return _action_moment(certain)
    if effect is not None:
        return effect
    log = evidence.trace.log
    if log is None:
        assert certain is not None
        return _action_moment(certain)
    return Moment(
        place=log.last_place,
        lane="target",
        text=f"up to here the log has no line that {owed.blamed or owed.bdev} is registered",
        wall_ns=log.last_ns,
        key=True,
    )


def _effect_after(evidence: Evidence, owed: Obligation, bdev: str) -> Moment | None:
    """Return the first sign, after the reply, that what was promised has happened."""
    reply = owed.subject.call.reply
    assert reply is not None
    wanted = SHOWN.get(RULES[owed.rule].effect)
    since = reply.at.wall_ns or 0
    for line in evidence.lines:
        at = line.at.wall_ns
        if line.fact and (line.fact.kind, line.fact.name) == (wanted, bdev) and (at or 0) > since:
            return line_moment(line)
    return None


def _failed_lookups(
    evidence: Evidence, call: Call, bdev: str, effect: Moment | None
) -> Iterator[Moment]:
    """Yield the calls that failed because the bdev was not there yet, in order."""
    assert call.reply is not None
    for other in evidence.pairing.calls[call.number + 1 :]:
        reply, method = other.reply, other.method
        late = reply is not None and other.request.at.seq > call.reply.at.seq
        if not late or reply is None or method is None or reply.error is None:
            continue
        if effect and (reply.at.wall_ns or 0) > (effect.wall_ns or 0):
            return
        params = other.request.params
        asked = (*bdev_names(method, params, None), *base_names(method, params))
        if reply.error.code in method.missing and bdev in asked:
            yield answer_moment(other, reply, key=False)


def _action_moment(action: Action) -> Moment:
    if action.line is not None:
        return line_moment(action.line)
    assert action.subject is not None
    call = action.subject.call
    if action.kind is Kind.REQUEST or call.reply is None:
        return request_moment(call)
    return answer_moment(call, call.reply, key=True)


# -- sentences -----------------------------------------------------------------------------------


def _late_ns(call: Call, effect: Moment | None) -> int | None:
    if effect is None or effect.wall_ns is None or call.reply is None:
        return None
    return None if call.reply.at.wall_ns is None else effect.wall_ns - call.reply.at.wall_ns


def _states(owed: Obligation, *, came: bool) -> dict[str, tuple[str, ...]]:
    """Return what each machine can have been in; one that got there in the end was not stuck."""
    stuck = (
        {name for machine in (BDEV, RAID) for name in machine.sources("is_stuck")} if came else ()
    )
    return {
        role: tuple(name for name in names if name not in stuck)
        for role, names in owed.states.items()
    }


def _doing(states: Mapping[str, tuple[str, ...]]) -> str:
    """Say what a raid was at, or nothing."""
    words = " or ".join(DOING[name] for name in states.get("raid", ()) if name in DOING)
    return f": {words}" if words else ""


def _is_covered(evidence: Evidence, owed: Obligation) -> bool:
    """Tell whether the log shows registrations at the time of the reply, tolerance aside."""
    reply = owed.subject.call.reply
    at = reply.at.wall_ns if reply is not None else None
    return at is not None and any(start <= at <= end for start, end in evidence.covered)


def _why_undecided(evidence: Evidence, owed: Obligation) -> tuple[str, str]:
    if owed.why_not:
        return owed.why_not, "give every open request its own id"
    log = evidence.trace.log
    if log is None:
        return (
            "registration was not observed: there is no log of the target, and look-ups alone "
            "cannot prove that it came in time",
            "give the target's log, recorded with log flag bdev at level DEBUG (debug build)",
        )
    if not owed.covered and not _is_covered(evidence, owed):
        return (
            "registration was not observed: the log shows no registrations at this time",
            "switch on log flag bdev and print level DEBUG for the whole run (debug build)",
        )
    return (
        "what was seen fits both: events lie too close together, or their cause is not in the "
        "trace",
        "narrow --tolerance if both clocks are the same, or record all connections",
    )
