"""What LIFECYCLE says of methods in words, as facts about the rows of the catalogue.

Each fact takes the rows, so that the mutants of test_model_catalogue_mutants.py can be put to it.
"""

import re
from collections.abc import Callable, Mapping

import pytest

from bdevcheck.model.catalogue import Method, methods
from bdevcheck.model.catalogue.difference import is_in
from bdevcheck.model.catalogue.method import roles_of
from bdevcheck.model.catalogue.point import parameters_of
from bdevcheck.model.contract.framework import STARTING
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.model.variant import PARAMETERS, STANDS_FOR, VERSIONS

Rows = Mapping[str, Method]
Fact = Callable[[Rows], None]
FACTS: list[Fact] = []


def fact(check: Fact) -> Fact:
    FACTS.append(check)
    return check


def among(rows: Rows, **columns: object) -> set[str]:
    """Return the methods whose rows have these values."""
    return {
        name
        for name, row in rows.items()
        if all(getattr(row, column) == value for column, value in columns.items())
    }


def words(text: str) -> set[str]:
    return set(text.split())


# -- framework states, versions, names -------------------------------------------------------------

STARTUP = """accel_assign_opc accel_set_driver accel_set_options ae4dma_scan_accel_module
    compressdev_scan_accel_module cuda_scan_accel_module dpdk_cryptodev_scan_accel_module
    dsa_scan_accel_module iaa_scan_accel_module ioat_scan_accel_module mlx5_scan_accel_module
    bdev_set_options dpdk_cryptodev_set_driver framework_start_init iobuf_set_options
    iscsi_set_options keyring_linux_set_options nvmf_set_config nvmf_set_crdt
    nvmf_set_max_subsystems scheduler_set_options sock_impl_set_options sock_set_default_impl
    vmd_enable"""
BOTH = """bdev_iscsi_set_options bdev_nvme_set_options bdev_raid_set_options
    dpdk_cryptodev_get_driver framework_disable_cpumask_locks framework_enable_cpumask_locks
    framework_get_scheduler framework_set_scheduler framework_wait_init log_clear_flag log_set_flag
    log_get_flags log_get_level log_set_level log_get_print_level log_set_print_level
    rpc_get_methods sock_get_default_impl sock_impl_get_options spdk_get_version
    trace_clear_tpoint_mask trace_set_tpoint_mask trace_disable_tpoint_group
    trace_enable_tpoint_group trace_get_info trace_get_tpoint_group_mask blobfs_set_cache_size"""


@fact
def states_are_those_of_the_masks(rows: Rows) -> None:
    """LIFECYCLE 2.8; blobfs_set_cache_size is gone in v26.05, which was counted there."""
    assert among(rows, states="startup") == words(STARTUP)
    assert among(rows, states="both") == words(BOTH)


GONE = """bdev_compress_create bdev_compress_delete bdev_compress_get_orphans bdev_ftl_load
    bdev_ftl_unload blobfs_create blobfs_detect blobfs_mount blobfs_set_cache_size"""
NEW = """bdev_error_resume_pending bdev_get_histogram_borders ae4dma_scan_accel_module
    cuda_scan_accel_module"""


@fact
def methods_came_and_went_with_versions(rows: Rows) -> None:
    """LIFECYCLE 2.9, and the registrations of the six versions."""
    assert among(rows, until="v25.05") == words(GONE)
    assert among(rows, since="v26.05") == words(NEW)
    assert among(rows, since="v24.09") == {"bdev_nvme_set_keys", "scheduler_set_options"}
    timeless = words(GONE) | words(NEW) | among(rows, since="v24.09")
    assert among(rows, since="", until="") == set(rows) - timeless


@fact
def eight_deprecated_names_are_known(rows: Rows) -> None:
    """LIFECYCLE 2.9."""
    assert {alias: name for name, row in rows.items() for alias in row.aliases} == {
        "accel_get_engine_info": "accel_get_module_info",
        "construct_daos_bdev": "bdev_daos_create",
        "delete_daos_bdev": "bdev_daos_delete",
        "dsa_scan_accel_engine": "dsa_scan_accel_module",
        "enable_vmd": "vmd_enable",
        "get_lvol_stores": "bdev_lvol_get_lvstores",
        "iaa_scan_accel_engine": "iaa_scan_accel_module",
        "ioat_scan_accel_engine": "ioat_scan_accel_module",
    }
    with_aliases = {name for name, row in rows.items() if row.aliases}
    telling = {name for name, row in rows.items() if "rpc_deprecated_aliases" in row.varies}
    assert telling == with_aliases


