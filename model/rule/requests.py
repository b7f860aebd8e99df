"""Rules of requests: one reply, in the right state, to what is well formed."""

from __future__ import annotations

from bdevcheck.model.rule.form import Rule

ONE_REPLY = Rule(
    name="one-reply",
    says="A request gets at most one reply, on its own connection, with its id.",
    headline="The target sent {answered}.",
    between="No request with this id was open on this connection.",
    stretch=("contradicted",),
    effect="",
    expected="sent one reply for each request, and none without a request",
    advice="Match replies by connection and id, and close the connection when one does not fit.",
    source="I9, LIFECYCLE 2.4, 2.5",
    known="half a reply to a request without an id, up to v25.05",
)

STATE_GATING = Rule(
    name="state-gating",
    says="A method is carried out only in the framework states that it is made for.",
    headline="{method} was {done} in the wrong state of the framework.",
    between="{proof}",
    stretch=("wrong", "state"),
    expected="carried out the method in the states that it is made for, and refused it with -1 in "
    "the others",
    advice="Ask `rpc_get_methods` with `current` what the target allows, and `framework_wait_init` "
    "for the end of initialisation, before you rely on either.",
    source="I10, LIFECYCLE 2.8",
)

MALFORMED_REQUEST = Rule(
    name="malformed-request",
    says="A malformed request is answered with the error that its fault calls for, and has no "
    "effect.",
    headline="{method} was answered {answer}, although {fault}.",
    between="{proof}",
    stretch=("malformed,", "and not", "refused"),
    expected="refused the request, and not carried it out",
    advice="Correct the request. Until the target is fixed, check what you send: it does not.",
    source="I11, LIFECYCLE 2.3",
)
