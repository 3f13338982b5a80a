"""ServiceAccount: which Secrets Pods may have, and what mirror Pods may not refer to."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api.validation.pod_annotations import MIRROR
from podium.registry.admission.service_account import ServiceAccountAdmission
from support.admission import Objects, judged, write
from support.objects import container, pod

BEGIN = 'pods "p" is forbidden: '
KEY = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
ENV = {"env": [{"name": "E", **KEY}]}
FROM = {"envFrom": [{"secretRef": {"name": "s"}}]}
NOT = "is not allowed because service account picky does not reference that"


def picky(enforced: str = "true", **fields: Any) -> Objects:
    annotations = {"kubernetes.io/enforce-mountable-secrets": enforced}
    return Objects(picky={"metadata": {"annotations": annotations}, **fields})


def of_account(**spec: Any) -> dict[str, Any]:
    return {"serviceAccountName": "picky", "automountServiceAccountToken": False, **spec}


CASES = [
    pytest.param({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
                 f'volume with secret.secretName="s" {NOT} secret', id="volume"),
    pytest.param({"containers": [container(**ENV)]},
                 f'container c with envVar E referencing secret.secretName="s" {NOT} secret',
                 id="variable"),
    pytest.param({"containers": [container(**FROM)]},
                 f'container c with envFrom referencing secret.secretName="s" {NOT} secret',
                 id="variables"),
    pytest.param({"initContainers": [container(name="i", **ENV)]},
                 f'init container i with envVar E referencing secret.secretName="s" {NOT} secret',
                 id="init-container"),
    pytest.param({"imagePullSecrets": [{"name": "s"}]},
                 f'imagePullSecrets[0].name="s" {NOT} imagePullSecret', id="pulling"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "problem"), CASES)
async def test_an_account_may_be_picky_about_secrets(spec: dict[str, Any], problem: str) -> None:
    made = pod(of_account(**spec))
    plugin = ServiceAccountAdmission()
    assert await judged(plugin, write(made, reader=picky())) == BEGIN + problem
    listed = picky(secrets=[{"name": "s"}], imagePullSecrets=[{"name": "s"}])
    assert await judged(plugin, write(made, reader=listed)) == ""
    assert await judged(plugin, write(made, reader=picky("false"))) == ""


async def test_debuggers_are_looked_at_too() -> None:
    spec = of_account(ephemeralContainers=[container(name="e", **FROM)], **CASES[0].values[0])
    attributes = write(
        pod(spec), old=pod(), operation="UPDATE", subresource="ephemeralcontainers", reader=picky()
    )
    assert await judged(ServiceAccountAdmission(), attributes) == (
        f'{BEGIN}ephemeral container e with envFrom referencing secret.secretName="s" {NOT} secret'
    )


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"serviceAccountName": "default"},
                     "a mirror pod may not reference service accounts", id="account"),
        pytest.param(CASES[0].values[0], "a mirror pod may not reference secrets", id="secret"),
        pytest.param({"imagePullSecrets": [{"name": "s"}]},
                     "a mirror pod may not reference secrets", id="pull-secret"),
        pytest.param({"volumes": [{"name": "v", "projected": {"sources": [
            {"serviceAccountToken": {"path": "t"}}]}}]},
            "a mirror pod may not use ServiceAccountToken volume projections", id="token"),
    ],
)  # fmt: skip
async def test_mirror_pods_refer_to_nothing(spec: dict[str, Any], problem: str) -> None:
    made = pod(spec, annotations={MIRROR: "x"})
    said = await judged(ServiceAccountAdmission(), write(made))
    assert said == (BEGIN + problem if problem else "")
    assert made.spec.service_account_name == spec.get("serviceAccountName", "")
