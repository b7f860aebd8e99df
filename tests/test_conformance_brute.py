"""The checker agrees with a reference that follows every run by itself.

What is compared is create-after-register on one bdev name. Two differences are by choice:

* Without a log the checker also thinks of unknown clients who take the raid's bases away, at the
  price of a fault, so that its create is deferred. The reference knows no bases: there, what it
  says is kept may be undecided.
* The checker drops explanations that cost MARGIN more than the cheapest. So a promise that only
  such an explanation breaks may be kept where the reference doubts it. Where even the cheapest
  costs more (two lies of no known version), the checker may have dropped it on the way, when
  another was cheaper still: such traces are not compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import check
from bdevcheck.traces import Reply, Request
from tests.brute import MARGIN, Method, Seen, explanations, judge
from tests.builder import Script, wire_of

METHODS: tuple[Method, ...] = ("S", "A", "raid", "delete", "lookup")
CREATES = ("S", "A", "raid")
FIRST_ID = 100
MOST_OPEN = 2
"""Calls under way at once in random traces. With three on one name the checker is at times more
careful than the reference, and at times finds no explanation where unknown clients give one."""
LINES = {"free": "registered", "listed": "unregistering", "leaving": "unlisted"}
NEXT = {"free": "listed", "listed": "leaving", "leaving": "free"}
RPC = {
    "S": "bdev_malloc_create",
    "A": "bdev_aio_create",
    "delete": "bdev_raid_delete",
    "lookup": "bdev_get_bdevs",
}


def _script(records: list[Seen], conn_of: Callable[[int], int]) -> Script:
    """Write the records 10 ms apart; the id of a call is its number and 100."""
    script = Script().base(-100, "a", "b")
    method = {seen.call: seen.what for seen in records if seen.kind == "request"}
    for number, seen in enumerate(records, 1):
        ms, conn, id = 10.0 * number, conn_of(seen.call), FIRST_ID + seen.call
        if seen.kind == "line":
            verbs = (script.inserting, script.removing, script.removed)
            dict(zip(LINES.values(), verbs, strict=True))[seen.what](ms, "n")
        elif seen.what == "raid":
            bases = {"raid_level": "raid1", "base_bdevs": ["a", "b"], "superblock": True}
            script.request(ms, "bdev_raid_create", conn=conn, id=id, name="n", **bases)
        elif seen.kind == "request":
            script.request(ms, RPC[seen.what], conn=conn, id=id, name="n")
        elif seen.what == "missing":
            script.error(ms, -19, conn=conn, id=id)
        else:
            results = {"S": "n", "A": "n", "lookup": [{"name": "n"}]}
            script.reply(ms, results.get(method[seen.call], True), conn=conn, id=id)
    return script.tick(10.0 * (len(records) + 2))


def _conn_of_its_own(call: int) -> int:
    return call + 2


def _checked(
    records: list[Seen], *, log: bool, conn_of: Callable[[int], int] = _conn_of_its_own
) -> dict[int, str] | None:
    """Return what the checker says of each create of n; None where nothing explains the trace."""
    trace = _script(records, conn_of).trace(log=log)
    report = check(trace, rules=["create-after-register"])
    if report.unexplained:
        return None
    messages = [r for r in wire_of(trace).records if isinstance(r, Request | Reply)]
    call_at = {m.at.place.line: m.id - FIRST_ID for m in messages if isinstance(m.id, int)}
    answered = {seen.call for seen in records if seen.kind == "reply"}
    creates = {seen.call for seen in records if seen.kind == "request" and seen.what in CREATES}
    verdicts = dict.fromkeys(sorted(creates & answered), "kept")
    for violation in report.violations:
        verdicts[call_at[violation.moments[0].place.line]] = "violated"
    for doubt in report.undecided:
        verdicts[call_at[doubt.place.line]] = "undecided"
    return {call: verdict for call, verdict in verdicts.items() if call >= 0}


# -- all short traces ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Prefix:
    """The beginning of a trace: the methods asked for, the calls that are open, and the name."""

    records: tuple[Seen, ...] = ()
    methods: tuple[str, ...] = ()
    open: frozenset[int] = frozenset()
    name: str = "free"

    def continuations(self, calls: int, *, log: bool) -> Iterator["_Prefix"]:
        if log:
            yield self._with(Seen("line", LINES[self.name]), name=NEXT[self.name])
        for call in sorted(self.open):
            for what in ("found", "missing") if self.methods[call] == "lookup" else ("ok",):
                yield self._with(Seen("reply", what, call), open=self.open - {call})
        for method in METHODS if len(self.methods) < calls else ():
            if method != "raid" or "raid" not in self.methods:
                call = len(self.methods)
                methods = (*self.methods, method)
                request = Seen("request", method, call)
                yield self._with(request, methods=methods, open=self.open | {call})

    def _with(self, seen: Seen, **changes: object) -> "_Prefix":
        return replace(self, records=(*self.records, seen), **changes)  # type: ignore[arg-type]


def _traces(length: int, calls: int, *, log: bool) -> Iterator[list[Seen]]:
    """Yield all traces of `length` records with up to `calls` calls and at most one raid create.

    Lines come in the order in which a name can go through them: other orders are no log.
    """
    prefixes = [_Prefix()]
    for _ in range(length):
        prefixes = [more for each in prefixes for more in each.continuations(calls, log=log)]
    yield from (list(each.records) for each in prefixes)


def _compare(records: list[Seen], *, log: bool) -> str:
    """Assert that checker and reference agree; return what they agree on, in one word."""
    expected, found = judge(records, log=log), _checked(records, log=log)
    if min((cost for cost, _ in explanations(records, log=log)), default=0) > MARGIN:
        return "two lies or more"
    if found is None or expected is None:
        assert found == expected, records
        return "unexplained"
    assert found.keys() == expected.keys(), records
    for call, verdict in found.items():
        if verdict == "kept" and expected[call] == "undecided":
            assert _costs_too_much(records, call, log=log), (records, call)
        elif not log and expected[call] == "kept":
            assert verdict in ("kept", "undecided"), (records, call)
        else:
            assert verdict == expected[call], (records, call, found, expected)
    return "/".join(sorted(set(found.values())))


def test_early_reply_that_is_seen_after_the_raid_was_deleted_is_proven() -> None:
    raid, delete = Seen("request", "raid", 0), Seen("request", "delete", 1)
    records = [raid, delete, Seen("reply", "ok", 1), Seen("reply", "ok", 0)]
    assert judge(records, log=True) == {0: "violated"}
    assert _checked(records, log=True) == {0: "violated"}


def test_raid_that_an_unknown_client_makes_again_is_explained() -> None:
    lines = [
        Seen("line", what) for what in ("registered", "unregistering", "unlisted", "registered")
    ]
    records = [Seen("request", "raid", 0), lines[0], Seen("reply", "ok", 0), *lines[1:]]
    assert judge(records, log=True) == {0: "kept"}
    assert _checked(records, log=True) == {0: "kept"}


def _costs_too_much(records: list[Seen], call: int, *, log: bool) -> bool:
    """Tell whether runs that break the promise may have been dropped while a free one was there."""
    runs = explanations(records, log=log)
    return min(cost for cost, broken in runs if call in broken) > MARGIN


@pytest.mark.parametrize("log", [True, False])
def test_checker_agrees_with_the_reference_on_all_traces_of_up_to_four_records(log: bool) -> None:
    outcomes = {_compare(t, log=log) for n in range(1, 5) for t in _traces(n, 2, log=log)}
    assert {"", "violated", "undecided"} <= outcomes
    assert not log or {"kept", "unexplained"} <= outcomes


@pytest.mark.slow
@pytest.mark.parametrize("log", [True, False])
def test_checker_agrees_with_the_reference_on_all_traces_of_five_records(log: bool) -> None:
    outcomes = {_compare(each, log=log) for each in _traces(5, 3, log=log)}
    assert {"", "violated", "undecided"} <= outcomes


# -- longer traces, at random ----------------------------------------------------------------------


@st.composite
def _longer(draw: st.DrawFn, *, log: bool) -> list[Seen]:
    prefix = _Prefix()
    for _ in range(draw(st.integers(5, 12))):
        every = prefix.continuations(4, log=log)
        more = [each for each in every if len(each.open) <= MOST_OPEN]
        if more:
            prefix = draw(st.sampled_from(more))
    return list(prefix.records)


@given(_longer(log=True))
def test_checker_agrees_with_the_reference_on_longer_traces(records: list[Seen]) -> None:
    _compare(records, log=True)


@given(_longer(log=False))
def test_checker_agrees_with_the_reference_on_longer_traces_of_the_wire(
    records: list[Seen],
) -> None:
    _compare(records, log=False)


def _on_one_connection(records: list[Seen]) -> dict[int, str] | None:
    """Check a trace whose calls share one connection; creates are handled in order there."""
    return _checked(records, log=True, conn_of=lambda _: 2)


@given(_longer(log=True))
def test_what_no_run_breaks_on_many_connections_is_not_broken_on_one(records: list[Seen]) -> None:
    expected, found = judge(records, log=True), _on_one_connection(records)
    if found is not None and expected is not None:
        kept = [call for call, verdict in expected.items() if verdict == "kept"]
        assert not any(found[call] == "violated" for call in kept)
