"""What real targets sent, byte by byte, is what the emulated server sends for the same bytes.

Only the results of methods are taken from the recordings; all that is around them is not.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bdevcheck.traces.target.local import LocalConnection
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.rpc.call import Call
from tests.desk import Desk, desk

TARGETS = {"before-fix": "buggy", "fix": "fix-commit", "v26.05": "modern"}
Record = dict[str, object]
Key = tuple[str, str]


def _records(folder: Path, name: str) -> list[Record]:
    file = next(folder.glob(f"{name}.wire.jsonl*"))
    data = file.read_bytes()
    text = gzip.decompress(data) if file.suffix == ".gz" else data
    return [json.loads(line) for line in text.splitlines()]


def _key(asked: object) -> Key:
    assert isinstance(asked, dict)
    return str(asked.get("method")), json.dumps(asked.get("params"), sort_keys=True)


def _results(records: list[Record]) -> dict[Key, Record]:
    """Return the reply to each call that was the only one of its id at the time."""
    waiting: dict[tuple[object, str], list[object]] = {}
    found: dict[Key, Record] = {}
    for record in records:
        said = record.get("msg")
        if not isinstance(said, dict):
            continue
        asked = waiting.setdefault((record["conn"], json.dumps(said.get("id"))), [])
        if record["dir"] == "c2s":
            asked.append(said)
        elif len(asked) == 1:
            found.setdefault(_key(asked.pop()), said)
    return found


def _serve_recorded(bench: Desk, results: dict[Key, Record]) -> None:
    """Let the server answer calls as the recorded target did; errors of framing are its own."""

    def dispatch(call: Call) -> None:
        params = call.given if isinstance(call.given, dict) else {}
        known = results.get((call.method, json.dumps(call.given, sort_keys=True)))
        error = known.get("error") if known else None
        if "timeout" in params:
            bench.reactor.after(params["timeout"] * MS, lambda: call.refuse(-110))
        elif known and error is None:
            call.reply(known["result"])
        elif isinstance(error, dict):
            call.refuse(error["code"], error["message"])
        elif "name" in params:
            call.reply(params["name"])
        else:
            call.refuse(-32601, "Method not found")

    bench.server.dispatch = dispatch


def _bytes(record: Record) -> bytes:
    return str(record["raw"]).encode("latin-1")


@dataclass(frozen=True)
class Conversation:
    """What a client sent, and when; what it got (without the last newline), and who closed."""

    sent: dict[int, bytes]
    got: list[Record]
    is_closed: bool

    @property
    def received(self) -> bytes:
        return b"\n".join(map(_bytes, self.got))


def _conversations(records: list[Record]) -> Iterator[Conversation]:
    for number in sorted({int(str(each["conn"])) for each in records if "conn" in each}):
        own = [each for each in records if each.get("conn") == number]
        sent: dict[int, bytes] = {}
        for each in own:
            if each.get("dir") == "c2s" and "raw" in each:
                at = int(str(each["ts_mono_ns"])) - int(str(own[0]["ts_mono_ns"]))
                sent[at] = sent[at] + b" " + _bytes(each) if at in sent else _bytes(each)
        got = [each for each in own if each.get("dir") == "s2c" and "raw" in each]
        yield Conversation(sent, got, own[-1].get("by") == "target")


def _replay(bench: Desk, conversation: Conversation) -> LocalConnection:
    """Say the same at the same times, and wait for what comes."""
    client = bench.open()
    begun = bench.reactor.now_ns
    for at, data in conversation.sent.items():
        bench.reactor.run_until(begun + at)
        client.send(data)
    bench.pass_ms(600)
    return client


@pytest.mark.parametrize("name", ["h3_bad_json", "h5_duplicate_ids"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_server_sends_what_a_real_target_sent(shared: Path, target: str, name: str) -> None:
    records = _records(shared / "recordings" / target, name)
    bench = desk(TARGETS[target])
    _serve_recorded(bench, _results(records))
    compared = 0
    for each in _conversations(records):
        client = _replay(bench, each)
        assert bytes(client.wire.received).rstrip(b"\n") == each.received
        assert client.is_closed == each.is_closed
        compared += 1
    assert compared == {"h3_bad_json": 51, "h5_duplicate_ids": 3}[name]
    assert bench.slots()["held"] + bench.slots()["free"] == 64


@pytest.mark.parametrize("target", [*TARGETS, "master"])
def test_recorded_arrays_are_answered_in_the_same_shape(shared: Path, target: str) -> None:
    records = _records(shared / "recordings" / target, "q1_batch_issue_seq")
    bench = desk(TARGETS.get(target, "modern"))
    _serve_recorded(bench, _results(records))
    for each in _conversations(records):
        client = _replay(bench, each)
        recorded = [_ids(record["msg"]) for record in each.got]
        assert [_ids(reply) for reply in client.replies] == recorded


def _ids(reply: object) -> list[str]:
    """Return whose replies these are; what decides their order in an array is not emulated here."""
    members = reply if isinstance(reply, list) else [reply]
    return sorted(json.dumps(each["id"]) for each in members if isinstance(each, dict))
