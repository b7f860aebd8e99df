"""How a reply reaches the client where nothing more is asked of that moment (LIFECYCLE 2.4)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause

SUCCESS_SEEN = Clause("success seen", {"rpc": "send_ok"})
ERROR_SEEN = Clause("error seen", {"rpc": "send_error"})

SEEN = (SUCCESS_SEEN, ERROR_SEEN)
"""The reply is seen, whatever the bdev is at then."""
