"""What was notified (LIFECYCLE 7.1; lib/notify/notify_rpc.c)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer.notifications import RING
from bdevcheck.traces.target.offers import offer_of

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target


def get_types(target: Target, call: Call) -> None:
    """Serve notify_get_types."""
    call.reply(list(offer_of(target.settings.variant).notifications))


def get_notifications(target: Target, call: Call) -> None:
    """Serve notify_get_notifications: from `id` on, up to `max`, without what the ring lost."""
    first, most = call.params.get("id", 0), call.params.get("max", RING)
    notices = target.layer.notifications.since(
        first if isinstance(first, int) else 0, most if isinstance(most, int) else RING
    )
    call.reply([{"type": each.type, "ctx": each.ctx, "id": each.id} for each in notices])


HANDLERS: Mapping[str, Handler] = {
    "notify_get_types": get_types,
    "notify_get_notifications": get_notifications,
}
