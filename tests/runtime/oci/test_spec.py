"""runtime.oci.spec: from CRI's configuration to config.json."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from podium.runtime.oci.capabilities import DEFAULT, NAMES
from podium.runtime.oci.devices import Device
from podium.runtime.oci.spec import (
    Adaptation,
    NodeAbilities,
    SandboxView,
    adaptation,
    build_spec,
    environment,
    mounts,
    process_args,
    resources,
)
from podium.runtime.port import (
    Capability,
    ContainerConfig,
    ContainerMetadata,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    LinuxContainerUser,
    Mount,
    NamespaceMode,
    NamespaceOption,
    ProfileType,
    RuntimeFailure,
    SecurityProfile,
)
from support.oci import PlainImageConfig

NODE = NodeAbilities(frozenset(NAMES))
SANDBOX = SandboxView(
    "web", "/s/resolv.conf", "/s/hostname", "/s/shm", {"network": "/n/net", "ipc": "/n/ipc"}
)
PLAIN = ContainerConfig(ContainerMetadata("c"), "sha256:1", command=("run",))
IMAGE = PlainImageConfig(cmd=())
ROOT = LinuxContainerUser(0, 0)


def spec(
    config: ContainerConfig = PLAIN,
    image: PlainImageConfig = IMAGE,
    node: NodeAbilities = NODE,
    **rest: Any,
) -> dict[str, Any]:
    return build_spec(config, image, ROOT, SANDBOX, node, rootfs="/r", cgroup_path="/c", **rest)


@pytest.mark.parametrize(
    ("command", "args", "entrypoint", "cmd", "expected"),
    [
        pytest.param([], [], ["/e"], ["c"], ["/e", "c"], id="nothing-given-the-images-both"),
        pytest.param([], [], [], ["c", "d"], ["c", "d"], id="an-image-with-cmd-alone"),
        pytest.param([], [], ["/e"], [], ["/e"], id="an-image-with-entrypoint-alone"),
        pytest.param(["x"], [], ["/e"], ["c"], ["x"], id="a-command-drops-entrypoint-and-cmd"),
        pytest.param([], ["a"], ["/e"], ["c"], ["/e", "a"], id="args-replace-cmd"),
        pytest.param(["x"], ["a"], ["/e"], ["c"], ["x", "a"], id="command-and-args-replace-both"),
        pytest.param([], ["a"], [], [], ["a"], id="args-alone-are-enough"),
        pytest.param([], [], [""], ["c"], ["c"], id="an-empty-entrypoint-was-taken-back"),
    ],
)
def test_process_args(command, args, entrypoint, cmd, expected):
    config = replace(PLAIN, command=command, args=args)
    assert process_args(config, PlainImageConfig(entrypoint=entrypoint, cmd=cmd)) == expected


def test_nothing_to_run_is_refused():
    with pytest.raises(RuntimeFailure, match="no command specified"):
        process_args(replace(PLAIN, command=()), IMAGE)


@pytest.mark.parametrize(
    ("image_env", "envs", "tty", "expected"),
    [
        pytest.param((), (), False, ["PATH=…", "HOSTNAME=web"], id="the-defaults"),
        pytest.param((), (), True, ["PATH=…", "TERM=xterm", "HOSTNAME=web"], id="on-a-terminal"),
        pytest.param(
            ("PATH=/bin", "A=1"), (), False, ["PATH=/bin", "HOSTNAME=web", "A=1"],
            id="the-images-values-replace-defaults-in-place",
        ),
        pytest.param(
            ("A=1", "B=2"), (("A", "9"), ("C", "3")), False,
            ["PATH=…", "HOSTNAME=web", "A=9", "B=2", "C=3"],
            id="the-pods-values-replace-the-images",
        ),
        pytest.param(
            (), (("HOSTNAME", "mine"), ("E", "a=b")), False, ["PATH=…", "HOSTNAME=mine", "E=a=b"],
            id="the-host-name-can-be-replaced",
        ),
    ],
)  # fmt: skip
def test_environment(image_env, envs, tty, expected):
    default = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    found = environment(replace(PLAIN, envs=envs, tty=tty), PlainImageConfig(env=image_env), "web")
    assert found == [entry.replace("PATH=…", default) for entry in expected]


@pytest.mark.parametrize(
    ("wish", "image_dir", "expected"),
    [
        pytest.param("", "", "/", id="root-by-default"),
        pytest.param("", "/srv", "/srv", id="the-images"),
        pytest.param("/app", "/srv", "/app", id="the-pods"),
    ],
)
def test_working_directory(wish, image_dir, expected):
    found = spec(replace(PLAIN, working_dir=wish), PlainImageConfig(working_dir=image_dir))
    assert found["process"]["cwd"] == expected


@pytest.mark.parametrize(
    ("add", "drop", "expected"),
    [
        pytest.param((), (), set(DEFAULT), id="the-default-set"),
        pytest.param(("NET_ADMIN",), (), {*DEFAULT, "CAP_NET_ADMIN"}, id="added"),
        pytest.param(("CAP_NET_ADMIN",), (), {*DEFAULT, "CAP_NET_ADMIN"}, id="added-by-long-name"),
        pytest.param((), ("KILL",), {*DEFAULT} - {"CAP_KILL"}, id="dropped"),
        pytest.param((), ("ALL",), set(), id="all-dropped"),
        pytest.param(("CHOWN",), ("ALL",), {"CAP_CHOWN"}, id="all-dropped-but-one"),
        pytest.param(("ALL",), (), set(NAMES), id="all-added"),
        pytest.param(("ALL",), ("KILL",), {*NAMES} - {"CAP_KILL"}, id="all-added-but-one"),
        pytest.param(("all",), ("kill",), {*NAMES} - {"CAP_KILL"}, id="in-small-letters"),
    ],
)
def test_capabilities(add, drop, expected):
    context = LinuxContainerSecurityContext(capabilities=Capability(add, drop))
    found = spec(replace(PLAIN, security_context=context))["process"]["capabilities"]
    assert found.keys() == {"bounding", "effective", "permitted"}
    for names in found.values():
        assert len(names) == len(set(names))
        assert set(names) == expected


def test_capabilities_are_cut_to_what_the_node_has():
    poor = NodeAbilities(frozenset(NAMES) - {"CAP_KILL", "CAP_NET_ADMIN"})
    context = LinuxContainerSecurityContext(capabilities=Capability(add=("NET_ADMIN",)))
    config = replace(PLAIN, security_context=context)
    bounding = spec(config, node=poor)["process"]["capabilities"]["bounding"]
    assert set(bounding) == {*DEFAULT} - {"CAP_KILL"}
    assert adaptation(config, poor) == Adaptation(["CAP_KILL", "CAP_NET_ADMIN"])


@pytest.mark.parametrize(
    ("wish", "lowest", "written", "said"),
    [
        pytest.param(None, 0, None, None, id="not-asked-for"),
        pytest.param(1000, 0, 1000, None, id="higher-is-always-possible"),
        pytest.param(-997, -1000, -997, None, id="lower-where-allowed"),
        pytest.param(-997, 0, 0, -997, id="raised-to-what-may-be-written"),
    ],
)
def test_oom_score_adj(wish, lowest, written, said):
    node = NodeAbilities(frozenset(NAMES), lowest_oom_score_adj=lowest)
    config = replace(PLAIN, resources=LinuxContainerResources(oom_score_adj=wish))
    assert spec(config, node=node)["process"].get("oomScoreAdj") == written
    assert adaptation(config, node).oom_score_adj == said


DENY = {"devices": [{"allow": False, "access": "rwm"}]}


@pytest.mark.parametrize(
    ("wish", "swap", "expected"),
    [
        pytest.param({}, False, DENY, id="nothing-asked-for"),
        pytest.param({"cpu_shares": 512}, False, {**DENY, "cpu": {"shares": 512}}, id="shares"),
        pytest.param(
            {"cpu_quota": 5000, "cpu_period": 10000}, False,
            {**DENY, "cpu": {"quota": 5000, "period": 10000}}, id="quota",
        ),
        pytest.param(
            {"cpu_quota": 5000}, False, {**DENY, "cpu": {"quota": 5000, "period": 100000}},
            id="quota-in-the-usual-period",
        ),
        pytest.param(
            {"memory_limit_in_bytes": 64}, False, {**DENY, "memory": {"limit": 64}}, id="memory"
        ),
        pytest.param(
            {"memory_limit_in_bytes": 64}, True, {**DENY, "memory": {"limit": 64, "swap": 64}},
            id="memory-and-no-swap",
        ),
    ],
)  # fmt: skip
def test_resources(wish, swap, expected):
    node = NodeAbilities(frozenset(NAMES), swap_accounting=swap)
    assert resources(LinuxContainerResources(**wish), node) == expected


def test_resources_in_version_2():
    node = NodeAbilities(frozenset(NAMES), swap_accounting=True, unified_cgroups=True)
    wish = LinuxContainerResources(
        memory_limit_in_bytes=64,
        hugepage_limits=[("2MB", 4096), ("1GB", 0)],
        unified=[("memory.oom.group", "1")],
    )
    assert resources(wish, node) == {
        **DENY,
        "memory": {"limit": 64},
        "unified": {"memory.oom.group": "1", "memory.swap.max": "0"},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 4096}, {"pageSize": "1GB", "limit": 0}],
    }


def test_of_version_2_nothing_is_said_where_nothing_is_asked_for():
    wish = LinuxContainerResources(unified=[("memory.oom.group", "1")])
    assert resources(wish, NodeAbilities(frozenset(NAMES))) == DENY
    node = NodeAbilities(frozenset(NAMES), unified_cgroups=True)
    assert resources(LinuxContainerResources(), node) == DENY


def destinations(config: ContainerConfig) -> dict[str, dict[str, Any]]:
    return {mount["destination"]: mount for mount in mounts(config, SANDBOX)}


def test_default_mounts():
    found = destinations(PLAIN)
    assert set(found) == {
        "/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/dev/shm",
        "/etc/hostname", "/etc/resolv.conf",
    }  # fmt: skip
    assert "ro" in found["/sys"]["options"]
    assert "ro" in found["/sys/fs/cgroup"]["options"]
    assert found["/dev/shm"]["source"] == "/s/shm"
    assert found["/etc/resolv.conf"]["options"] == ["rbind", "rprivate", "rw"]


def test_own_mounts_replace_the_defaults():
    config = replace(
        PLAIN,
        mounts=[Mount("/etc/hosts", "/h"), Mount("/dev/shm/", "/mine"), Mount("/sys", "/s", True)],
    )
    found = [(m["destination"], m["source"]) for m in mounts(config, SANDBOX)]
    assert ("/dev/shm/", "/mine") in found
    assert ("/sys", "/s") in found
    assert ("/dev/shm", "/s/shm") not in found
    assert ("/sys", "sysfs") not in found


def test_parents_are_mounted_before_children():
    config = replace(
        PLAIN,
        mounts=[Mount("/data/deep/er", "/3"), Mount("/data", "/1"), Mount("/data/deep", "/2")],
    )
    order = [mount["destination"] for mount in mounts(config, SANDBOX)]
    assert order.index("/data") < order.index("/data/deep") < order.index("/data/deep/er")
    assert order.index("/dev") < order.index("/dev/pts")


@pytest.mark.parametrize("readonly", [False, True])
def test_a_readonly_root_makes_the_managed_files_readonly(readonly):
    context = LinuxContainerSecurityContext(readonly_rootfs=readonly)
    config = replace(PLAIN, security_context=context)
    assert spec(config)["root"] == {"path": "/r", "readonly": readonly}
    assert destinations(config)["/etc/hostname"]["options"][-1] == ("ro" if readonly else "rw")


def test_namespaces_are_the_sandboxes_and_its_own():
    assert spec()["linux"]["namespaces"] == [
        {"type": "mount"},
        {"type": "pid"},
        {"type": "network", "path": "/n/net"},
        {"type": "ipc", "path": "/n/ipc"},
    ]


def test_the_hosts_processes():
    options = NamespaceOption(pid=NamespaceMode.NODE)
    context = LinuxContainerSecurityContext(namespace_options=options)
    kinds = [
        n["type"] for n in spec(replace(PLAIN, security_context=context))["linux"]["namespaces"]
    ]
    assert "pid" not in kinds


def test_a_cgroup_namespace_on_the_unified_hierarchy():
    node = NodeAbilities(frozenset(NAMES), unified_cgroups=True)
    assert {"type": "cgroup"} in spec(node=node)["linux"]["namespaces"]


def test_paths_that_are_hidden_or_readonly():
    context = LinuxContainerSecurityContext(masked_paths=("/m",), readonly_paths=("/r",))
    linux = spec(replace(PLAIN, security_context=context))["linux"]
    assert linux["maskedPaths"] == ["/m"]
    assert linux["readonlyPaths"] == ["/r"]
    assert linux["cgroupsPath"] == "/c"


def privileged(**fields: Any) -> ContainerConfig:
    return replace(PLAIN, security_context=LinuxContainerSecurityContext(privileged=True, **fields))


def test_a_privileged_container_is_kept_from_nothing():
    config = privileged(
        masked_paths=("/m",),
        readonly_paths=("/r",),
        capabilities=Capability(drop=("ALL",)),
        seccomp=SecurityProfile(ProfileType.RUNTIME_DEFAULT),
    )
    node = NodeAbilities(frozenset(NAMES) - {"CAP_SYS_RESOURCE"}, unified_cgroups=True)
    found = spec(config, node=node, devices=[Device("/dev/kmsg", "c", 1, 11, 0o644, 0, 3)])
    linux = found["linux"]
    assert not linux.keys() & {"maskedPaths", "readonlyPaths", "seccomp"}
    assert set(found["process"]["capabilities"]["bounding"]) == node.bounding_set
    assert linux["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert linux["devices"] == [
        {"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 0o644,
         "uid": 0, "gid": 3}
    ]  # fmt: skip
    assert {"type": "cgroup"} not in linux["namespaces"]
    assert adaptation(config, node).missing_capabilities == ["CAP_SYS_RESOURCE"]


def test_a_privileged_container_writes_to_cgroups_and_to_the_nodes_sys():
    on_host = NamespaceOption(network=NamespaceMode.NODE)
    found = destinations(privileged())
    assert found["/sys/fs/cgroup"]["options"][-1] == "rw"
    assert found["/sys"]["options"][-1] == "ro"
    assert destinations(privileged(namespace_options=on_host))["/sys"]["options"][-1] == "rw"


def test_seccomp_is_off_unless_asked_for():
    assert "seccomp" not in spec()["linux"]


def test_seccomp_runtime_default_follows_the_capabilities_that_are_left():
    context = LinuxContainerSecurityContext(
        capabilities=Capability(add=("SYS_ADMIN",)),
        seccomp=SecurityProfile(ProfileType.RUNTIME_DEFAULT),
    )
    config = replace(PLAIN, security_context=context)
    poor = NodeAbilities(frozenset(NAMES) - {"CAP_SYS_ADMIN"})

    def allowed(node: NodeAbilities) -> set[str]:
        rules = spec(config, node=node)["linux"]["seccomp"]["syscalls"]
        return {
            name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]
        }

    assert "mount" in allowed(NODE)
    assert "mount" not in allowed(poor)


def test_seccomp_localhost_is_what_was_loaded():
    context = LinuxContainerSecurityContext(seccomp=SecurityProfile(ProfileType.LOCALHOST, "/p"))
    profile = {"defaultAction": "SCMP_ACT_ALLOW"}
    found = spec(replace(PLAIN, security_context=context), seccomp=profile)
    assert found["linux"]["seccomp"] == profile


def test_the_user_ends_up_in_the_process():
    found = build_spec(
        PLAIN, IMAGE, LinuxContainerUser(7, 8, (8, 9)), SANDBOX, NODE, rootfs="/r", cgroup_path="/c"
    )
    assert found["process"]["user"] == {"uid": 7, "gid": 8, "additionalGids": [8, 9]}
