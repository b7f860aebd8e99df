"""Every property of the JSON-RPC layer's systems can fail: in some version, or in its twin."""

import pytest

from .changed import Twins, assert_each_has_a_twin, assert_fails, cases_of, twin
from .explored import GROUPS

TWINS: Twins = {
    "startup-gating": {
        "startup_only-carried-out-only-where-allowed": "framework allows_startup runtime runtime",
        "startup_only-refused-only-where-not-allowed": "framework refuses_startup startup startup",
        # What is pipelined behind framework_start_init would be carried out in STARTUP.
        "runtime_only-carried-out-only-where-allowed": (
            "framework allows_runtime initialising initialising"
        ),
        "runtime_only-refused-only-where-not-allowed": "framework refuses_runtime runtime runtime",
        "either_state-is-never-refused": "rpc serve_ok received queued_error",
        "start_init-is-answered-unless-initialisation-hangs": "framework sends runtime -",
        "wait_init-is-answered-once-initialised": "framework sends runtime -",
        "refused-before-the-true-of-start_init": "framework wait_for_rpc starting runtime",
        "replies-leave-in-the-order-queued": "rpc is_not_queued queued_error queued_error",
        "nothing-is-read-while-booting": "framework reads booting booting",
        "served-at-runtime": "framework reads runtime -",
        "failed-initialisation-is-told": "framework sends failed -",
        "no-deadlock": "rpc is_not_received unsent -",
    },
    "connections": {
        "closed-connections-use-no-slot": "server_slot give_back used used",
        "open-connection-is-answered": "connection carries_replies open -",
        "queued-reply-leaves-after-a-half-close": "connection carries_replies half_closed -",
        "a-reply-is-queued-at-a-half-close": "rpc is_not_received queued_ok -",
        "both-served": "connection accept waiting half_closed",
        "no-deadlock": "connection half_close open closed",
    },
    "pipelining": {
        "every-reply-can-be-read-if-all-have-ids": (
            "request_kind has_no_id asynchronous asynchronous"
        ),
        "half-a-reply-spoils-the-stream-for-good": "stream spoil sound sound",
        "faulty-first-has-no-effect": "request_kind answers_later malformed malformed",
        "faulty-second-has-no-effect": "request_kind answers_at_once undecodable undecodable",
        "first-method-not-found-says-what-is-wrong": (
            "refusal say_method_not_found none invalid_request"
        ),
        "first-invalid-request-says-what-is-wrong": (
            "refusal say_method_not_found none invalid_request"
        ),
        "first-invalid-parameters-says-what-is-wrong": (
            "refusal say_invalid_parameters none method_not_found"
        ),
        "second-method-not-found-says-what-is-wrong": (
            "refusal say_invalid_parameters none method_not_found"
        ),
        "second-invalid-request-says-what-is-wrong": (
            "refusal say_invalid_request none invalid_parameters"
        ),
        "second-invalid-parameters-says-what-is-wrong": (
            "refusal say_invalid_request none invalid_parameters"
        ),
        "first-is-answered": "reply_queue send_first first -",
        "second-is-answered": "reply_queue send_second second -",
        "the-second-is-answered-first": "reply_queue queue_second empty -",
        "synchronous-requests-are-answered-in-order": (
            "reply_queue queue_second first second_first"
        ),
        "without-id-an-error-is-sent": "request_kind be_without_id unread asynchronous",
        "no-deadlock": "reply_queue send_first first -",
    },
    "batch": {
        "create-after-register-kept": "bdev has_registered allocated allocated",
        "one-array-answers-every-member-with-an-id": "batch finalise collecting answered",
        "nothing-of-a-refused-array-is-carried-out": "batch receive unsent refused",
        "a-member-that-is-no-object-never-succeeds": "rpc serve_error received queued_ok",
        "array-is-answered": "batch finalise collecting collecting",
        "an-array-is-refused": "batch refuse unsent silent",
        "no-deadlock": "rpc is_not_pending queued_error -",
        "the-use-fails-although-the-create-succeeds": "name is_unlisted free -",
        # A pass that lets others run between two members: then the use may come in time.
        "behind-a-create-that-answers-later-the-use-fails": "reader is_idle reading reading",
        "behind-a-create-that-answers-at-once-the-use-succeeds": "lvstore is_present absent absent",
        "a-request-behind-the-array-is-answered-first": "batch is_read collecting -",
        "the-use-succeeds": "lvstore format absent absent",
        "an-array-without-ids-is-not-answered": "batch end_silently collecting answered",
        "an-array-without-ids-ends": "batch end_silently collecting refused",
    },
    "discovery": {
        **dict.fromkeys(
            (f"nvme0n{n}-is-left-out-only-if-its-registration-failed" for n in (1, 2)),
            "bdev is_settled allocated allocated",
        ),
        "what-attach-lists-is-examined": "examine is_idle busy busy",
        "error-without-effect-unless-beyond-max_bdevs": "bdev is_unborn absent registered",
        "start_and_wait-is-answered-unless-the-log-page-is-empty": (
            "discovery finish attaching attaching"
        ),
        "attach-is-answered": "examine finish busy busy",
        "start-is-answered-before-anything-is-registered": "rpc serve_ok received queued_error",
        "start-attaches-later": "bdev register allocated -",
        "start_and_wait-is-answered-although-a-registration-failed": "name is_taken listed -",
        "start_and_wait-is-answered-before-examination": "examine start idle idle",
        "start_and_wait-is-answered-although-connecting-failed": (
            "controller fail connecting attached"
        ),
        "connecting-fails": "bdev is_unborn absent -",
        "no-deadlock": "bdev is_settled failed -",
    },
}
IN_OLD_VERSIONS = {
    "every-reply-can-be-read-if-all-have-ids",
    "half-a-reply-spoils-the-stream-for-good",
}
"""Claims about what v26.05 does not do any more: their twins are of `buggy`."""


@pytest.mark.parametrize(("system", "claim"), cases_of(TWINS))
def test_every_property_fails_in_its_twin(system: str, claim: str) -> None:
    variant = "buggy" if claim in IN_OLD_VERSIONS else "modern"
    assert_fails(twin(system, variant, TWINS[system][claim]), claim)


@pytest.mark.parametrize("system", GROUPS["rpc"])
def test_no_property_is_without_a_twin(system: str) -> None:
    assert_each_has_a_twin(system, TWINS[system])
