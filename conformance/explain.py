"""Explain: from what was concluded to what a person reads, as data.

In the order in which a reader wants it: the rule; the records that contradict each other; what must
have happened in between; the state of each machine; what a conforming target would have done; what
to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.coverage import Span
from bdevcheck.conformance.moment import (
    answer_moment,
    cut,
    json_text,
    line_moment,
    printable,
    reply_moment,
    request_moment,
)
from bdevcheck.conformance.moves import variants_in
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.verdict import Doubt, Moment, Unexplained, Violation
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.raid import DOING, RAID
from bdevcheck.model.rule import CREATE_AFTER_REGISTER, ONE_REPLY, RULES
from bdevcheck.traces.record import Damage, Place, Reply

EVERY_RULE = "every rule"
"""What stands for the rule where a doubt concerns the trace as a whole."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the verdict rests on besides the records: the log's last line, and when it is whole.

    `torn`: some lines of the log cannot be read, so that a contradiction may be theirs.
    """

    log: str = ""
    last: Moment | None = None
    covered: Sequence[Span] = ()
    torn: bool = False


def violation_of(evidence: Evidence, owed: Obligation) -> Violation:
    """Explain one broken promise."""
    rule, call = RULES[owed.rule], owed.call
    effect = line_moment(owed.effect) if owed.effect is not None else None
    late = _late_ns(call, effect)
    states = _states(owed, came=effect is not None)
    words = {
        "method": call.request.method,
        "bdev": printable(owed.blamed),
        "ahead": "" if late is None else f" {late / 1e6:.3f} ms",
        "doing": _doing(states),
    }
    return Violation(
        rule=owed.rule,
        bdev=owed.blamed,
        method=call.request.method,
        headline=rule.headline.format_map(words),
        moments=tuple(_moments(evidence, owed, effect)),
        between=rule.between.format_map(words),
        states={role: " or ".join(names) for role, names in states.items()},
        expected=f"A conforming target would have {rule.expected}.",
        advice=rule.advice,
        late_ns=late,
        known_in=variants_in(owed.variants),
    )


def doubt_of(evidence: Evidence, owed: Obligation) -> Doubt:
    """Say why the trace does not decide one obligation, and what would."""
    return _doubt(owed.rule, owed.bdev, owed.call, *_why_undecided(evidence, owed))


def given_up_doubt(rule: str, bdev: str, call: Call, *, over_budget: bool) -> Doubt:
    """Say that nothing more was concluded about a bdev at some point."""
    why = "too many explanations are possible here to follow them all"
    if not over_budget:
        why = "the trace could not be explained up to here"
    return _doubt(rule, bdev, call, why, "record all connections, and add the target's log")


def torn_doubt(bdev: str, found: Moment) -> Doubt:
    """Say that a log of which lines are lost contradicts itself, or the wire, about a bdev."""
    return Doubt(
        rule=EVERY_RULE,
        bdev=bdev,
        method="",
        reason="nothing explains what the log says here, but some lines of it cannot be read",
        remedy="give a log without damage",
        place=found.place,
    )


def knotted_doubt(bdev: str, found: Moment) -> Doubt:
    """Say that a bdev has the name of one that its own base was built on, and nothing explains it.

    The two are not told apart then, so it is the checker that fails and not the target.
    """
    return Doubt(
        rule=EVERY_RULE,
        bdev=bdev,
        method="",
        reason="nothing explains this, but the bdev has the name of one that its base was built on",
        remedy="repeat it with names of their own",
        place=found.place,
    )


def ambiguous_doubt(rule: str, bdev: str, call: Call) -> Doubt:
    """Say that nobody can tell which reply is whose."""
    why = "several requests with the same id were open, and the reply fits more than one"
    return _doubt(rule, bdev, call, why, "give every open request its own id")


def overdue_doubt(rule: str, bdev: str, call: Call) -> Doubt:
    """Say that a reply came after so many records that its call had been given up."""
    why = "its reply came after more records about the bdev than are held back for one call"
    return _doubt(rule, bdev, call, why, "record without the calls that come in between")


def unexamined_doubt(owed: Obligation) -> Doubt:
    """Say that a charge was taken back: bdevs were not examined when they registered."""
    why = "the target was set to examine bdevs only when asked to, as a later call shows"
    return _doubt(owed.rule, owed.bdev, owed.call, why, "record from the target's start")


def _doubt(rule: str, bdev: str, call: Call, reason: str, remedy: str) -> Doubt:
    place = call.reply.at.place if call.reply is not None else call.request.at.place
    return Doubt(rule, bdev, call.request.method, reason, remedy, place)


def orphan_violation(reply: Reply, before: Call | None) -> Violation:
    """Explain a reply that no request asked for; `before` was answered with the same id."""
    rule = ONE_REPLY
    moments = [request_moment(before)] if before is not None else []
    if before is not None and before.reply is not None:
        moments.append(reply_moment(before.reply))
    moments.append(reply_moment(reply))
    what = cut(f"id {json_text(reply.id)} on connection {reply.conn}")
    answered = f"a second reply to {what}" if before else f"a reply to {what}, which nobody sent"
    return Violation(
        rule=rule.name,
        bdev="",
        method=before.request.method if before else "",
        headline=rule.headline.format(answered=answered),
        moments=tuple(moments),
        between=rule.between,
        states={},
        expected=f"A conforming target would have {rule.expected}.",
        advice=rule.advice,
    )


def orphan_doubt(reply: Reply) -> Doubt:
    """Say why a reply without a request proves nothing here."""
    return Doubt(
        rule=ONE_REPLY.name,
        bdev="",
        method="",
        reason="a reply without a request, on a connection whose start is not in the trace",
        remedy="record from the start of the connection",
        place=reply.at.place,
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


def unexplained_of(bdev: str, found: Moment, expected: Iterable[str]) -> Unexplained:
    """Say which record no run of the model fits, and what could have come instead."""
    return Unexplained(bdev, found, tuple(expected))


# -- moments -------------------------------------------------------------------------------------


def _moments(evidence: Evidence, owed: Obligation, effect: Moment | None) -> Iterator[Moment]:
    call = owed.call
    assert call.reply is not None
    yield request_moment(call)
    yield reply_moment(call.reply)
    rest = [proof] if (proof := _proof(evidence, owed, effect)) is not None else []
    rest += [effect] if effect is not None else []
    rest += [
        answer_moment(other, other.reply, key=False)
        for other in owed.lookups
        if other.reply is not None and _is_before(other.reply, effect)
    ]
    unique = {str(moment.place): moment for moment in reversed(rest)}
    yield from sorted(unique.values(), key=_when)


def _when(moment: Moment) -> tuple[int, int]:
    return (moment.wall_ns if moment.wall_ns is not None else 0, moment.place.line)


def _is_before(reply: Reply, effect: Moment | None) -> bool:
    return effect is None or (reply.at.wall_ns or 0) <= (effect.wall_ns or 0)


def _proof(evidence: Evidence, owed: Obligation, effect: Moment | None) -> Moment | None:
    """Return the record that contradicts the reply; None where that is the reply itself."""
    if owed.proves:
        return owed.certain
    if effect is not None:
        return effect
    if evidence.last is None or not RULES[owed.rule].effect:
        return None
    text = f"up to here the log has no line that {printable(owed.blamed)} is registered"
    return replace(evidence.last, text=text, key=True)


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
    reply = owed.call.reply
    at = reply.at.wall_ns if reply is not None else None
    return at is not None and any(start <= at <= end for start, end in evidence.covered)


def _why_undecided(evidence: Evidence, owed: Obligation) -> tuple[str, str]:
    if not evidence.log:
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