# -- parameters ------------------------------------------------------------------------------------


@fact
def parameters_have_the_roles_of_the_tables(rows: Rows) -> None:
    """LIFECYCLE 4.2, 4.3: N names the new bdev, B an existing one, C another object."""
    told = {name: roles_of(rows[name]) for name in rows}
    assert told["bdev_malloc_create"] == {"name": "N"}
    assert told["bdev_crypto_create"] == {"name": "N", "base_bdev_name": "B", "key_name": "C"}
    assert told["bdev_raid_create"] == {"name": "N", "base_bdevs": "B"}
    assert told["bdev_raid_add_base_bdev"] == {"raid_bdev": "B", "base_bdev": "B"}
    assert told["bdev_split_create"] == {"base_bdev": "B"}
    assert told["bdev_lvol_create_lvstore"] == {"bdev_name": "B", "lvs_name": "C"}
    assert told["bdev_lvol_create"] == {"lvs_name": "C", "uuid": "C"}
    assert told["bdev_lvol_snapshot"] == {"lvol_name": "B"}
    assert told["bdev_lvol_clone_bdev"] == {"bdev": "B", "lvs_name": "C"}
    assert told["nvmf_subsystem_add_ns"] == {
        "namespace.bdev_name": "B",
        "nqn": "C",
        "tgt_name": "C",
    }
    assert told["bdev_malloc_delete"] == {"name": "B"}


@fact
def names_are_optional_where_there_is_a_default(rows: Rows) -> None:
    """LIFECYCLE 4.2: malloc and rbd number their bdevs."""
    named = {
        name
        for name, row in rows.items()
        if row.kind == "create" and "N" in roles_of(row).values() and "name" in row.optional
    }
    assert named == {"bdev_malloc_create", "bdev_rbd_create"}
    assert rows["bdev_raid_create"].required == ("name", "raid_level", "base_bdevs")
    assert rows["bdev_lvol_create"].required == ("lvol_name", "size_in_mib")


@fact
def new_parameters_are_known_by_version(rows: Rows) -> None:
    (clear,) = rows["bdev_raid_delete"].changes
    assert (clear.name, clear.since, clear.by) == ("clear_sb", "v26.05", "raid_clear_sb")
    numa = [each for each in rows["bdev_malloc_create"].changes if each.name == "numa_id"]
    assert [is_in(numa[0], version) for version in VERSIONS] == [False] * 5 + [True]


# -- replies ---------------------------------------------------------------------------------------


@fact
def every_create_defers_holds_and_answers_as_its_class_does(rows: Rows) -> None:
    """LIFECYCLE 4.4, 4.5: what defers is claimed, and answers in another form only where told."""
    assert {name for name, row in rows.items() if row.when_deferred == "text"} == {
        "bdev_ftl_create",
        "bdev_ftl_load",
    }
    assert {row.hold for row in rows.values() if row.defers} == {"exclusive_write"}


HOLDERS = {
    "exclusive_write": """bdev_passthru_create bdev_delay_create bdev_crypto_create
        bdev_zone_block_create bdev_error_create bdev_split_create bdev_compress_create
        bdev_ocf_create bdev_ftl_create bdev_ftl_load bdev_raid_create bdev_raid_add_base_bdev
        bdev_opal_create nvmf_subsystem_add_ns""",
    "read_many_write_one": "bdev_lvol_create_lvstore blobfs_create blobfs_mount",
    "read_many_write_none": "bdev_lvol_clone_bdev bdev_lvol_set_parent_bdev",
    "write-open": """nbd_start_disk ublk_start_disk ublk_recover_disk vhost_create_blk_controller
        vhost_scsi_controller_add_target iscsi_create_target_node iscsi_target_node_add_lun
        vfu_virtio_create_blk_endpoint vfu_virtio_scsi_add_target bdev_lvol_start_shallow_copy
        bdev_nvme_apply_firmware blobfs_detect""",
}


