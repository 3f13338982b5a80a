"""Whose fields those are that a client applied, once the server applies."""

from __future__ import annotations

from podium.kubectl.migration import upgraded

ANNOTATION = {"f:annotations": {"f:kubectl.kubernetes.io/last-applied-configuration": {}}}


def entry(manager, operation, fields, version="v1", **more):
    return {"manager": manager, "operation": operation, "apiVersion": version, "fieldsV1": fields,
            **more}  # fmt: skip


BY_CLIENT = entry("kubectl-client-side-apply", "Update", {"f:data": {"f:a": {}},
                                                          "f:metadata": ANNOTATION})  # fmt: skip


def test_without_a_client_nothing_changes():
    by_others = [entry("kubectl-edit", "Update", {"f:data": {"f:a": {}}}),
                 entry("kubectl", "Apply", {"f:metadata": ANNOTATION})]  # fmt: skip
    assert upgraded(by_others, "kubectl") is None


def test_the_client_becomes_the_manager():
    assert upgraded([BY_CLIENT], "kubectl") == [
        {**BY_CLIENT, "manager": "kubectl", "operation": "Apply"}
    ]


def test_the_manager_gets_what_the_client_had():
    own = entry("kubectl", "Apply", {"f:data": {"f:b": {}}})
    other = entry("kubelet", "Update", {"f:status": {}}, subresource="status")
    both = {"f:data": {"f:a": {}, "f:b": {}}, "f:metadata": ANNOTATION}
    assert upgraded([own, BY_CLIENT, other], "kubectl") == [
        entry("kubectl", "Apply", both), other
    ]  # fmt: skip


def test_what_a_client_had_in_another_version_is_nobodys():
    own = entry("kubectl", "Apply", {"f:data": {"f:b": {}}}, version="v2")
    assert upgraded([own, BY_CLIENT], "kubectl") == [own]
