"""The error with which the JSON-RPC layer refuses one request, if it does.

Sources: LIFECYCLE 2.3. *invalid_request* is -32600, *method_not_found* -32601; the code of
*invalid_parameters* is the module's choice (-32603, -32602, or for raids -32700), and one here.
"""

from bdevcheck.model.machine import declare

_CODES = ("invalid_request", "method_not_found", "invalid_parameters")

REFUSAL = declare(
    "refusal",
    ["none", *_CODES],
    [(f"say_{code}", "none", code) for code in _CODES],
    about="the error code by which a request is refused before its handler acts",
)
