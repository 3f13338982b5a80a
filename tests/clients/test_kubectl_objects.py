"""Every kubectl from 1.28 to 1.37: each command on what is stored; Pods: test_kubectl_pods.py.

What kubectl does alone with what it was given (printing) is asked of the oldest and the newest.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from support.cluster import Cluster, eventually, pod
from support.kubectls import EVERY_VERSION, OLDEST_AND_NEWEST, Kubectl, manifest

CREATED = """\
configmap settings --from-literal=a=1 → configmap/settings
secret generic hidden --from-literal=b=2 → secret/hidden
secret docker-registry pull --docker-username=u --docker-password=p → secret/pull
serviceaccount robot → serviceaccount/robot
role reader --verb=get,list --resource=pods → role.rbac.authorization.k8s.io/reader
rolebinding readers --role=reader --user=u → rolebinding.rbac.authorization.k8s.io/readers
quota few --hard=configmaps=99 → resourcequota/few
poddisruptionbudget one --selector=a=b --min-available=1 → poddisruptionbudget.policy/one
service clusterip inside --tcp=80:8080 → service/inside
service nodeport outside --tcp=80 → service/outside
service externalname elsewhere --external-name=example.org → service/elsewhere
ingress front --rule=example.org/=inside:80 → ingress.networking.k8s.io/front
deployment web --image=localhost/kuard:demo --replicas=2 → deployment.apps/web
job once --image=localhost/kuard:demo → job.batch/once
cronjob often --image=localhost/kuard:demo --schedule=@daily → cronjob.batch/often
priorityclass {} --value=7 → priorityclass.scheduling.k8s.io/{}
clusterrole {} --verb=get --resource=nodes → clusterrole.rbac.authorization.k8s.io/{}
clusterrolebinding {} --clusterrole=view --user=u → clusterrolebinding.rbac.authorization.k8s.io/{}
namespace {}-b → namespace/{}-b
"""


@OLDEST_AND_NEWEST
def test_generators_and_what_describe_makes_of_them(kubectl: Kubectl):
    made = []
    for line in CREATED.replace("{}", kubectl.namespace).splitlines():
        words, _, name = line.partition(" → ")
        assert kubectl("create", *words.split()) == f"{name} created\n"
        made.append(name)

    def described_once_counted() -> str:
        text = kubectl("describe", *made)
        return text if "configmaps  2     99" in text else ""

    described = eventually(described_once_counted, "the quota's count of what is there")
    for name in made:
        assert re.search(rf"^Name: +{name.partition('/')[2]}$", described, re.MULTILINE), name
    assert "External Name:" in described
    assert kubectl("get", *made, "-o", "name").split() == made
    kubectl("delete", *made[-4:])


@OLDEST_AND_NEWEST
def test_every_way_to_print(kubectl: Kubectl, tmp_path: Path):
    for name, value in (("one", "2"), ("two", "1")):
        kubectl("create", "cm", name, f"--from-literal=k={value}")
    kubectl("label", "cm", "one", "two", "app=a")
    get = ("get", "cm", "-l", "app=a")
    assert kubectl(*get, "-o", "name", "--sort-by={.data.k}") == "configmap/two\nconfigmap/one\n"
    assert kubectl(*get, "-o", "name", "--chunk-size=1") == "configmap/one\nconfigmap/two\n"
    template = "go-template={{range .items}}{{.metadata.name}}={{.data.k}};{{end}}"
    assert kubectl(*get, "-o", template) == "one=2;two=1;"
    (tmp_path / "path").write_text("{.items[1].kind}")
    assert kubectl(*get, "-o", f"jsonpath-file={tmp_path}/path") == "ConfigMap"
    table = kubectl("get", "cm", "one", "--show-labels", "--show-kind", "-L", "app", "-o", "wide")
    assert re.fullmatch(
        r"NAME +DATA +AGE +APP +LABELS\nconfigmap/one +1 +[\dms]+ +a +app=a\n", table
    )
    assert json.loads(kubectl(*get, "-o", "json"))["kind"] == "List"
    whole = kubectl("get", "cm", "one", "-o", "yaml", "--show-managed-fields")
    assert "\n    manager: kubectl-create\n" in whole
    fields = "--field-selector=metadata.name=two"
    assert kubectl("get", "cm,secrets", "-A", fields, "-o", "name").endswith("configmap/two\n")


@EVERY_VERSION
def test_create_get_change_delete(kubectl: Kubectl):
    assert kubectl("create", "cm", "one", "--from-literal=a=1") == "configmap/one created\n"
    assert kubectl("label", "cm", "one", "x=y") == "configmap/one labeled\n"
    assert kubectl("annotate", "cm", "one", "note=a b") == "configmap/one annotated\n"
    kubectl("patch", "cm", "one", "-p", '{"data":{"$patch":"replace","b":"2"}}')
    kubectl("patch", "cm", "one", "--type=merge", "-p", '{"data":{"c":"3","b":null}}')
    add = '[{"op":"add","path":"/data/d","value":"4"}]'
    assert kubectl("patch", "cm", "one", "--type=json", "-p", add) == "configmap/one patched\n"
    edited = kubectl("edit", "cm", "one", KUBE_EDITOR="sed -i /^data:/,/^kind:/s/4/5/")
    assert edited == "configmap/one edited\n"
    one = json.loads(kubectl("get", "cm", "one", "-o", "json"))
    assert one["data"] == {"c": "3", "d": "5"}
    assert one["metadata"]["labels"] == {"x": "y"}
    one["data"] = {"e": "6"}
    assert kubectl("replace", "-f", "-", stdin=json.dumps(one)) == "configmap/one replaced\n"
    assert "please apply your changes to the latest version" in kubectl.fails(
        "replace", "-f", "-", stdin=json.dumps(one)
    )
    columns = "custom-columns=N:.metadata.name,E:.data.e"
    assert kubectl("get", "cm", "-l", "x=y", "-o", columns, "--no-headers") == "one   6\n"
    path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps/one"
    assert json.loads(kubectl("get", "--raw", path))["data"] == {"e": "6"}
    assert kubectl("delete", "cm", "one").startswith('configmap "one" deleted')
    assert kubectl.fails("get", "cm", "one") == (
        'Error from server (NotFound): configmaps "one" not found\n'
    )


@EVERY_VERSION
def test_workloads_as_they_are_stored(kubectl: Kubectl):
    kubectl("create", "deployment", "web", "--image=localhost/kuard:demo")
    changes = {
        "scale deploy/web --replicas=3": "deployment.apps/web scaled",
        "set image deploy/web kuard=localhost/kuard:x": "deployment.apps/web image updated",
        "set env deploy/web A=b": "deployment.apps/web env updated",
        "rollout restart deploy/web": "deployment.apps/web restarted",
        "rollout pause deploy/web": "deployment.apps/web paused",
        "expose deploy/web --port=80": "service/web exposed",
        "autoscale deploy/web --max=3": "horizontalpodautoscaler.autoscaling/web autoscaled",
    }
    for words, answer in changes.items():
        assert kubectl(*words.split()) == f"{answer}\n"
    found = json.loads(kubectl("get", "deploy,svc", "-o", "json"))["items"]
    deployment, service = (item["spec"] for item in found)
    (container,) = deployment["template"]["spec"]["containers"]
    assert deployment["replicas"] == 3
    assert container["image"] == "localhost/kuard:x"
    assert container["env"] == [{"name": "A", "value": "b"}]
    assert "restartedAt" in json.dumps(deployment["template"]["metadata"]["annotations"])
    assert service["selector"] == {"app": "web"}
    described = kubectl("describe", "deploy", "web")
    assert "3 desired | 0 updated | 0 total | 0 available" in described


KUSTOMIZATION = """\
namePrefix: x-
labels: [{pairs: {app: k}}]
configMapGenerator: [{name: made, literals: [a=1]}]
generatorOptions: {disableNameSuffixHash: true}
resources: [one.yaml]
"""


@EVERY_VERSION
def test_apply(kubectl: Kubectl, tmp_path: Path):
    file = tmp_path / "one.yaml"
    text = json.dumps(manifest("ConfigMap", "one", data={"a": "1", "b": "1"}))
    file.write_text(text)
    apply = ("apply", "-f", str(file))
    assert kubectl(*apply, "--dry-run=server") == "configmap/one created (server dry run)\n"
    assert kubectl(*apply) == "configmap/one created\n"
    file.write_text(text.replace('"b": "1"', '"c": "2"'))
    assert "\n+  c: " in kubectl.result("diff", "-f", str(file)).stdout
    assert kubectl(*apply) == "configmap/one configured\n"
    assert kubectl(*apply) == "configmap/one unchanged\n"
    shown = kubectl("apply", "view-last-applied", "cm/one", "-o", "json")
    assert json.loads(shown)["data"] == {"a": "1", "c": "2"}
    assert kubectl(*apply, "--server-side") == "configmap/one serverside-applied\n"
    file.write_text(text.replace('"a": "1"', '"a": "2"'))
    other = (*apply, "--server-side", "--field-manager=other")
    assert 'conflict with "kubectl": .data.a' in kubectl.fails(*other)
    assert kubectl(*other, "--force-conflicts") == "configmap/one serverside-applied\n"
    assert kubectl.one("cm/one", ".data") == '{"a":"2","b":"1","c":"2"}'
    file.write_text(text.replace('"data"', '"date"'))
    assert 'unknown field "date"' in kubectl.fails(*apply)


@OLDEST_AND_NEWEST
def test_kustomize_and_prune(kubectl: Kubectl, tmp_path: Path):
    (tmp_path / "one.yaml").write_text(json.dumps(manifest("ConfigMap", "one")))
    kustomization = tmp_path / "kustomization.yaml"
    kustomization.write_text(KUSTOMIZATION)
    apply = ("apply", "-k", str(tmp_path))
    assert kubectl(*apply) == "configmap/x-made created\nconfigmap/x-one created\n"
    kustomization.write_text(KUSTOMIZATION.replace("[one.yaml]", "[]"))
    prune = ("--prune", "-l", "app=k", "--prune-allowlist=core/v1/ConfigMap")
    assert kubectl(*apply, *prune) == "configmap/x-made unchanged\nconfigmap/x-one pruned\n"
    kubectl("delete", "-k", str(tmp_path))


def _owned(kubectl: Kubectl, name: str) -> None:
    """Make a ConfigMap *name* whose owner is another one, ``NAME-owner``."""
    owner = json.loads(kubectl("create", "cm", f"{name}-owner", "-o", "json"))["metadata"]
    owned = manifest("ConfigMap", name)
    owned["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["name"], "uid": owner["uid"],
         "blockOwnerDeletion": True}
    ]  # fmt: skip
    kubectl("create", "-f", "-", stdin=json.dumps(owned))


@EVERY_VERSION
def test_foreground_deletion_ends_with_the_dependents(kubectl: Kubectl):
    _owned(kubectl, "one")
    kubectl("delete", "cm", "one-owner", "--cascade=foreground")
    assert kubectl.fails("wait", "cm/one", "--for=jsonpath={.kind}=x", "--timeout=5s") == (
        'Error from server (NotFound): configmaps "one" not found\n'
    )


@OLDEST_AND_NEWEST
def test_orphans_stay_and_background_deletion_goes_on(kubectl: Kubectl):
    for policy in ("orphan", "background"):
        _owned(kubectl, policy)
        kubectl("delete", "cm", f"{policy}-owner", f"--cascade={policy}")
    kubectl("wait", "cm/background", "--for=delete", "--timeout=60s")
    kubectl("wait", "cm/orphan", "--for=jsonpath={.kind}=ConfigMap", "--timeout=10s")
    assert kubectl.one("cm/orphan", ".metadata.ownerReferences") == ""


@EVERY_VERSION
def test_questions_about_the_server(kubectl: Kubectl):
    assert "Server Version: v1.37." in kubectl("version")
    shown = re.sub(r"\x1b\[[\d;]*m", "", kubectl("cluster-info"))
    assert shown.startswith("Kubernetes control plane is running at https://127.0.0.1:")
    rows = [line.split()[:5] for line in kubectl("api-resources").splitlines()]
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in rows
    assert "events.k8s.io/v1" in kubectl("api-versions").split()
    assert "FIELD: limits <map[string]Quantity>" in kubectl(
        "explain", "deploy.spec.template.spec.containers.resources.limits"
    )
    assert kubectl.fails("get", "nonsense") == (
        'error: the server doesn\'t have a resource type "nonsense"\n'
    )
    assert kubectl("top", "nodes").splitlines()[1].split()[0] == "node-1"


@EVERY_VERSION
def test_questions_about_who_may(kubectl: Kubectl):
    kubectl("create", "sa", "robot")
    kubectl("create", "role", "r", "--verb=list", "--resource=pods")
    robot = f"system:serviceaccount:{kubectl.namespace}:robot"
    binding = manifest(
        "RoleBinding", "b", "rbac.authorization.k8s.io/v1",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        subjects=[{"kind": "ServiceAccount", "name": "robot", "namespace": kubectl.namespace}],
    )  # fmt: skip
    binding["metadata"]["namespace"] = kubectl.namespace  # kubectl panics without
    kubectl("auth", "reconcile", "-f", "-", stdin=json.dumps(binding))
    listed = r"(?m)^pods +\[\] +\[\] +\[list\]$"
    eventually(lambda: re.search(listed, kubectl("auth", "can-i", "--list", "--as", robot)), "it")
    assert kubectl("auth", "can-i", "list", "pods", "--as", robot) == "yes\n"
    assert kubectl.fails("auth", "can-i", "get", "secrets", "--as", robot, "-q") == ""
    assert robot in kubectl("auth", "whoami", "--as", robot)
    token = kubectl("create", "token", "robot", "--duration=1h").strip()
    assert f'User "{robot}" cannot list resource "secrets" in API group ""' in kubectl.fails(
        "get", "secrets", KUBECONFIG=str(token_kubeconfig(kubectl.cluster, token))
    )


def token_kubeconfig(cluster: Cluster, token: str) -> Path:
    """A kubeconfig of the cluster with a token in the place of the administrator's certificate."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = cluster.data_dir.with_name("token-kubeconfig")
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    return path


