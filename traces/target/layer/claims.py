"""Who may write to a bdev (LIFECYCLE 1.6; bdev.c:9413, 9722)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer.bdev import Bdev, Descriptor
from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.layer.layer import Layer

EPERM, EINVAL = -1, -22


def _claim_of(bdev: Bdev) -> Life:
    assert bdev.claim is not None, "a bdev that was never registered has no claim"
    return bdev.claim


def tell(layer: Layer, bdev: Bdev, function: str, place: str) -> None:
    """Log that a bdev is claimed already."""
    text = (
        f"bdev {bdev.name} already claimed: type {_claim_of(bdev).state} by module {bdev.claimer}"
    )
    layer.log.line(place, function, "ERROR", text)


def claim_exclusive(
    layer: Layer, bdev: Bdev, module: str, descriptor: Descriptor | None = None
) -> None:
    """Claim v1: other writers that are open already are not looked at."""
    claim = _claim_of(bdev)
    if claim.may("is_claimed"):
        if layer.planted.shares_claims:
            return
        tell(layer, bdev, "spdk_bdev_module_claim_bdev", "bdev.c:9418")
        raise Refused(EPERM)
    if descriptor is not None:
        descriptor.write = True
    claim.fire("claim_exclusive_write")
    bdev.claimer = module
    if bdev.life.may("claim"):
        bdev.life.fire("claim")


def claim_shared(layer: Layer, descriptor: Descriptor, kind: str, module: str) -> None:
    """Claim v2, through a descriptor."""
    bdev = descriptor.bdev
    claim, event = _claim_of(bdev), f"claim_{kind}"
    writers = [each for each in bdev.descriptors if each.write and each is not descriptor]
    reads_only = kind.endswith("_none")
    if reads_only and descriptor.write:
        raise Refused(EINVAL)
    if descriptor.claims or not claim.may(event) or (writers and claim.may("is_unclaimed")):
        tell(layer, bdev, "spdk_bdev_module_claim_bdev_desc", "bdev.c:9722")
        raise Refused(EPERM)
    claim.fire(event)
    descriptor.claims = kind
    descriptor.write = descriptor.write or not reads_only
    bdev.claimer = module
    if bdev.life.may("claim"):
        bdev.life.fire("claim")


def drop(bdev: Bdev, descriptor: Descriptor) -> None:
    """Give back what a descriptor claims; the last holder of a shared claim ends it."""
    descriptor.claims = ""
    if not any(each.claims for each in bdev.descriptors):
        release(bdev)


def release(bdev: Bdev) -> None:
    """End the claim, unless a holder that shared it wrongly has ended it already."""
    if not _claim_of(bdev).may("release"):
        return
    _claim_of(bdev).fire("release")
    bdev.claimer = ""
    if bdev.life.may("release"):
        bdev.life.fire("release")
