"""The docket: calls under way, and the stacks that they are brought before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.inquiry import Inquiry, entries_of, outcome_of, without_list
from bdevcheck.conformance.ledger import Ledger
from bdevcheck.conformance.names import Names
from bdevcheck.conformance.part import ROOT, Outcome
from bdevcheck.conformance.stack import Item, Kind, Stack
from bdevcheck.conformance.stacks import Stacks
from bdevcheck.conformance.subject import Subject, Subjects
from bdevcheck.model.catalogue import Method, fill, has_superblock, is_followed, value_of


@dataclass(slots=True)
class Docket:
    """Calls under way, by number; `first_silent` is the first create that nobody answered."""

    stacks: Stacks
    ledger: Ledger
    subjects: Subjects = field(default_factory=lambda: Subjects(Names()))
    inquiries: dict[int, Inquiry] = field(default_factory=dict)
    with_metadata: dict[str, Stack] = field(default_factory=dict)
    first_silent: Call | None = None
    number: int = 0

    def begin(self, call: Call, number: int) -> None:
        """Take a request."""
        self.number = number
        method = call.method
        if method is None or not is_followed(method):
            return
        subject = self.subjects.asked(call, method)
        inquiry = self.inquiries[call.number] = Inquiry(call, subject, subject, number=number)
        if method.kind == "create" and not subject.bdevs:
            self.stacks.stand_in(call.number, subject)
        inquiry.stacks = self._concerned(inquiry, method)
        item = Item(Kind.REQUEST, number, inquiry)
        for stack in inquiry.stacks:
            self.stacks.put(stack, item)

    def _concerned(self, inquiry: Inquiry, method: Method) -> list[Stack]:
        """Return the stacks that a call is about, or may say something about."""
        about = inquiry.before
        match method.kind:
            case "create":
                roots = [self.stacks.get(name, named=True) for name in about.bdevs]
                self._remember_metadata(roots, inquiry.call, method)
                concerned = self.stacks.with_part(about.bdevs)
                for stack in concerned:
                    self.stacks.take_in(stack, about)
                return concerned
            case "lookup" | "use" if about.names:
                return self._looked_for(about)
            case "delete" | "detach" | "examine" | "adopt":
                for name in about.names:
                    self.stacks.get(name, named=False)
                return self.stacks.with_part(about.names)
            case "wait":
                alive = self.stacks.all
                self.with_metadata = {
                    root: s for root, s in self.with_metadata.items() if alive.get(root) is s
                }
                return list(self.with_metadata.values())
            case "lookup":
                return self.stacks.worth_asking()
            case "shutdown":
                return self.stacks.everyone()
        return []

    def _looked_for(self, about: Subject) -> list[Stack]:
        """Return the stacks of bdevs that are looked for, and those that it tells something."""
        roots = [self.stacks.get(name, named=False) for name in about.names]
        concerned = self.stacks.with_part(about.names)
        if len(concerned) == len(roots):
            return roots
        unsure = [stack for stack in concerned if not _is_sure(stack, about)]
        return list(dict.fromkeys([*roots, *unsure]))

    def _remember_metadata(self, roots: Iterable[Stack], call: Call, method: Method) -> None:
        if has_superblock(method, call.request.params):
            self.with_metadata |= {stack.root: stack for stack in roots}

    def end(self, call: Call, number: int) -> None:
        """Take the reply of a call."""
        self.number = number
        self._note_auto_examine(call)
        inquiry = self.inquiries.get(call.number)
        if inquiry is None or call.method is None:
            return
        if inquiry.known:  # it was given up before
            del self.inquiries[call.number]
            self.ledger.overdue(inquiry)
            return
        self._read_reply(inquiry, call.method)
        self._decide(call)
        if call.ambiguous:
            self.ledger.ambiguous(inquiry, call.method)

    def _note_auto_examine(self, call: Call) -> None:
        """Notice that bdevs are not examined when they register (LIFECYCLE 1.3).

        Some client says so, or a call succeeds that is refused while they are. In the second case
        what was concluded about waits before is taken back.
        """
        if call.method is None or not call.succeeded or call.ambiguous:
            return
        parameter = call.method.auto_examine
        told = parameter and value_of(call.request.params, parameter) is False
        if not self.stacks.auto_examine or not (told or call.method.kind == "examine"):
            return
        self.stacks.auto_examine = False
        self.stacks.tell_all(Kind.AUTO_EXAMINE_OFF, self.number)
        if not told:
            self.ledger.acquit(call.number)

    def _read_reply(self, inquiry: Inquiry, method: Method) -> None:
        call = inquiry.call
        inquiry.outcome = outcome_of(call, method)
        if method.kind == "lookup" and inquiry.outcome is Outcome.DONE:
            self._read_entries(inquiry)
        if inquiry.outcome is not Outcome.DONE:
            return
        if method.kind == "create":
            inquiry.after = self.subjects.made(call, method, inquiry.before)
            aliases = fill(method.alias, call.request.params) if method.alias else ()
            for name in inquiry.after.bdevs:
                self.subjects.names.learn(name, aliases)
        if method.kind == "rename":
            for name in inquiry.before.bases:
                self.subjects.names.forget(name)
        self.subjects.stores.learn(call, method)
        if method.kind == "delete":
            for name in inquiry.before.bdevs:
                self.subjects.stores.forget(name)

    def _read_entries(self, inquiry: Inquiry) -> None:
        """Read what a look-up found: names, and what else they are called."""
        entries, total = entries_of(inquiry.call.reply)
        for name, aliases in entries.items():
            if aliases:
                self.subjects.names.learn(name, aliases)
        inquiry.shown = frozenset(entries)
        if not inquiry.before.names:
            inquiry.listed = inquiry.shown
            inquiry.call = without_list(inquiry.call, total)
        elif entries and inquiry.shown.isdisjoint(inquiry.before.names):
            inquiry.outcome = Outcome.UNKNOWN  # asked by an alias that nobody has resolved

    def abandon(self, calls: Iterable[Call], number: int) -> None:
        """Give up waiting for replies that cannot come any more."""
        self.number = number
        for call in calls:
            self._decide(call)

    def finish(self, number: int) -> None:
        """End the trace: what is open stays open."""
        self.abandon([inquiry.call for inquiry in list(self.inquiries.values())], number)
        self.stacks.conclude()

    def _decide(self, call: Call) -> None:
        """Let a call's outcome be known: the stacks need not wait for it any more."""
        inquiry = self.inquiries.pop(call.number, None)
        if inquiry is None or inquiry.known:
            return
        inquiry.known = True
        self._late_roots(inquiry)
        if call.reply is not None:
            self.ledger.count_shared(inquiry)
        elif call.method is not None and call.method.kind == "create" and not self.first_silent:
            self.first_silent = call
        item = Item(Kind.REPLY, self.number, inquiry)
        for stack in inquiry.stacks:
            if call.reply is not None:
                self.stacks.answer(stack, inquiry, item)
            else:
                self.stacks.work_off(stack)
        inquiry.stacks = []
        self.stacks.named(call.number)

    def _late_roots(self, inquiry: Inquiry) -> None:
        """Send a create to the stacks of the names that only its reply has told.

        Where too much has waited for the names, its reply is not waited for any more.
        """
        if inquiry.after.bdevs == inquiry.before.bdevs:
            return
        stand_in = self.stacks.stand_ins.get(inquiry.call.number)
        is_overdue = stand_in is None and not inquiry.before.bdevs
        if is_overdue:
            inquiry.outcome = Outcome.UNKNOWN
            self.ledger.overdue(inquiry)
        late = [name for name in inquiry.after.bdevs if name not in inquiry.before.bdevs]
        found = [self._late_root(inquiry, name, stand_in) for name in late]
        assert inquiry.call.method is not None
        self._remember_metadata(found, inquiry.call, inquiry.call.method)
        if not is_overdue:
            inquiry.stacks += [stack for stack in found if stack not in inquiry.stacks]
            return
        for stack in found:
            self.stacks.work_off(stack)

    def _late_root(self, inquiry: Inquiry, name: str, stand_in: Stack | None) -> Stack:
        stack = self.stacks.get(name, named=True)
        if stand_in is not None:
            self.stacks.take_over(stack, stand_in)
        self.stacks.take_in(stack, inquiry.after)
        _insert(stack, inquiry, inquiry.number)
        return stack


def _is_sure(stack: Stack, about: Subject) -> bool:
    """Tell whether a stack is sure that the bdevs asked for are listed: it need not be told."""
    if stack.queue:
        return False
    sure = stack.situation.surely_listed
    return all(stack.locals.get(name, ROOT) in sure for name in about.names if name in stack.locals)


def _insert(stack: Stack, inquiry: Inquiry, number: int) -> None:
    """Put a create where its request was: before what has been seen since."""
    later = (place for place, item in enumerate(stack.queue) if item.number > number)
    at = next(later, len(stack.queue))
    stack.queue.insert(at, Item(Kind.REQUEST, number, inquiry))
