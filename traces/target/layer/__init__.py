"""The bdev layer of the emulated target (LIFECYCLE 1): names, descriptors, claims, examination."""

from bdevcheck.traces.target.layer.bdev import (
    IO_TYPES,
    Bdev,
    Descriptor,
    Done,
    Io,
    Storage,
    done_at,
)
from bdevcheck.traces.target.layer.layer import Layer, Module

__all__ = ["IO_TYPES", "Bdev", "Descriptor", "Done", "Io", "Layer", "Module", "Storage", "done_at"]
