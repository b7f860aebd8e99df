"""Which calls reach their handlers: unknown, deprecated, unemulated, early and late ones."""

import json

import pytest

from bdevcheck.model.catalogue import methods
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.local import LocalConnection, LocalLink
from bdevcheck.traces.target.modules import HANDLERS
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import Target, begin

UNKNOWN = (-32601, "Method not found")
ALIASES = [(row.name, alias) for row in methods().values() for alias in row.aliases]


def told_by(settings: Settings) -> tuple[Target, LocalConnection, list[str]]:
    """Start a target; return it, a connection to it and its log."""
    lines: list[str] = []
    target = begin(settings)
    target.log.sink = lines.append
    return target, LocalLink(target).open(), lines


def ask(target: Target, client: LocalConnection, method: str, **params: object) -> object:
    """Return the result of a call, or code and text of its error."""
    client.replies.clear()
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, **({"params": params} if params else {})}
    client.send(json.dumps(asked).encode())
    target.reactor.run_until(target.reactor.now_ns + 10**9)
    (reply,) = client.replies
    assert isinstance(reply, dict)
    if "result" in reply:
        return reply["result"]
    return reply["error"]["code"], reply["error"]["message"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("method", ["", "no_such_method", "bdev_malloc_creat", "é"])
def test_unknown_method_is_not_found(method: str, variant: str) -> None:
    target, client, _ = told_by(Settings(VARIANTS[variant]))
    assert ask(target, client, method) == UNKNOWN


def test_handlers_are_of_methods_that_some_version_has() -> None:
    offered = {name for each in VARIANTS.values() for name in offer_of(each).methods}
    assert set(HANDLERS) - set(methods()) - offered == set()


@pytest.mark.parametrize("variant", VARIANTS)
def test_method_that_is_offered_and_not_emulated_is_refused_as_unsupported(variant: str) -> None:
    target, client, lines = told_by(Settings(VARIANTS[variant]))
    names = [name for name in offer_of(VARIANTS[variant]).methods if name not in methods()]
    name = next(name for name in names if name not in HANDLERS)
    code = ask(target, client, name)
    assert isinstance(code, tuple)
    if code[0] == -95:
        assert any(f"{name} is not emulated" in line for line in lines)
    else:
        assert (name in offer_of(VARIANTS[variant]).startup, code[0]) == (True, -1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_runtime_methods_wait_for_the_framework(variant: str) -> None:
    target, client, _ = told_by(Settings(VARIANTS[variant], wait_for_rpc=True))
    refused = ask(target, client, "bdev_malloc_create", num_blocks=8, block_size=512)
    assert refused == (
        -1,
        "Method may only be called after framework is initialized using framework_start_init RPC.",
    )
    assert ask(target, client, "framework_start_init") is True
    assert ask(target, client, "bdev_malloc_create", num_blocks=8, block_size=512) == "Malloc0"


@pytest.mark.parametrize("variant", VARIANTS)
def test_startup_methods_are_refused_when_the_framework_runs(variant: str) -> None:
    for wait_for_rpc in (False, True):
        settings = Settings(VARIANTS[variant], wait_for_rpc=wait_for_rpc)
        target, client, _ = told_by(settings)
        said = ask(target, client, "bdev_set_options", bdev_auto_examine=False)
        assert (said is True) == wait_for_rpc
        if not wait_for_rpc:
            assert isinstance(said, tuple)
            assert said[0] == -1
            assert said[1].startswith("Method may only be called before framework is initialized.")


@pytest.mark.parametrize("variant", VARIANTS)
def test_framework_wait_init_is_answered_after_the_initialisation(variant: str) -> None:
    target, first, _ = told_by(Settings(VARIANTS[variant], wait_for_rpc=True))
    first.send(b'{"jsonrpc":"2.0","id":1,"method":"framework_wait_init"}')
    target.reactor.run_until(10**9)
    assert first.replies == []
    first.send(b'{"jsonrpc":"2.0","id":2,"method":"framework_start_init"}')
    target.reactor.run_until(2 * 10**9)
    assert len(first.replies) == 2


@pytest.mark.parametrize(("name", "alias"), ALIASES)
def test_deprecated_alias_is_served_and_told_of_once_or_is_unknown(name: str, alias: str) -> None:
    for variant in VARIANTS.values():
        target, client, lines = told_by(Settings(variant))
        if not variant.rpc_deprecated_aliases:
            assert ask(target, client, alias) == UNKNOWN
            continue
        said = [ask(target, client, alias) for _ in range(2)]
        assert UNKNOWN not in said
        warned = [
            line for line in lines if f"RPC method {alias} is deprecated.  Use {name}" in line
        ]
        assert len(warned) == 1
