"""Judge one stack: run its belief along the trace, and say what became of each obligation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bdevcheck.conformance.belief import BudgetError
from bdevcheck.conformance.moves import EVERY_VARIANT, Thing
from bdevcheck.conformance.obligation import Ledger, Obligation
from bdevcheck.conformance.population import Asked, Population
from bdevcheck.conformance.schedule import Action, Kind
from bdevcheck.conformance.stack import Names, Stack, Subject
from bdevcheck.model.machines import Machines
from bdevcheck.model.rule import (
    CREATE_AFTER_REGISTER,
    DELETE_AFTER_UNREGISTER,
    LOOKUP_CONSISTENCY,
    WAIT_COVERS_EXAMINE,
    Rule,
)

_AMBIGUOUS = "several requests with the same id were open, and the reply fits more than one"
_UNEXPLAINED = "the trace could not be explained up to here"
_OVER_BUDGET = "too many explanations are possible here to follow them all"


@dataclass(slots=True)
class Judgement:
    """What one stack gave: its obligations, where explanation failed, and who can explain it."""

    obligations: list[Obligation]
    variants: int
    failed_at: Action | None = None
    expected: tuple[str, ...] = ()


def judge(
    stack: Stack, actions: Iterable[Action], names: Names, machines: Machines, *, fresh: bool
) -> Judgement:
    """Judge a stack along its actions, in order of time.

    `fresh`: the log shows the target's start, so that no bdev was there before the trace.
    """
    judging = _Judging(Population(stack, names, machines, fresh))
    try:
        for action in actions:
            if not judging.take(action):
                return judging.give_up(action)
    except BudgetError:
        return judging.give_up(None)
    return judging.finish()


class _Judging:
    """The run along one stack's actions."""

    def __init__(self, population: Population) -> None:
        self.alive, self.belief = population, population.belief
        self.ledger = Ledger()
        self.rpcs: dict[int, list[str]] = {}

    def take(self, action: Action) -> bool:
        """Take one action; False where no explanation is left.

        Hidden steps run before what they could contradict: a reply, a line that must have been
        printed by now, and the moment from which lines are never missing. Other actions only make
        more steps possible.
        """
        if action.kind in (Kind.REPLY, Kind.LINE_MUST, Kind.COVERED):
            self.alive.close()
        if not self._apply(action):
            return False
        self.ledger.note(self.belief, action)
        self.alive.forget_the_dead()
        return True

    def _apply(self, action: Action) -> bool:
        if action.kind is Kind.REQUEST and action.subject is not None:
            self._request(action.subject, action)
        elif action.kind is Kind.REPLY and action.subject is not None:
            return self._reply(action.subject, action)
        elif action.kind is Kind.LINE_MAY:
            self.alive.introduce([self.belief.lines[self.belief.opened][1]])
            self.belief.opened += 1
            self.alive.reopened()
        elif action.kind is Kind.LINE_MUST:
            return self.belief.keep(lambda state: state[0] > action.number)
        elif action.kind is Kind.TARGET_LEFT:
            self.alive.loosen_all()
        else:
            self.belief.covered = action.kind is Kind.COVERED
            self.alive.reopened()
        return True

    # -- requests ------------------------------------------------------------------------------

    def _request(self, subject: Subject, action: Action) -> None:
        self.alive.introduce([*subject.bdevs, *subject.bases])
        match subject.method.kind:
            case "create" if _has_effect(subject):
                self._create(subject, action)
            case "delete" if _has_effect(subject):
                self._delete(subject, action)
            case "lookup" | "use":
                self._lookup(subject, action)
            case "wait" if subject.call.succeeded:
                self._wait(subject, action)
            case "examine" | "adopt" if _has_effect(subject):
                self.alive.ask_to_examine(subject.bases)
                self._ask(Asked(subject, f"rpc {subject.call.number}"))
            case "detach":
                self.alive.loosen(subject)
            case "shutdown":
                self.alive.loosen_all()

    def _create(self, subject: Subject, action: Action) -> None:
        for number, name in enumerate(subject.bdevs):
            rpc = f"rpc {subject.call.number}.{number}"
            thing = self.alive.make(subject, name, rpc)
            owed = self._owe(CREATE_AFTER_REGISTER, name, subject, action)
            self._ask(Asked(subject, rpc, name, owed, thing))

    def _delete(self, subject: Subject, action: Action) -> None:
        if subject.method.reply == "at-initiation":
            self.alive.loosen(subject)
            return
        for number, name in enumerate(subject.bdevs):
            owed = self._owe(DELETE_AFTER_UNREGISTER, name, subject, action)
            self._ask(Asked(subject, f"rpc {subject.call.number}.{number}", name, owed))

    def _lookup(self, subject: Subject, action: Action) -> None:
        outcome = _outcome_of(subject)
        if outcome is None:
            return
        asked = (*subject.bdevs, *subject.bases)
        bdev = asked[0] if asked else ""
        owed = self._owe(LOOKUP_CONSISTENCY, bdev, subject, action)
        if not subject.call.ambiguous:
            self._ask(Asked(subject, f"rpc {subject.call.number}", bdev, owed, None, *outcome))

    def _wait(self, subject: Subject, action: Action) -> None:
        owed = self._owe(WAIT_COVERS_EXAMINE, "", subject, action)
        raids = self.alive.raids_with_metadata()
        if owed is not None and raids and not subject.call.ambiguous:
            owed.raids = frozenset(raid.name for raid in raids)
            self._ask(Asked(subject, f"rpc {subject.call.number}", "", owed))

    def _owe(self, rule: Rule, bdev: str, subject: Subject, action: Action) -> Obligation | None:
        """Enter what the call owes; a call whose outcome is not known owes nothing."""
        if subject.call.reply is None:
            return None
        owed = Obligation(rule.name, bdev, subject, action)
        if subject.call.ambiguous:
            owed.doubtful, owed.why_not = True, _AMBIGUOUS
        return self.ledger.add(owed)

    def _ask(self, asked: Asked) -> None:
        self.alive.ask(asked)
        self.rpcs.setdefault(asked.subject.call.number, []).append(asked.rpc)

    # -- replies -------------------------------------------------------------------------------

    def _reply(self, subject: Subject, action: Action) -> bool:
        if subject.call.ambiguous:
            return True
        for rpc in self.rpcs.pop(subject.call.number, []):
            if not self._seen(self.alive.asked[rpc], action):
                return False
            self.alive.answer(rpc)
        return True

    def _seen(self, asked: Asked, action: Action) -> bool:
        if asked.obligation is None:
            return True
        steps = list(self.alive.reply_moves(asked))
        self.belief.offer(move for move, clause in steps if clause.reply)
        sends = [move for move, clause in steps if clause.events.get("rpc") == "send_ok"]
        if not self.belief.observe(sends):
            return False
        asked.obligation.due = action
        asked.obligation.covered = self.belief.covered
        self._remember_guilt(asked.obligation, asked.thing)
        return True

    def _remember_guilt(self, owed: Obligation, thing: Thing | None) -> None:
        """Keep what the machines are in, and which versions do this, if the promise is broken."""
        tags, notes = owed.tags(), self.belief.notes.values()
        costs = [note.cost for note in notes if not tags.isdisjoint(note.may)]
        if not costs:
            return
        guilty = [
            (state, note)
            for state, note in zip(self.belief.name_states(), notes, strict=True)
            if note.cost == min(costs) and not tags.isdisjoint(note.may)
        ]
        for _, note in guilty:
            owed.variants |= note.variants
        if thing is not None:
            parts = {"bdev": thing.bdev} | ({"raid": thing.raid} if thing.raid else {})
            owed.states = {
                role: tuple(sorted({state[part] for state, _ in guilty}))
                for role, part in parts.items()
            }

    # -- the end -------------------------------------------------------------------------------

    def finish(self) -> Judgement:
        """Close the books at the end of the trace."""
        total = self.ledger.conclude(self.belief)
        return Judgement(self.ledger.obligations, total.variants)

    def give_up(self, action: Action | None) -> Judgement:
        """Close the books where explanation ended: at an action, or over the budget (None)."""
        self.ledger.conclude(self.belief)
        unjudged = [owed for owed in self.ledger.obligations if owed.due.kind is Kind.REQUEST]
        self.ledger.give_up(unjudged, _UNEXPLAINED if action else _OVER_BUDGET)
        expected = tuple(sorted({move.vector.label for move in self.alive.moves()}))
        return Judgement(self.ledger.obligations, 0 if action else EVERY_VARIANT, action, expected)


def _has_effect(subject: Subject) -> bool:
    """Tell whether the call can have done something: it succeeded, or its outcome is unknown."""
    return subject.call.succeeded or subject.call.reply is None or subject.call.ambiguous


def _outcome_of(subject: Subject) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the names that a look-up or use found, and those that it did not; None: it is silent.

    Of a look-up of all bdevs both are empty here: what it found depends on who is known.
    """
    reply = subject.call.reply
    if reply is None:
        return None
    asked = tuple(dict.fromkeys((*subject.bdevs, *subject.bases)))
    if subject.found is not None:
        return (), ()
    if reply.error is None:
        return asked, ()
    return ((), asked) if reply.error.code in subject.method.missing else None
