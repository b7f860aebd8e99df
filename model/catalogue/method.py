"""One row of the catalogue: what is known of an RPC method, as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from bdevcheck.model.catalogue.template import parameters_in

LifeKind = Literal[
    "create",
    "delete",
    "detach",
    "rename",
    "use",
    "lookup",
    "wait",
    "examine",
    "adopt",
    "logging",
    "shutdown",
    "other",
]
"""What a checker follows: methods that make, end or show a bdev, or what the log says of it."""

SideKind = Literal["change", "hold", "let-go", "view", "setting"]
"""The rest: a bdev is altered, opened by a consumer, let go, described; the target is set up."""

Kind = LifeKind | SideKind
ANYTHING = "*"
"""In `forgives`: parameters of which the method knows nothing."""

Result = Literal["name", "names", "object", "bool", "bdevs", "list", "text", "number"]
Role = Literal["N", "B", "C"]
"""N names the new bdev, B an existing one, C another object (LIFECYCLE 4.1)."""

FOLLOWED: frozenset[str] = frozenset(get_args(LifeKind))
TOLD: frozenset[str] = frozenset({"name", "names", "object", "bool", "bdevs"})
"""The results of followed methods: those that a checker knows how to read."""

JSON_RPC = {
    -32700: "parse error",
    -32603: "internal error",
    -32602: "invalid parameters",
    -32601: "method not found",
    -32600: "invalid request",
}
ERRNO = {
    -1: ("EPERM", "Operation not permitted"),
    -2: ("ENOENT", "No such file or directory"),
    -5: ("EIO", "Input/output error"),
    -11: ("EAGAIN", "Resource temporarily unavailable"),
    -12: ("ENOMEM", "Cannot allocate memory"),
    -13: ("EACCES", "Permission denied"),
    -14: ("EFAULT", "Bad address"),
    -16: ("EBUSY", "Device or resource busy"),
    -17: ("EEXIST", "File exists"),
    -19: ("ENODEV", "No such device"),
    -22: ("EINVAL", "Invalid argument"),
    -34: ("ERANGE", "Numerical result out of range"),
    -95: ("ENOTSUP", "Operation not supported"),
    -110: ("ETIMEDOUT", "Connection timed out"),
    -114: ("EALREADY", "Operation already in progress"),
}
"""The error numbers that SPDK gives, as it writes them: code -> name and text (LIFECYCLE 1.10)."""


class Failure(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One error reply: ``[code, cause, message, since, until]``, all but the first two optional.

    In `says` a star stands for any text; empty, it is the text of the error number.
    """

    code: int
    cause: str
    says: str = ""
    since: str = ""
    until: str = ""

    @property
    def message(self) -> str:
        """Return the message of the reply, a star for any text."""
        return self.says or ERRNO[self.code][1]


