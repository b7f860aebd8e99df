"""JSON-RPC as the target speaks it: framing, connections, requests, their dispatch and their log."""
