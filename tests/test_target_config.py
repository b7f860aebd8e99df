"""What the log of requests has of a configuration that is loaded at the start (LIFECYCLE 6.1)."""

from bdevcheck.model.catalogue.method import WRONG_STATE
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.serve.config import START_INIT, Loading


def test_calls_after_the_initialisation_alone_are_in_the_log_of_requests() -> None:
    """LIFECYCLE 6.1; an array is one message."""
    reactor, said = Reactor(), list[str]()
    is_running = False

    def dispatch(call: Call) -> None:
        nonlocal is_running
        is_running = is_running or call.method == START_INIT
        if call.method == "late" and not is_running:
            call.refuse(WRONG_STATE.code, WRONG_STATE.message.rstrip("*"))
        else:
            call.reply(result=True)

    def speak(prefix: str, message: bytes) -> None:
        said.append(prefix + message.decode())

    loading = Loading(reactor, dispatch, lambda _: None, speak)
    loading.begin([(("early", None),), (("late", {"a": 1}),), (("late", None), ("late", None))])
    while reactor.run_next():
        pass
    late = '{"jsonrpc":"2.0","id":%d,"method":"late"}'
    good = '{"jsonrpc":"2.0","id":%d,"result":true}'
    answers = f"[{good % 0},{good % 1}]"
    assert said == [
        'request: {"jsonrpc":"2.0","id":0,"method":"late","params":{"a":1}}',
        f"response: {good % 0}",
        f"request: [{late % 0},{late % 1}]",
        f"batch response: {answers}",
        f"response: {answers}",
    ]
