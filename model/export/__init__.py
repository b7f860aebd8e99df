"""Exports: a system in the form that other checkers and tools read, one file a format."""
