"""Judge one step of a stack: what a record does to its belief, and what becomes of its promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from bdevcheck.conformance.belief import COST_MARGIN, Line
from bdevcheck.conformance.moves import FAULT_COST
from bdevcheck.conformance.note import Note, Tag
from bdevcheck.conformance.part import ROOT, Outcome, Part
from bdevcheck.conformance.population import Asked, Due, Population, is_by_hand
from bdevcheck.model.contract import DEFERRAL
from bdevcheck.model.rule import (
    CREATE_AFTER_REGISTER,
    DELETE_AFTER_UNREGISTER,
    LOOKUP_CONSISTENCY,
    WAIT_COVERS_EXAMINE,
    Rule,
)

MAX_DUES = 64
"""How many of the latest promises of a stack wait for later records to decide them."""
MAX_LOOKUPS = 4
"""How many of the latest look-ups of a stack may turn out to have been wrong."""

Fate = str
"""What became of a promise: a member of `Tally`."""

KEPT, VIOLATED, UNDECIDED, EXEMPT = "kept", "violated", "undecided", "exempt"


class Guilt(NamedTuple):
    """The reply to a promise was seen, and some explanation breaks it.

    `states` are what the machines can have been in then, by role; `variants` who is known to do so;
    `covered` whether the log would have shown a registration.
    """

    tag: Tag
    states: tuple[tuple[str, tuple[str, ...]], ...]
    variants: int
    covered: bool


class Blame(NamedTuple):
    """From now on (or no longer) every explanation worth believing breaks the promise."""

    tag: Tag
    holds: bool


class Settled(NamedTuple):
    """What became of a promise, for good."""

    tag: Tag
    fate: Fate


Finding: TypeAlias = Guilt | Blame | Settled


RULE_OF: Mapping[str, Rule] = {
    "create": CREATE_AFTER_REGISTER,
    "delete": DELETE_AFTER_UNREGISTER,
    "lookup": LOOKUP_CONSISTENCY,
    "use": LOOKUP_CONSISTENCY,
    "wait": WAIT_COVERS_EXAMINE,
}
"""The rule that the reply to a call must keep, by what its method is for."""


# -- calls ---------------------------------------------------------------------------------------


def request(alive: Population, part: Part) -> tuple[int, list[Finding]]:
    """Let a request begin; return the slot of its call."""
    slot = alive.free_slot()
    names = [*part.bdevs, *part.bases]
    alive.introduce([name for name in names if name in part.named], named=True)
    alive.introduce(names, named=False)
    match part.method.kind:
        case "create" if part.has_effect:
            _create(alive, part, slot)
        case "delete" if part.has_effect:
            _delete(alive, part, slot)
        case "lookup" | "use":
            _lookup(alive, part, slot)
        case "wait" if part.outcome is Outcome.DONE:
            _wait(alive, part, slot)
        case "detach":
            alive.loosen(names)
        case "shutdown":
            alive.loosen()
    if is_by_hand(part) and part.has_effect:
        alive.examined |= set(part.bases)
        alive.ask(Asked(part, f"rpc {slot}.0", slot))
        alive.changed()
    return slot, _note(alive)


def _create(alive: Population, part: Part, slot: int) -> None:
    for number, name in enumerate(part.bdevs):
        rpc = f"rpc {slot}.{number}"
        thing = alive.make(part, slot, name, rpc)
        rule = _owe(alive, part, name, slot)
        alive.ask(Asked(part, rpc, slot, name, rule, thing.bdev))


def _delete(alive: Population, part: Part, slot: int) -> None:
    if part.method.reply == "at-initiation":
        alive.loosen([*part.bdevs, *part.bases])
        return
    for number, name in enumerate(part.bdevs):
        rule = _owe(alive, part, name, slot)
        alive.ask(Asked(part, f"rpc {slot}.{number}", slot, name, rule))


def _lookup(alive: Population, part: Part, slot: int) -> None:
    asked = tuple(dict.fromkeys((*part.bdevs, *part.bases)))
    if part.outcome not in (Outcome.DONE, Outcome.MISSING) or (part.listed is None and not asked):
        return
    found, missed = (asked, ()) if part.outcome is Outcome.DONE else ((), asked)
    name = ROOT if part.listed is not None or ROOT in asked else asked[0]
    rule = _owe(alive, part, name, slot)
    alive.ask(Asked(part, f"rpc {slot}.0", slot, name, rule, "", found, missed))


def _wait(alive: Population, part: Part, slot: int) -> None:
    rule = _owe(alive, part, ROOT, slot)
    alive.ask(Asked(part, f"rpc {slot}.0", slot, ROOT, rule))


def _owe(alive: Population, part: Part, name: str, slot: int) -> str:
    """Enter what the call owes; each promise is judged by the stack of the bdev it is about."""
    if part.outcome is Outcome.UNKNOWN or name != ROOT:
        return ""
    rule = RULE_OF[part.method.kind].name
    alive.owed[rule, name, slot] = Due()
    return rule


def reply(alive: Population, slot: int) -> list[Finding] | None:
    """Let the reply of a call be seen; None where no explanation allows it."""
    alive.close()
    findings: list[Finding] = []
    for asked in [each for each in alive.asked.values() if each.slot == slot]:
        steps = list(alive.reply_moves(asked))
        if steps and not is_by_hand(asked.part):
            alive.belief.offer(move for move, clause in steps if clause.reply)
            sends = [move for move, clause in steps if clause.events.get("rpc") == "send_ok"]
            if not alive.belief.observe(sends):
                return None
            if asked.rule:
                tag = (asked.rule, asked.bdev, slot)
                alive.owed[tag] = alive.owed[tag]._replace(replied=True, dear=_is_dear(alive))
                if asked.rule != LOOKUP_CONSISTENCY.name:
                    findings += _guilt(alive, tag, asked)
        alive.answer(asked.rpc)
    findings += _note(alive)
    if not alive.asked and _owes_only_deletes(alive):  # no later record may come to settle them
        alive.close()
        findings += _note(alive)
    return findings


def _owes_only_deletes(alive: Population) -> bool:
    """Tell whether all that is open are promises of deletes."""
    return bool(alive.owed) and all(tag[0] == DELETE_AFTER_UNREGISTER.name for tag in alive.owed)


def _is_dear(alive: Population) -> bool:
    """Tell whether what was just seen raised the price of the cheapest explanation by a fault."""
    return min(note.cost for note in alive.belief.notes.values()) >= FAULT_COST


def _guilt(alive: Population, tag: Tag, asked: Asked) -> Iterator[Guilt]:
    """Yield what the machines are in, and which versions do this, if the promise is broken."""
    belief = alive.belief
    notes = belief.notes.values()
    costs = [note.cost for note in notes if tag in note.may]
    if not costs:
        return
    guilty = [
        (state, note)
        for state, note in zip(belief.name_states(), notes, strict=True)
        if note.cost == min(costs) and tag in note.may
    ]
    variants = 0
    for _, note in guilty:
        variants |= note.variants
    states = tuple(
        (role, tuple(sorted({state[part] for state, _ in guilty})))
        for role, part in _parts_of(alive, asked)
    )
    yield Guilt(tag, states, variants, belief.covered)


def _parts_of(alive: Population, asked: Asked) -> Sequence[tuple[str, str]]:
    thing = next((each for each in alive.things if each.bdev == asked.thing), None)
    if thing is None:
        return ()
    return [("bdev", thing.bdev), *([("raid", thing.raid)] if thing.raid else [])]


# -- the log, and the target ---------------------------------------------------------------------


def line_may(alive: Population, line: Line, later: int) -> list[Finding] | None:
    """Let a line be printed from now on; `later` of those that already may be stand behind it."""
    alive.introduce([line[1]], named=True)
    alive.belief.expect(line, later)
    alive.reopened()
    return _note(alive)


def line_must(alive: Population) -> list[Finding] | None:
    """Let the first line have been printed by now; None where no explanation has printed it."""
    alive.close()
    return _note(alive) if alive.belief.require_line() else None


def cover(alive: Population, covered: bool) -> list[Finding] | None:
    """Let the log show every registration from now on, or no longer."""
    if covered:
        alive.close()
    alive.belief.covered = covered
    alive.reopened()
    return _note(alive)


def target_left(alive: Population) -> list[Finding] | None:
    """Let the target have ended, and every bdev with it."""
    alive.loosen()
    return _note(alive)


def auto_examine_off(alive: Population) -> list[Finding] | None:
    """Let bases be examined only by hand from now on."""
    alive.auto_examine = False
    alive.changed()
    return _note(alive)


def forget_strangers(alive: Population) -> list[Finding] | None:
    """Let names go that nothing is about any more."""
    alive.forget_strangers()
    return _note(alive)


# -- the books -----------------------------------------------------------------------------------


def _note(alive: Population) -> list[Finding]:
    """Say what is certain now: who is to blame, and what is settled for good.

    A promise is settled when all explanations agree on it: whatever comes, they will. What only
    the cheapest share may be given back, when a later record makes another explanation cheaper.
    """
    findings: list[Finding] = []
    if alive.owed:
        total = alive.belief.summary()
        blamed = total.must | total.best
        for tag, due in alive.owed.items():
            if due.blamed != (tag in blamed):
                findings.append(Blame(tag, holds=not due.blamed))
                alive.owed[tag] = due._replace(blamed=not due.blamed)
        findings += _settle(alive, total)
    alive.belief.rebase()
    if not alive.owed and not alive.asked:
        _come_to_rest(alive)
    alive.forget_the_dead()
    return findings


def _come_to_rest(alive: Population) -> None:
    """Let explanations go that need a fault nobody has heard of, once nothing hangs on them.

    While the bdev lives in one of the others, they do: its create may turn out to have lied.
    """
    alive.belief.forget_tags()
    likely = alive.belief.copy()
    likely.drop_dearer(FAULT_COST - 1)
    if alive.is_over_in(likely):
        alive.belief = likely


def _settle(alive: Population, total: Note) -> Iterator[Settled]:
    """Settle what all explanations agree on: whatever comes, they will.

    Without a log, where every record could be a lie, those count that need no unheard-of fault. A
    look-up that only such a fault accuses is taken for true, at once if it was no surprise, else
    when a few more have been answered.
    """
    replied = [tag for tag, due in alive.owed.items() if due.replied]
    lookups = [tag for tag in replied if tag[0] == LOOKUP_CONSISTENCY.name]
    old = {
        *lookups[: max(0, len(lookups) - MAX_LOOKUPS)],
        *replied[: max(0, len(replied) - MAX_DUES)],
    }
    gone: set[Tag] = set()
    for tag in replied:
        fate = _fate_so_far(alive, tag, total, is_old=tag in old)
        if fate:
            yield Settled(tag, fate)
            gone |= {tag, exemption(tag)}
            del alive.owed[tag]
    if gone:
        alive.belief.settle(frozenset(gone))


def _fate_so_far(alive: Population, tag: Tag, total: Note, *, is_old: bool) -> Fate:
    """Return what became of a promise, empty while later records may tell."""
    fate = fate_of(alive, tag, total)
    if fate == KEPT:
        return fate
    limit = COST_MARGIN if alive.belief.covered or _is_contended(alive) else FAULT_COST - 1
    cheap = [note for note in alive.belief.notes.values() if note.cost <= total.cost + limit]
    also = exemption(tag)
    if limit == COST_MARGIN and {tag, also} & alive.belief.forgone:
        return fate if is_old else ""
    if not any(tag in note.may or also in note.may for note in cheap):
        if tag[0] == LOOKUP_CONSISTENCY.name and limit < COST_MARGIN:
            return KEPT if is_old or not alive.owed[tag].dear else ""
        return UNDECIDED if is_old else ""
    agreed = not alive.asked and all(
        _said(note, each) == _said(cheap[0], each) for note in cheap for each in (tag, also)
    )
    return fate if agreed or is_old else ""


def _is_contended(alive: Population) -> bool:
    """Tell whether several creates want the name: which of them is to blame may come out later."""
    return sum(thing.name == ROOT for thing in alive.things) > 1


def _said(note: Note, tag: Tag) -> tuple[bool, bool, bool]:
    return tag in note.must, tag in note.best, tag in note.may


def exemption(tag: Tag) -> Tag:
    """Return the tag of the known exception to a promise."""
    return (DEFERRAL, tag[1], tag[2])


def fate_of(alive: Population, tag: Tag, total: Note) -> Fate:
    """Return what became of a promise, if nothing more comes."""
    doubts = total.may | alive.belief.forgone
    if tag in total.must or tag in total.best:
        return VIOLATED
    if exemption(tag) in total.must:
        return EXEMPT
    return UNDECIDED if tag in doubts or exemption(tag) in doubts else KEPT