SECTIONS = (
    "Name:               node-1",
    "Labels:             beta.kubernetes.io/arch=",
    "Conditions:",
    "  Ready  ",
    "Addresses:",
    "Capacity:",
    "Allocatable:",
    "System Info:",
    "  Kernel Version:",
    "  Container Runtime Version:  podium://",
    "PodCIDR:",
    "Non-terminated Pods:",
    "Allocated resources:",
    "Unschedulable:      true",
)


@OLDEST_AND_NEWEST
def test_nodes(kubectl: Kubectl):
    key = f"example.org/{kubectl.namespace}"
    assert kubectl("taint", "nodes", "node-1", f"{key}=a:NoSchedule") == "node/node-1 tainted\n"
    try:
        assert kubectl("cordon", "node-1") == "node/node-1 cordoned\n"
        described = kubectl("describe", "node", "node-1")
        for section in (*SECTIONS, f"Taints:             {key}=a:NoSchedule"):
            assert f"\n{section}" in f"\n{described}"
    finally:
        assert kubectl("uncordon", "node-1") == "node/node-1 uncordoned\n"
        assert kubectl("taint", "nodes", "node-1", f"{key}-") == "node/node-1 untainted\n"


@OLDEST_AND_NEWEST
def test_dump(kubectl: Kubectl):
    dump = kubectl("cluster-info", "dump", "--namespaces", kubectl.namespace)
    assert '"kind": "NodeList"' in dump


@OLDEST_AND_NEWEST
def test_refusals_reach_the_reader(kubectl: Kubectl):
    wrong = pod("web", container={"ports": [{"containerPort": 99999}]}, restartPolicy="Sometimes")
    told = kubectl.fails("create", "-f", "-", stdin=json.dumps(wrong))
    assert 'The Pod "web" is invalid: \n* spec.containers[0].ports[0].containerPort' in told
    assert '* spec.restartPolicy: Unsupported value: "Sometimes"' in told
    once = json.dumps(manifest("ConfigMap", "one"))
    kubectl("create", "-f", "-", stdin=once)
    assert kubectl.fails("create", "-f", "-", stdin=once) == (
        'Error from server (AlreadyExists): error when creating "STDIN": '
        'configmaps "one" already exists\n'
    )
    assert "a lowercase RFC 1123 subdomain" in kubectl.fails("create", "cm", "Not_A_Name")
    assert kubectl.fails("get", "cm", "-l", "a==b=c").startswith("Error from server (BadRequest)")
    assert kubectl.fails("explain", "pods.nonsense") == 'error: field "nonsense" does not exist\n'
