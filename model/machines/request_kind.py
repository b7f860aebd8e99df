"""What a client asks in one request, as far as the JSON-RPC layer tells requests apart.

Sources: LIFECYCLE 2.3-2.5; jsonrpc_parse_request (lib/jsonrpc/jsonrpc_server.c:520) and
parse_single_request (85) of SPDK v26.05. *asynchronous* and *synchronous* are requests in order,
whose handlers answer later or in the call. *malformed* is JSON, but no request (an unknown member,
no method, an id of a wrong type); *undecodable* is a request whose parameters its handler's decoder
refuses.

Choice: a request without an id is one with an asynchronous handler, which covers the other: the
reply may be ready at once. Requests that are no JSON at all end their connection, and are the
connection's matter.
"""

from bdevcheck.model.machine import declare

_KINDS = (
    "asynchronous",
    "synchronous",
    "without_id",
    "unknown_method",
    "malformed",
    "undecodable",
)

REQUEST_KIND = declare(
    "request_kind",
    ["unread", *_KINDS],
    [
        *((f"be_{kind}", "unread", kind) for kind in _KINDS),
        ("answers_later", "asynchronous", "="),
        ("answers_at_once", "synchronous", "="),
        ("wants_reply", ["asynchronous", "synchronous"], "="),
        ("has_no_id", "without_id", "="),
        ("names_no_method", "unknown_method", "="),
        ("is_no_request", "malformed", "="),
        ("cannot_be_decoded", "undecodable", "="),
    ],
    about="what a request asks: a method in order, or something faulty",
)

KINDS = _KINDS
"""The kinds of request; ``be_<kind>`` is the event by which the server reads one."""
