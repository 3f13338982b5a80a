"""Small pure pieces: durations, expansion, host names, resolvers, environments, cgroup values."""

from __future__ import annotations

import pytest

from podium.api.codec import from_plain
from podium.api.types.core_v1 import ConfigMap, Secret, Service
from podium.domain.pods.cgroups import (
    CpuQuota,
    container_cgroup,
    cpu_quota,
    cpu_shares,
    oom_score_adj,
    pod_cgroup,
)
from podium.domain.pods.dns import ClusterDns, Resolver, parse_resolv_conf, pod_resolver
from podium.domain.pods.downward import DownwardFacts
from podium.domain.pods.durations import go_duration
from podium.domain.pods.environment import EnvironmentProblem, EnvironmentSources, environment
from podium.domain.pods.expansion import expand
from podium.domain.pods.hostname import NameTooLong, hostname, hosts_file, kernel_hostname
from podium.domain.pods.service_environment import service_environment
from support.pods import make_pod


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.0854, "85ms"), (1.5671, "1.567s"), (10, "10s"), (80, "1m20s"),
        (300, "5m0s"), (3661.5, "1h1m1.5s"),
    ],
)  # fmt: skip
def test_durations_are_written_as_go_writes_them(seconds, text):
    assert go_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("$(A)-$(B)", "1-2"),
        ("$(NOSUCH)", "$(NOSUCH)"),
        ("$$(A)", "$(A)"),
        ("$A $ $(", "$A $ $("),
        ("a$$b", "a$b"),
        ("$(A)$$$(B", "1$$(B"),
        pytest.param("$(" * 300_000, "$(" * 300_000, id="never-closed"),
    ],
)
def test_expansion(text, expanded):
    assert expand(text, {"A": "1"}, {"A": "hidden", "B": "2"}) == expanded


def test_a_long_name_is_cut_for_the_host_name():
    pod = make_pod("a")
    pod.metadata.name = "-".join(f"{letter}23456789" for letter in "abcdefg")
    assert hostname(pod) == "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-g23"


SUB = {"hostname": "web", "subdomain": "team"}
LONG = {"hostname": "h" * 30, "subdomain": "s" * 20}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        pytest.param({}, "kuard", id="the-pods-name"),
        pytest.param({"hostname": "web"}, "web", id="hostname"),
        pytest.param(SUB, "web", id="a-subdomain-alone"),
        pytest.param(
            {**SUB, "setHostnameAsFQDN": True}, "web.team.default.svc.cluster.local",
            id="the-whole-name",
        ),
        pytest.param({"setHostnameAsFQDN": True}, "kuard", id="no-subdomain-no-whole-name"),
        pytest.param({"hostNetwork": True}, "", id="the-nodes"),
        pytest.param({"hostnameOverride": "a.b"}, "a.b", id="override"),
        pytest.param({"hostnameOverride": "a.b", **SUB}, "a.b", id="override-before-all"),
        pytest.param({"hostnameOverride": "x" * 62 + "-yz"}, "x" * 62, id="override-cut"),
    ],
)  # fmt: skip
def test_the_name_that_the_kernel_is_told(spec, name):
    assert kernel_hostname(make_pod("a", **spec), "cluster.local") == name


def test_a_whole_name_that_does_not_fit():
    pod = make_pod("a", setHostnameAsFQDN=True, **LONG)
    with pytest.raises(NameTooLong) as caught:
        kernel_hostname(pod, "cluster.local")
    whole = f"{'h' * 30}.{'s' * 20}.default.svc.cluster.local"
    assert str(caught.value) == (
        f"failed to construct FQDN from pod hostname and cluster domain, FQDN {whole} is too "
        f"long (64 characters is the max, {len(whole)} characters requested)"
    )


