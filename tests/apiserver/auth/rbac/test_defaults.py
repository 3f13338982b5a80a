import msgspec
import pytest

from podium.api.scheme import CLUSTERROLEBINDINGS, CLUSTERROLES
from podium.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, Subject
from podium.api.validation.rbac import GROUP
from podium.apiserver.auth.rbac.defaults import (
    AUTO_UPDATE,
    default_objects,
    has_other_role,
    reconciled,
)
from podium.apiserver.auth.rbac.rule_text import rules
from podium.registry.strategies import strategy_for


def find(resource, name: str):
    found = default_objects()
    return next(o for r, o in found if r is resource and o.metadata.name == name)


@pytest.mark.parametrize(
    ("resource", "obj"),
    default_objects(),
    ids=lambda value: getattr(value, "plural", "") or value.metadata.name,
)
def test_every_default_is_valid_and_marked(resource, obj) -> None:
    assert strategy_for(resource).validate(obj) == []
    assert obj.metadata.labels["kubernetes.io/bootstrapping"] == "rbac-defaults"
    assert obj.metadata.annotations == {"rbac.authorization.kubernetes.io/autoupdate": "true"}


def test_every_binding_has_its_role() -> None:
    roles = {
        (o.metadata.namespace, o.metadata.name) for r, o in default_objects() if "Role" in r.kind
    }
    for resource, obj in default_objects():
        if resource.kind.endswith("Binding"):
            namespace = "" if obj.role_ref.kind == "ClusterRole" else obj.metadata.namespace
            assert (namespace, obj.role_ref.name) in roles


def test_aggregated_roles_have_no_rules_of_their_own() -> None:
    view = find(CLUSTERROLES, "view")
    assert view.rules is None
    selector = view.aggregation_rule.cluster_role_selectors[0]
    assert selector.match_labels == {f"{GROUP}/aggregate-to-view": "true"}
    assert view.metadata.labels[f"{GROUP}/aggregate-to-edit"] == "true"


def test_what_is_as_it_ought_to_be_is_left_alone() -> None:
    for resource, obj in default_objects():
        assert reconciled(msgspec.structs.replace(obj), obj) is None, (resource.plural, obj)


def test_additions_stay_and_what_is_missing_comes_back() -> None:
    default = ClusterRole(rules=rules("get list | core | pods"))
    there = ClusterRole(rules=rules("get | core | pods", "get | core | secrets"))
    there.metadata.labels = {"mine": "x"}
    wanted = reconciled(there, default)
    assert wanted.rules == rules("get | core | pods", "get | core | secrets", "list | core | pods")
    assert wanted.metadata.labels == {"mine": "x"}
    assert there.rules == rules("get | core | pods", "get | core | secrets")


def test_subjects_that_were_taken_away_come_back() -> None:
    default = find(CLUSTERROLEBINDINGS, "system:discovery")
    there = msgspec.structs.replace(default, subjects=[Subject(kind="User", name="jane")])
    assert reconciled(there, default).subjects == [*there.subjects, *default.subjects]


def test_protected_objects_are_their_owners() -> None:
    default = find(CLUSTERROLEBINDINGS, "system:discovery")
    there = ClusterRoleBinding(metadata=msgspec.structs.replace(default.metadata))
    there.metadata.annotations = {AUTO_UPDATE: "false"}
    assert reconciled(there, default) is None
    assert not has_other_role(there, default)


def test_a_binding_of_another_role_is_made_anew() -> None:
    default = find(CLUSTERROLEBINDINGS, "system:discovery")
    role_ref = msgspec.structs.replace(default.role_ref, name="view")
    assert has_other_role(msgspec.structs.replace(default, role_ref=role_ref), default)
    assert not has_other_role(default, default)
