"""What an lvstore writes to its base: found again by whoever reads it."""

from __future__ import annotations

import msgspec

MIB = 1 << 20
CLUSTER = 4 * MIB
"""Bytes of a cluster where the request says nothing."""
PAGE = 4096
NAME_MAX = 63
"""Bytes of the longest name of an lvstore or a volume."""
_MASK_HEAD = 5
"""Bytes before the bits of a mask (struct spdk_blob_md_mask)."""


class Blob(msgspec.Struct, kw_only=True):
    """One volume on disk. `parent` is the uuid of its snapshot, `external` that of a bdev."""

    uuid: str
    name: str
    clusters: int
    allocated: int
    thin: bool
    snapshot: bool = False
    parent: str = ""
    external: str = ""
    read_only: bool = False


class Blobstore(msgspec.Struct, kw_only=True, tag="lvstore"):
    """One lvstore on disk. Sizes are bytes, `clusters` counts those of data."""

    uuid: str
    name: str
    cluster_size: int
    clusters: int
    blobs: list[Blob] = []

    @property
    def free(self) -> int:
        """Return how many clusters no volume has."""
        return self.clusters - sum(blob.allocated for blob in self.blobs)

    def clones_of(self, blob: Blob) -> list[Blob]:
        """Return the volumes whose snapshot this is, in the order of creation."""
        return [each for each in self.blobs if each.parent == blob.uuid]

    def clusters_for(self, size: int) -> int:
        """Return how many clusters hold `size` bytes."""
        return -(-size // self.cluster_size)


def data_clusters(size: int, cluster_size: int, ratio: int = 100) -> int:
    """Return how many clusters of data fit on `size` bytes, beside the metadata.

    `ratio` is the number of metadata pages for each 100 clusters (bs_init, lib/blob/blobstore.c).
    """
    total = size // cluster_size
    pages = total * ratio // 100
    masks = sum(_mask_pages(bits) for bits in (total, pages, pages))
    metadata = -(-(1 + masks + pages) * PAGE // cluster_size)
    return total - metadata


def max_growable(size: int, cluster_size: int) -> int:
    """Return the bytes up to which the store can grow: as far as its mask of clusters reaches."""
    pages = _mask_pages(size // cluster_size)
    return (pages * PAGE - _MASK_HEAD) * 8 * cluster_size


def _mask_pages(bits: int) -> int:
    return -(-(_MASK_HEAD + -(-bits // 8)) // PAGE)