MANAGED = """\
# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param({}, MANAGED + "10.42.0.2\tkuard\n", id="plain"),
        pytest.param(
            SUB, MANAGED + "10.42.0.2\tweb.team.default.svc.cluster.local\tweb\n", id="subdomain"
        ),
        pytest.param(
            {**SUB, "hostnameOverride": "mine"}, MANAGED + "10.42.0.2\tmine\n", id="override"
        ),
        pytest.param(
            {"hostNetwork": True, "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["one"]}]},
            "# Kubernetes-managed hosts file (host network).\n127.0.0.1 node\n"
            "\n# Entries added by HostAliases.\n192.0.2.1\tone\n",
            id="host-network",
        ),
    ],
)
def test_hosts_files(spec, text):
    pod = make_pod("a", **spec)
    assert hosts_file(pod, ["10.42.0.2"], "cluster.local", "127.0.0.1 node\n") == text


def test_hosts_file():
    pod = make_pod("a", hostAliases=[{"ip": "192.0.2.1", "hostnames": ["one", "two"]}])
    text = hosts_file(pod, ["10.42.0.2"], "cluster.local")
    assert text.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert "10.42.0.2\tkuard\n" in text
    assert text.endswith("# Entries added by HostAliases.\n192.0.2.1\tone\ttwo\n")


NODE = Resolver(("192.0.2.53",), ("example.org",), ("rotate",))


def test_without_cluster_dns_a_pod_gets_the_nodes_resolver_and_is_told():
    pod = make_pod("a")
    resolver, [event] = pod_resolver(pod, NODE, ClusterDns())
    assert resolver == NODE
    assert (event.reason, event.message) == (
        "MissingClusterDNS",
        f'pod: "kuard_default({pod.metadata.uid})". kubelet does not have ClusterDNS IP '
        'configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" '
        "policy.",
    )


@pytest.mark.parametrize(
    ("spec", "of_cluster"),
    [
        ({"dnsPolicy": "Default"}, False),
        ({"hostNetwork": True}, False),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirst"}, False),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, True),
        ({"dnsPolicy": "ClusterFirstWithHostNet"}, True),
    ],
)
def test_who_gets_the_nodes_resolver(spec, of_cluster):
    cluster = ClusterDns(("10.96.0.10",), "cluster.local")
    resolver, events = pod_resolver(make_pod("a", **spec), NODE, cluster)
    assert (resolver.servers == ("10.96.0.10",), events) == (of_cluster, [])


def test_a_domain_that_resolvers_choke_on_is_left_out():
    node = Resolver(("192.0.2.53",), ("a" * 254, "example.org"))
    resolver, [event] = pod_resolver(make_pod("a", dnsPolicy="Default"), node, ClusterDns())
    assert resolver.searches == ("example.org",)
    assert event.message.endswith("the applied search line is: example.org")


def test_cluster_first():
    cluster = ClusterDns(("10.96.0.10",), "cluster.local")
    resolver, events = pod_resolver(make_pod("a"), NODE, cluster)
    assert events == []
    assert resolver.servers == ("10.96.0.10",)
    assert resolver.searches == (
        "default.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.org",
    )  # fmt: skip
    assert resolver.options == ("ndots:5",)


def test_dns_config_is_merged_and_cut():
    config = {
        "nameservers": ["192.0.2.54", "192.0.2.55", "192.0.2.56"],
        "options": [{"name": "ndots", "value": "7"}, {"name": "edns0"}],
    }
    cluster = ClusterDns(("10.96.0.10",), "cluster.local")
    resolver, [event] = pod_resolver(make_pod("a", dnsConfig=config), NODE, cluster)
    assert resolver.servers == ("10.96.0.10", "192.0.2.54", "192.0.2.55")
    assert resolver.options == ("ndots:7", "edns0")
    assert event.reason == "DNSConfigForming"
    assert event.message.endswith("line is: 10.96.0.10 192.0.2.54 192.0.2.55")


def test_none_has_only_the_pods_own():
    pod = make_pod("a", dnsPolicy="None", dnsConfig={"nameservers": ["192.0.2.1"]})
    assert pod_resolver(pod, NODE, ClusterDns())[0] == Resolver(("192.0.2.1",))


def test_resolv_conf_is_read():
    text = "# c\nnameserver 192.0.2.53\nsearch a b.\nsearch c d\noptions ndots:2 rotate\n"
    assert parse_resolv_conf(text) == Resolver(("192.0.2.53",), ("c", "d"), ("ndots:2", "rotate"))


def service(name, namespace, address, *ports):
    plain = {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": address, "ports": list(ports)},
    }
    return from_plain(Service, plain)


API = service("kubernetes", "default", "10.96.0.1", {"name": "https", "port": 443})
WEB = service("my-web", "team", "10.96.0.9", {"port": 80}, {"port": 53, "protocol": "UDP"})


def test_services_become_variables():
    variables = service_environment([API, WEB], "team", links=True)
    assert variables["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert variables["KUBERNETES_SERVICE_PORT"] == "443"
    assert variables["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert variables["KUBERNETES_PORT"] == "tcp://10.96.0.1:443"
    assert variables["KUBERNETES_PORT_443_TCP_ADDR"] == "10.96.0.1"
    assert variables["MY_WEB_PORT"] == "tcp://10.96.0.9:80"
    assert variables["MY_WEB_PORT_53_UDP_PROTO"] == "udp"


def test_without_links_only_the_api_is_named():
    variables = service_environment([API, WEB], "team", links=False)
    assert {name.split("_")[0] for name in variables} == {"KUBERNETES"}


def sources(config_maps=(), secrets=(), services=None):
    return EnvironmentSources(
        config_map={m.metadata.name: m for m in config_maps}.get,
        secret={s.metadata.name: s for s in secrets}.get,
        services=services or {},
        facts=DownwardFacts("192.0.2.10", ("10.42.0.2",), {"cpu": "2", "memory": "1Gi"}),
        file=lambda volume, path: {("v", "a/b"): "A='1'\nE=''\nbad"}[volume, path],
    )


def env_of(container, given):
    pod = make_pod({"name": "a", "image": "i", **container})
    return environment(pod, pod.spec.containers[0], given)


def file_key(name, key, **more):
    reference = {"volumeName": "v", "path": "a/b", "key": key, **more}
    return {"name": name, "valueFrom": {"fileKeyRef": reference}}


def test_variables_from_files():
    env = [file_key("X", "A"), file_key("Y", "E", optional=True)]
    assert env_of({"env": [*env, {"name": "Z", "value": "$(X)$(Y)"}]}, sources()) == {
        "X": "1",
        "Z": "1$(Y)",
    }


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("E", 'environment variable key "E" not found in file "a/b"'),
        ("NOSUCH", "couldn't parse env file"),
    ],
)
def test_variables_that_are_not_in_files(key, text):
    with pytest.raises(EnvironmentProblem) as caught:
        env_of({"env": [file_key("X", key)]}, sources())
    assert str(caught.value) == text


CM = from_plain(ConfigMap, {"metadata": {"name": "cm"}, "data": {"A": "cm", "Z": "cm"}})
SECRET = from_plain(Secret, {"metadata": {"name": "sec"}, "data": {"B": "c2VjcmV0"}})


def test_what_goes_before_what():
    container = {
        "envFrom": [{"configMapRef": {"name": "cm"}},
                    {"prefix": "T_", "secretRef": {"name": "sec"}}],
        "env": [{"name": "A", "value": "own"}, {"name": "C", "value": "$(Z) $(T_B) $(SVC)"}],
    }  # fmt: skip
    given = sources([CM], [SECRET], {"SVC": "here", "A": "hidden"})
    expected = {"A": "own", "Z": "cm", "T_B": "secret", "C": "cm secret here", "SVC": "here"}
    assert env_of(container, given) == expected


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ({"configMapKeyRef": {"name": "no", "key": "k"}}, 'configmap "no" not found'),
        ({"secretKeyRef": {"name": "no", "key": "k"}}, 'secret "no" not found'),
        (
            {"configMapKeyRef": {"name": "cm", "key": "k"}},
            "couldn't find key k in ConfigMap default/cm",
        ),
        (
            {"secretKeyRef": {"name": "sec", "key": "k"}},
            "couldn't find key k in Secret default/sec",
        ),
    ],
)
def test_missing_references(reference, text):
    container = {"env": [{"name": "A", "valueFrom": reference}]}
    with pytest.raises(EnvironmentProblem) as caught:
        env_of(container, sources([CM], [SECRET]))
    assert str(caught.value) == text
    [(_, selector)] = reference.items()
    selector = {**selector, "optional": True}
    optional = {next(iter(reference)): selector}
    assert env_of({"env": [{"name": "A", "valueFrom": optional}]}, sources([CM], [SECRET])) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "kuard"), ("metadata.namespace", "default"),
        ("status.hostIP", "192.0.2.10"), ("status.podIP", "10.42.0.2"),
        ("metadata.labels['x']", ""),
    ],
)  # fmt: skip
def test_field_references(path, value):
    env = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}}]
    assert env_of({"env": env}, sources()) == {"A": value}


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", "1", "2"), ("limits.cpu", "1m", "1500"), ("requests.cpu", "1m", "250"),
        ("limits.memory", "1Mi", "67"), ("limits.memory", "1k", "70000"),
        ("limits.memory", "0", "70000000"), ("requests.memory", "1Ki", "10240"),
    ],
)  # fmt: skip
def test_resource_references(resource, divisor, value):
    entry = {"resourceFieldRef": {"resource": resource, "divisor": divisor}}
    container = {
        "env": [{"name": "A", "valueFrom": entry}],
        "resources": {
            "limits": {"cpu": "1500m", "memory": "70M"},
            "requests": {"cpu": "250m", "memory": "10Mi"},
        },
    }
    assert env_of(container, sources()) == {"A": value}


def test_limits_that_are_not_set_are_those_of_the_node():
    env = [
        {"name": "L", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "R", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory"}}},
    ]
    assert env_of({"env": env}, sources()) == {"L": "2", "R": "0"}


@pytest.mark.parametrize(("milli", "shares"), [(0, 2), (1, 2), (100, 102), (1000, 1024)])
def test_cpu_shares(milli, shares):
    assert cpu_shares(milli) == shares


@pytest.mark.parametrize(("milli", "quota"), [(0, 0), (1, 1000), (10, 1000), (500, 50000)])
def test_cpu_quota(milli, quota):
    assert cpu_quota(milli) == quota


GIB = 1 << 30


@pytest.mark.parametrize(
    ("resources", "score"),
    [
        pytest.param({}, 1000, id="best-effort"),
        pytest.param({"limits": {"cpu": "1", "memory": "1Gi"},
                      "requests": {"cpu": "1", "memory": "1Gi"}}, -997, id="guaranteed"),
        pytest.param({"requests": {"memory": "1Gi"}}, 750, id="burstable-a-quarter"),
        pytest.param({"requests": {"cpu": "1m"}}, 999, id="burstable-without-memory"),
        pytest.param({"requests": {"memory": "4Gi"}}, 3, id="burstable-all"),
    ],
)  # fmt: skip
def test_oom_score(resources, score):
    pod = make_pod({"name": "a", "image": "i", "resources": resources})
    assert container_cgroup(pod, pod.spec.containers[0], 4 * GIB).oom_score_adj == score


@pytest.mark.parametrize(
    ("spec", "scores"),
    [
        pytest.param({"priorityClassName": "system-node-critical"}, [-997, -997], id="critical"),
        pytest.param({"priority": 2_000_000_000}, [750, 500], id="important-is-not-enough"),
        pytest.param({"resources": {"requests": {"memory": "4Gi"}}}, [625, 375], id="pod-level"),
    ],
)
def test_oom_scores_of_two(spec, scores):
    made = make_pod(
        *({"name": name, "image": "i", "resources": {"requests": {"memory": request}}}
          for name, request in (("a", "1Gi"), ("b", "2Gi"))),
        **spec,
    )  # fmt: skip
    assert [oom_score_adj(made, c, 4 * GIB) for c in made.spec.containers] == scores


def test_a_sidecar_is_as_safe_as_the_least_of_the_others():
    def asking(name, request):
        resources = {"requests": {"memory": request}} if request else {}
        return {"name": name, "image": "i", "resources": resources}

    sidecar = {**asking("s", ""), "restartPolicy": "Always"}
    made = make_pod(asking("a", "1Gi"), asking("b", "2Gi"), initContainers=[sidecar])
    [init] = made.spec.init_containers
    assert oom_score_adj(made, init, 4 * GIB) == 750


def test_a_container_without_limits_has_those_of_its_pod():
    limits = {"cpu": "500m", "memory": "64Mi"}
    spec = {"resources": {"limits": limits, "requests": {"cpu": "250m", "memory": "32Mi"}}}
    made = make_pod({"name": "a", "image": "i"}, {"name": "b", "image": "i"}, **spec)
    own = container_cgroup(made, made.spec.containers[0], 4 * GIB)
    assert (own.cpu_shares, own.cpu_quota, own.memory_limit) == (512, 50000, 64 << 20)
    whole = pod_cgroup(made)
    assert (whole.cpu_shares, whole.cpu_quota, whole.memory_limit) == (256, 50000, 64 << 20)


def test_quotas_as_the_node_is_configured():
    limited = {"name": "a", "image": "i", "resources": {"limits": {"cpu": "500m"}}}
    made = make_pod(limited)
    [c] = made.spec.containers
    assert container_cgroup(made, c, GIB, CpuQuota(period=20_000)).cpu_quota == 10_000
    assert pod_cgroup(made, CpuQuota(period=20_000)).cpu_quota == 10_000
    off = CpuQuota(enforced=False)
    assert container_cgroup(made, c, GIB, off).cpu_quota == 0
    assert pod_cgroup(made, off).cpu_quota is None


def test_limits_beyond_64_bits_are_the_most_that_there_is():
    much = {"cpu": "1e30", "memory": "1e30"}
    made = make_pod({"name": "a", "image": "i", "resources": {"limits": much, "requests": much}})
    own, whole = container_cgroup(made, made.spec.containers[0], GIB), pod_cgroup(made)
    most = 2**63 - 1
    assert (own.cpu_shares, own.cpu_quota, own.memory_limit) == (262144, most, most)
    assert (whole.cpu_shares, whole.cpu_quota, whole.memory_limit) == (262144, most, most)


def test_the_pods_cgroup_is_limited_when_every_container_is():
    limited = {"name": "a", "image": "i",
               "resources": {"limits": {"cpu": "500m", "memory": "64Mi"},
                             "requests": {"cpu": "250m"}}}  # fmt: skip
    whole = pod_cgroup(make_pod(limited))
    assert (whole.qos, whole.cpu_shares, whole.cpu_quota) == ("Burstable", 256, 50000)
    assert whole.memory_limit == 64 << 20
    no_limit = {"limits": {"cpu": "0", "memory": "0"}}
    for other in ({}, {"resources": no_limit}):
        partly = pod_cgroup(make_pod(limited, {"name": "b", "image": "i", **other}))
        assert (partly.cpu_quota, partly.memory_limit) == (None, None)
