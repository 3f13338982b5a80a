"""The manifest of the reference text, from apply to delete, as a new user would."""

from __future__ import annotations

import re
from urllib.request import urlopen

import pytest

from support.cluster import REPOSITORY, Cluster, eventually

MANIFEST = REPOSITORY / "examples/kuard-pod.yaml"

# ruff: noqa: E501
#: ``kubectl describe`` of the running Pod, with what differs from run to run masked.
DESCRIPTION = """\
Name:             kuard
Namespace:        NAMESPACE
Priority:         0
Service Account:  default
Node:             node-1/IP
Start Time:       TIME
Labels:           name=kuard
Annotations:      <none>
Status:           Running
IP:               IP
IPs:
  IP:  IP
Containers:
  kuard:
    Container ID:   podium://ID
    Image:          localhost/kuard:demo
    Image ID:       IMAGE
    Port:           8080/TCP (http)
    Host Port:      0/TCP (http)
    State:          Running
      Started:      TIME
    Ready:          True
    Restart Count:  0
    Limits:
      cpu:     500m
      memory:  128Mi
    Requests:
      cpu:        500m
      memory:     128Mi
    Environment:  <none>
    Mounts:
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-RAND (ro)
Conditions:
  Type                        Status
  PodReadyToStartContainers   True
  Initialized                 True
  Ready                       True
  ContainersReady             True
  PodScheduled                True
Volumes:
  kube-api-access-RAND:
    Type:                    Projected (a volume that contains injected data from multiple sources)
    TokenExpirationSeconds:  3607
    ConfigMapName:           kube-root-ca.crt
    Optional:                false
    DownwardAPI:             true
QoS Class:                   Guaranteed
Node-Selectors:              <none>
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                             node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:
  Type    Reason     Age    From               Message
  ----    ------     ----   ----               -------
  Normal  Scheduled  AGE  default-scheduler  Successfully assigned NAMESPACE/kuard to node-1
  Normal  Pulled     AGE  kubelet            spec.containers{kuard}: Container image "localhost/kuard:demo" already present on machine
  Normal  Created    AGE  kubelet            spec.containers{kuard}: Created container kuard
  Normal  Started    AGE  kubelet            spec.containers{kuard}: Started container kuard
"""


def masked(text: str, namespace: str) -> list[str]:
    """Return the lines of a description with what may differ masked and blanks folded."""
    for pattern, word in (
        (r"podium://[0-9a-f]{64}", "podium://ID"),
        (r"sha256:[0-9a-f]{64}", "IMAGE"),
        (r"\b\d+\.\d+\.\d+\.\d+\b", "IP"),
        (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}", "TIME"),
        (r"kube-api-access-[a-z0-9]{5}", "kube-api-access-RAND"),
        (r"(?m)^(  Normal  \w+ +)\S+(?: \(x\d+ over \S+\))?", r"\1AGE"),
        (re.escape(namespace), "NAMESPACE"),
    ):
        text = re.sub(pattern, word, text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]


@pytest.mark.parametrize("version", ["1.28", "1.37"])
def test_the_reference_text_word_for_word(shared: Cluster, namespace: str, version: str):
    def kubectl(*arguments: str) -> str:
        return shared.kubectl("-n", namespace, *arguments, version=version).stdout

    assert kubectl("apply", "-f", str(MANIFEST)) == "pod/kuard created\n"
    shared.wait_ready("kuard", namespace=namespace)
    assert re.fullmatch(
        r"NAME    READY   STATUS    RESTARTS   AGE\nkuard   1/1     Running   0          \d+s\n",
        kubectl("get", "pods"),
    )

    def described() -> str:
        """With what scheduler and kubelet tell, each in its own time."""
        text = kubectl("describe", "pods", "kuard")
        return text if "Successfully assigned" in text and "Started container" in text else ""

    description = eventually(described, "the last events")
    expected = DESCRIPTION
    if version == "1.28":  # its words for an optional config map
        expected = expected.replace(
            "Optional:                false", "ConfigMapOptional:       <nil>"
        )
        expected = expected.replace("8080/TCP (http)", "8080/TCP").replace("0/TCP (http)", "0/TCP")
        expected = expected.replace("spec.containers{kuard}: ", "")
    assert masked(description, namespace) == masked(expected, "NAMESPACE")

    assert kubectl("apply", "-f", str(MANIFEST)) == "pod/kuard unchanged\n"
    assert kubectl("delete", "pods/kuard") in (
        'pod "kuard" deleted\n',
        f'pod "kuard" deleted from {namespace} namespace\n',
    )
    assert kubectl("get", "pods") == ""


def test_it_answers_on_its_own_address_and_in_its_logs(shared: Cluster, namespace: str):
    shared.kubectl("-n", namespace, "apply", "-f", str(MANIFEST))
    shared.wait_ready("kuard", namespace=namespace)
    address = shared.get("pod", "kuard", "-n", namespace)["status"]["podIP"]
    for path in ("/", "/healthy", "/ready"):

        def answers(path: str = path) -> bool:
            try:
                with urlopen(f"http://{address}:8080{path}", timeout=5) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        eventually(answers, f"an answer from {path}")

    def log() -> str:
        return shared.kubectl("-n", namespace, "logs", "kuard").stdout

    eventually(lambda: "url:/ready" in log() and "response:200" in log(), "the last line")
    assert "serving /www on port 8080" in log()
    assert "url:/healthy" in log()
    shared.kubectl("-n", namespace, "delete", "-f", str(MANIFEST))