@fact
def holders_are_those_of_the_claims(rows: Rows) -> None:
    """LIFECYCLE 1.6, 4.3."""
    for hold, names in HOLDERS.items():
        assert among(rows, hold=hold) == words(names)
    claims = {row.hold for row in rows.values()} - {"none", "read-open", "write-open"}
    assert claims <= {*LIFE_CYCLES.claim.states}


@fact
def consumers_open_or_claim_what_they_take(rows: Rows) -> None:
    taken = words(HOLDERS["write-open"]) | {"nvmf_subsystem_add_ns", "blobfs_mount"}
    not_consumers = "bdev_lvol_start_shallow_copy bdev_nvme_apply_firmware blobfs_detect"
    assert among(rows, kind="hold") == taken - words(not_consumers)
    for name in among(rows, kind="hold"):
        assert rows[name].hold != "none"
        assert rows[name].bases
        assert rows[name].deleted_by or name == "blobfs_mount"


@fact
def whatever_is_made_is_deleted_by_its_own_module(rows: Rows) -> None:
    for name in among(rows, kind="create"):
        assert rows[name].deleted_by
    for row in rows.values():
        assert {rows[name].module for name in row.deleted_by} <= {row.module}
        if row.kind == "create":
            assert row.name.startswith(("bdev_" + row.module, "bdev_nvme"))


@fact
def results_have_the_forms_of_the_tables(rows: Rows) -> None:
    """LIFECYCLE 4.2, 4.3."""
    results = {name: row.result for name, row in rows.items()}
    assert among(rows, kind="delete") <= among(rows, result="bool")
    assert among(rows, result="names") == {
        "bdev_split_create",
        "bdev_virtio_attach_controller",
        "bdev_nvme_attach_controller",
    }
    assert results["nbd_start_disk"] == "text"
    assert results["ublk_start_disk"] == results["nvmf_subsystem_add_ns"] == "number"
    assert results["bdev_lvol_start_shallow_copy"] == "object"


@fact
def replies_at_initiation_are_those_listed(rows: Rows) -> None:
    """LIFECYCLE 4.5, E3 and D1 (of raid_add_base, only the rebuild comes later)."""
    assert among(rows, reply="at-initiation") == words(
        """bdev_nvme_start_discovery bdev_nvme_start_mdns_discovery bdev_nvme_set_hotplug
        bdev_virtio_blk_set_hotplug bdev_examine bdev_lvol_start_shallow_copy
        bdev_split_delete bdev_opal_delete"""
    )
    assert among(rows, reply="after-examine") == {
        "bdev_aio_create",
        "bdev_nvme_attach_controller",
    }


# -- what is refused -------------------------------------------------------------------------------


@fact
def few_methods_take_less_or_more_than_they_say(rows: Rows) -> None:
    """The decoders of v24.05, d005e023bd, v24.09 and v25.05, beside those of v26.05.

    Where a handler decodes with spdk_json_decode_object_relaxed, or not at all, what it does not
    know is no error.
    """
    forgiving = {name: row.forgives for name, row in rows.items() if row.forgives}
    lax = {name for name, forgiven in forgiving.items() if forgiven == ("*",)}
    assert lax == words(
        """vmd_enable vmd_rescan bdev_nvme_get_discovery_info bdev_nvme_get_mdns_discovery_info
        ublk_create_target ublk_destroy_target vhost_create_blk_controller nvmf_subsystem_add_ns
        framework_wait_init framework_set_scheduler"""
    )
    assert {name: forgiving[name] for name in forgiving if name not in lax} == {
        "bdev_rbd_register_cluster": ("name",),
        "bdev_ftl_unmap": ("lba", "num_blocks"),
        "bdev_lvol_clone": ("clone_name",),
        "bdev_nvme_cuse_unregister": ("name",),
        "bdev_nvme_get_controller_health_info": ("name",),
        "nvmf_set_max_subsystems": ("max_subsystems",),
        "trace_clear_tpoint_mask": ("tpoint_mask",),
        "trace_set_tpoint_mask": ("tpoint_mask",),
    }


@fact
def a_method_without_parameters_refuses_them_in_its_own_words_or_does_not_look(rows: Rows) -> None:
    default = Method("view").decode
    for name, row in rows.items():
        if not row.parameters:
            assert (row.decode == default) <= ("*" in row.forgives), name


