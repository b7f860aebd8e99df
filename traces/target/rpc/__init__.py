"""JSON-RPC as the target speaks it: framing, connections, requests, dispatch and their log."""
