"""The ledger: what stacks settle, brought to the books with what is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.conformance.books import Books, Order
from bdevcheck.conformance.call import Call, Orphan
from bdevcheck.conformance.explain import (
    Evidence,
    ambiguous_doubt,
    doubt_of,
    given_up_doubt,
    knotted_doubt,
    orphan_doubt,
    orphan_violation,
    overdue_doubt,
    torn_doubt,
    unexamined_doubt,
    unexplained_of,
)
from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.judge import (
    EXEMPT,
    KEPT,
    RULE_OF,
    UNDECIDED,
    VIOLATED,
    Blame,
    Guilt,
    Settled,
    fate_of,
)
from bdevcheck.conformance.moment import answer_moment, line_moment, reply_moment, request_moment
from bdevcheck.conformance.moves import EVERY_VARIANT
from bdevcheck.conformance.note import Tag
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.part import Outcome
from bdevcheck.conformance.situation import Step
from bdevcheck.conformance.stack import Item, Kind, Stack
from bdevcheck.conformance.verdict import Moment
from bdevcheck.model.catalogue import Method
from bdevcheck.model.rule import ONE_REPLY, RULES
from bdevcheck.traces.record import LogLine

_NUMBER_OF = {rule: number for number, rule in enumerate(RULES)}
_OWES_NOTHING = (Outcome.REFUSED, Outcome.UNKNOWN)
_RANK = {KEPT: 0, EXEMPT: 0, UNDECIDED: 1, VIOLATED: 2}


@dataclass(slots=True)
class Ledger:
    """Who owes what, and what became of it; `variants` are those that explain the trace so far.

    `unexamined_before`: of calls before this one, waits cannot be convicted (LIFECYCLE 1.3).
    """

    books: Books
    evidence: Evidence = field(default_factory=Evidence)
    variants: int = EVERY_VARIANT
    unexamined_before: int = -1

    # -- what a record did to a stack ----------------------------------------------------------

    def settle(self, stack: Stack, item: Item, step: Step) -> None:
        """Take what one record did to a stack."""
        if step.after is None:
            self._give_up(stack, item, step)
        for finding in step.findings:
            if isinstance(finding, Settled):
                self._settled(stack, finding)
            else:
                self._suspect(stack, item, finding)
        if stack.settling or stack.convicted:
            self._show_lookup(stack, item)

    def kept(self, rules: Iterable[str]) -> None:
        """Count promises that were kept, of which nothing more is to be said."""
        for rule in rules:
            self.books.count(rule, KEPT)

    def _show_lookup(self, stack: Stack, item: Item) -> None:
        """Let a look-up that did not find the bdev be told with the promises that it is about."""
        asked = item.payload if item.kind is Kind.REQUEST else None
        if isinstance(asked, Inquiry) and asked.outcome is Outcome.MISSING:
            for owed in (*stack.settling.values(), *stack.convicted):
                owed.see_lookup(asked.call)

    def _owed(self, stack: Stack, tag: Tag) -> Obligation:
        known = stack.settling.get(tag)
        if known is None:
            inquiry = stack.calls[tag[2]]
            bdev = "" if inquiry.worst else stack.root
            known = stack.settling[tag] = Obligation(tag[0], bdev, inquiry.call, stack.root)
        return known

    def _suspect(self, stack: Stack, item: Item, finding: Guilt | Blame) -> None:
        owed = self._owed(stack, finding.tag)
        if isinstance(finding, Guilt):
            owed.states = dict(finding.states)
            owed.variants, owed.covered = finding.variants, finding.covered
        elif finding.holds:
            own = isinstance(item.payload, Inquiry) and item.payload.call is owed.call
            shown = None if own else _moment_of(item)
            owed.proves = shown is not None
            owed.certain = shown or _own_moment(owed.call)
        else:
            owed.certain, owed.proves = None, False

    def _settled(self, stack: Stack, finding: Settled) -> None:
        rule, _, slot = finding.tag
        inquiry = stack.calls[slot]
        if stack.blind and rule == RULE_OF["wait"].name and finding.fate == KEPT:
            self._leave_in_doubt(stack, inquiry, over_budget=True)
            return
        taken_back = rule == RULE_OF["wait"].name and inquiry.call.number < self.unexamined_before
        if taken_back and finding.fate == VIOLATED:
            finding = finding._replace(fate=UNDECIDED)
        if inquiry.worst:
            if _RANK[finding.fate] <= _RANK[inquiry.worst]:
                stack.settling.pop(finding.tag, None)
                return
            self.books.count(rule, inquiry.worst, -1)
            inquiry.worst = finding.fate
        self.books.count(rule, finding.fate)
        if finding.fate not in (VIOLATED, UNDECIDED):
            stack.settling.pop(finding.tag, None)
            return
        owed = self._owed(stack, finding.tag)
        order = _order(owed.call, rule, owed.bdev)
        del stack.settling[finding.tag]
        if finding.fate == VIOLATED:
            self.books.charge(order, owed)
            stack.convicted.append(owed)
        else:
            doubt = unexamined_doubt(owed) if taken_back else doubt_of(self.evidence, owed)
            self.books.doubted(order, doubt)

    def _give_up(self, stack: Stack, item: Item, step: Step) -> None:
        """Say that no explanation is left, or too many are, and leave what was owed in doubt."""
        found = _moment_of(item)
        if step.expected and found is not None and self.evidence.torn:
            self.books.doubted_at_large(torn_doubt(stack.root, found))
        elif step.expected and found is not None and stack.knotted:
            self.books.doubted_at_large(knotted_doubt(stack.root, found))
        elif step.expected and found is not None:
            expected = tuple(_with_names(label, stack) for label in step.expected)
            self.books.not_explained(unexplained_of(stack.root, found, expected))
        if step.expected and not (self.evidence.torn or stack.knotted):
            self.variants = 0
        left = {
            stack.calls[slot].call.number: stack.calls[slot]
            for _, _, slot in stack.situation.population.owed
        }
        if isinstance(item.payload, Inquiry):  # it may have been answered before it was on record
            left[item.payload.call.number] = item.payload
        for inquiry in left.values():
            self._leave_in_doubt(stack, inquiry, over_budget=not step.expected)

    def _leave_in_doubt(self, stack: Stack, inquiry: Inquiry, *, over_budget: bool) -> None:
        call, method = inquiry.call, inquiry.call.method
        rule = RULE_OF.get(method.kind) if method is not None else None
        if rule is None or call.reply is None or inquiry.outcome in _OWES_NOTHING:
            return
        if inquiry.worst:
            if _RANK[inquiry.worst] >= _RANK[UNDECIDED]:
                return
            self.books.count(rule.name, inquiry.worst, -1)
            inquiry.worst = UNDECIDED
        elif stack.root not in inquiry.after.names:
            return
        self.books.count(rule.name, UNDECIDED)
        doubt = given_up_doubt(rule.name, stack.root, call, over_budget=over_budget)
        self.books.doubted(_order(call, rule.name, stack.root), doubt)

    def overdue(self, inquiry: Inquiry) -> None:
        """Say that a reply came so late that nobody waited for it any more."""
        call, method = inquiry.call, inquiry.call.method
        rule = RULE_OF.get(method.kind) if method is not None else None
        if rule is not None:
            bdev = next(iter(inquiry.before.names), "")
            self.books.count(rule.name, UNDECIDED)
            self.books.doubted(_order(call, rule.name, bdev), overdue_doubt(rule.name, bdev, call))

    def acquit(self, number: int) -> None:
        """Take back what was concluded about waits: examination was not automatic before."""
        self.unexamined_before = number
        self.books.acquit(RULE_OF["wait"].name, unexamined_doubt)

    def conclude(self, stack: Stack) -> None:
        """Close the books about a stack."""
        population = stack.situation.population
        total = population.belief.summary()
        for tag, due in list(population.owed.items()):
            if due.replied:
                self._settled(stack, Settled(tag, fate_of(population, tag, total)))
        self.variants &= total.variants

    # -- what concerns no single stack ---------------------------------------------------------

    def count_shared(self, inquiry: Inquiry) -> None:
        """Count a promise about no bdev in particular: kept, until a stack says otherwise."""
        call, method = inquiry.call, inquiry.call.method
        assert method is not None
        about_all = method.kind == "wait" or inquiry.listed is not None
        if about_all and inquiry.outcome is Outcome.DONE and not call.ambiguous:
            inquiry.worst = KEPT
            self.books.count(RULE_OF[method.kind].name, KEPT)

    def ambiguous(self, inquiry: Inquiry, method: Method) -> None:
        rule = RULE_OF.get(method.kind)
        if rule is not None:
            bdev = next(iter(inquiry.before.names), "")
            self.books.count(rule.name, UNDECIDED)
            doubt = ambiguous_doubt(rule.name, bdev, inquiry.call)
            self.books.doubted(_order(inquiry.call, rule.name, bdev), doubt)

    def orphan(self, orphan: Orphan) -> None:
        order = (-1, 0, "")
        if orphan.certain:
            self.books.count(ONE_REPLY.name, VIOLATED)
            self.books.violated(order, orphan_violation(orphan.reply, orphan.before))
            self.variants = 0
        else:
            self.books.count(ONE_REPLY.name, UNDECIDED)
            self.books.doubted(order, orphan_doubt(orphan.reply))


def _order(call: Call, rule: str, bdev: str) -> Order:
    return (call.number, _NUMBER_OF[rule], bdev)


def _moment_of(item: Item) -> Moment | None:
    """Return what a record shows; None for what is no record."""
    payload = item.payload
    if isinstance(payload, LogLine):
        return line_moment(payload)
    if not isinstance(payload, Inquiry):
        return None
    call = payload.call
    return request_moment(call) if call.reply is None else answer_moment(call, call.reply, key=True)


def _own_moment(call: Call) -> Moment:
    return request_moment(call) if call.reply is None else reply_moment(call.reply)


def _with_names(label: str, stack: Stack) -> str:
    """Return what a step is called, with the bdevs' own names."""
    for here, name in stack.actual.items():
        label = label.replace(here, name)
    return label