INVALID_REQUEST = Failure(-32600, "the request is malformed", "Invalid request")
NO_METHOD = Failure(
    -32601, "this version has no such method, or does not offer it", "Method not found"
)
WRONG_STATE = Failure(-1, "the framework is in another state", "Method may only be called *")
PROTOCOL = (INVALID_REQUEST, NO_METHOD, WRONG_STATE)
"""What every method may be answered before its handler runs (LIFECYCLE 2.3, 2.8)."""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter that not all versions have.

    `since` and `until` are the first and the last that do (empty: no such bound). `by` is the
    variant parameter that tells these versions from the others, if there is one.
    """

    name: str
    since: str = ""
    until: str = ""
    by: str = ""


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row.

    `kind` says what the method is for; `module` is the SPDK module that has it. `since` and `until`
    are the first and the last version with it (empty: all of them); `states` the framework states
    that allow it; `aliases` its deprecated names.

    `required` and `optional` are its parameters, `changes` those that some versions lack.
    `forgives` are the required ones that some version does without; ``*`` stands for whatever a
    handler takes that does not look at all its parameters, in some version. `bdevs`
    are templates of the names of the bdevs that the call is about: ``{p}`` is the value of
    parameter p, ``{p#}`` counts from 0 below the value of p, ``*`` stands for any number. Of a
    create, the reply comes first: `result` says what it holds ("name": the new name, "names": a
    list of them, "object": a member `name`, "bool": nothing, "bdevs": the bdevs found; else its
    JSON type). `when_deferred` is the result of a deferred create, where it is another. `bases` are
    the parameters that name bases (a string or a list; ``a.b`` is member b of a), `existing` those
    of other bdevs, which a checker does not relate, `objects` those of other objects. `store` names
    the lvstore (``{a|b}``: the first of the two that is given), `alias` the second name that a
    volume gets (``{p^}``: the lvstore part of the alias in p), `peer` the parameter that names a
    volume of the same lvstore. `hold` is how bases are held: opened, or by which claim.

    `reply` is the reply class of LIFECYCLE 4.1: "at-once" (S), "later" (A), "after-examine"
    (AX), "at-initiation" (I); `defers` (D): success is right while a base is missing. `missing`
    are the error codes that say that the bdev asked for is not there. `volatile`: its bdevs may
    vanish without a call. `discards`: the delete also ends bdevs that were never registered.
    `ghosts` are the error codes after which a refused create's record stays behind.
    `early` is the variant parameter under which the reply comes too soon. `superblock` is the
    boolean parameter that asks for metadata on the bases, `auto_examine` the one that says whether
    bdevs are examined when they register. `contract` selects what the handler does.
    `tells` is what its result says of the target itself.

    `deleted_by` are the methods that take away what it makes or holds. `varies` are the variant
    parameters that matter to it, besides those of its contract. `decode` are code and message for
    parameters that do not decode (LIFECYCLE 2.3), `errors` the failures of the operation, those of
    LIFECYCLE 4; other errors are possible. `note` and `source` are for people.
    """

    kind: Kind
    name: str = ""
    family: str = ""
    module: str = ""
    since: str = ""
    until: str = ""
    states: Literal["runtime", "startup", "both"] = "runtime"
    aliases: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    forgives: tuple[str, ...] = ()
    bdevs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    existing: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    store: str = ""
    alias: str = ""
    peer: str = ""
    superblock: str = ""
    auto_examine: str = ""
    result: Result = "bool"
    when_deferred: Result | None = None
    reply: Literal["at-once", "later", "after-examine", "at-initiation"] = "later"
    defers: bool = False
    contract: Literal["plain", "raid", "start-init", "wait-init"] = "plain"
    tells: Literal["nothing", "version"] = "nothing"
    early: str = ""
    hold: Literal[
        "none",
        "read-open",
        "write-open",
        "exclusive_write",
        "read_many_write_one",
        "read_many_write_none",
    ] = "none"
    volatile: bool = False
    discards: bool = False
    ghosts: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    deleted_by: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()
    decode: tuple[int, str] = (-32603, "spdk_json_decode_object failed")
    errors: tuple[Failure, ...] = ()
    note: str = ""
    source: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return all parameters, the required ones first."""
        return self.required + self.optional


def is_followed(method: Method) -> bool:
    """Tell whether a checker follows calls of this method."""
    return method.kind in FOLLOWED


def roles_of(method: Method) -> dict[str, Role]:
    """Return the roles of parameters; what is left out has none.

    >>> from bdevcheck.model.catalogue import catalogue
    >>> roles_of(catalogue()["bdev_crypto_create"])
    {'name': 'N', 'base_bdev_name': 'B', 'key_name': 'C'}
    """
    named: Role = "N" if method.kind == "create" else "B"
    roles = _all(_whole(method.bdevs), named)
    existing = (*method.bases, *method.existing, *filter(None, [method.peer]))
    roles |= _all(existing, "B")
    return roles | _all((*parameters_in(method.store), *method.objects), "C")


def _all(parameters: Iterable[str], role: Role) -> dict[str, Role]:
    return dict.fromkeys(parameters, role)


def _whole(templates: Iterable[str]) -> tuple[str, ...]:
    """Return the parameters whose values are names as they stand."""
    return tuple(p for t in templates for p in parameters_in(t) if t == f"{{{p}}}")