@fact
def the_start_is_asked_and_waited_for_by_one_method_each(rows: Rows) -> None:
    """LIFECYCLE 2.8."""
    assert {row.contract: name for name, row in rows.items() if row.contract in STARTING} == {
        "start-init": "framework_start_init",
        "wait-init": "framework_wait_init",
    }
    assert among(rows, tells="version") == {"spdk_get_version"}


# -- errors ----------------------------------------------------------------------------------------


@fact
def decoding_fails_with_parse_error_in_few_modules(rows: Rows) -> None:
    """LIFECYCLE 2.3."""
    found = {
        name for name, row in rows.items() if row.decode[0] == -32700 and row.name[:4] == "bdev"
    }
    assert found == words(
        """bdev_raid_create bdev_raid_delete bdev_raid_get_bdevs bdev_raid_remove_base_bdev
        bdev_raid_set_options bdev_crypto_create bdev_daos_create bdev_daos_delete
        bdev_compress_create"""
    )
    assert rows["bdev_split_create"].decode == (-32602, "Invalid parameters")
    assert rows["bdev_malloc_create"].decode == (-32603, "spdk_json_decode_object failed")


@fact
def errors_are_those_of_the_tables(rows: Rows) -> None:
    """LIFECYCLE 3.6, 4.2."""
    codes = {name: [failure.code for failure in row.errors] for name, row in rows.items()}
    assert codes["bdev_malloc_create"] == [-22, -12, -17]
    assert codes["bdev_uring_create"] == [-32603]
    assert set(codes["bdev_raid_create"]) == {-1, -5, -12, -17, -22}
    early = [each for each in rows["bdev_raid_create"].errors if each.since]
    assert [(each.code, is_in(each, "d005e023bd")) for each in early] == [(-5, False), (-17, False)]
    for name in among(rows, kind="delete"):
        assert set(codes[name]) & {-19, -32602, -32603}, name


@fact
def only_a_missing_bdev_makes_a_lookup_or_use_fail_so(rows: Rows) -> None:
    missing = {name: row.missing for name, row in rows.items() if row.missing}
    assert missing == {"bdev_get_bdevs": (-19, -110), "bdev_lvol_create_lvstore": (-19,)}


# -- versions --------------------------------------------------------------------------------------

OF_EVERY_METHOD = """register_open_race register_checks_thread uuid_alias_leak_on_register_fail
    unregister_waits_locked_ranges rpc_batch rpc_notification_partial_output
    rpc_halfclose_drops_async rpc_conn_slot_leak rpc_large_requests rpc_log_long_line_garbage"""


@fact
def every_variant_parameter_matters_to_some_method(rows: Rows) -> None:
    """Those that concern registration, unregistration or the protocol matter to all of them."""
    named = {name for row in rows.values() for name in parameters_of(row)}
    assert named == set(PARAMETERS) - words(OF_EVERY_METHOD)
    assert set(STANDS_FOR.values()) <= set(VERSIONS)


@fact
def compress_was_early(rows: Rows) -> None:
    early = {name: row.early for name, row in rows.items() if row.early}
    assert early == {"bdev_compress_create": "compress_create_early_reply"}


# -- for people ------------------------------------------------------------------------------------


@fact
def auto_examine_is_switched_by_one_method(rows: Rows) -> None:
    """LIFECYCLE 1.3: examination at registration is an option of the bdev layer."""
    told = {name: row.auto_examine for name, row in rows.items() if row.auto_examine}
    assert told == {"bdev_set_options": "bdev_auto_examine"}


@fact
def ghosts_are_told(rows: Rows) -> None:
    """LIFECYCLE 4.4: which creates leave a record behind an error."""
    told = {name for name, row in rows.items() if "ghost" in row.note}
    assert told == {"bdev_passthru_create", "bdev_delay_create"}
    assert {name: row.ghosts for name, row in rows.items() if row.ghosts} == dict.fromkeys(
        told, (-1,)
    )


@fact
def every_row_says_where_it_was_read(rows: Rows) -> None:
    form = re.compile(r"LIFECYCLE [1-9][\d.,\- ]*; [\w/]+\.c(:\d+)?")
    assert [name for name, row in rows.items() if not form.fullmatch(row.source)] == []


@pytest.mark.parametrize("check", FACTS, ids=lambda check: check.__name__)
def test_the_catalogue_keeps_to(check: Fact) -> None:
    check(methods())
