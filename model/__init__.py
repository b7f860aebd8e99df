"""The life cycles as machines, their systems, exploration, and the RPC catalogue."""
