import pytest

from podium.api.scheme import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.types.rbac_v1 import (
    ClusterRole,
    ClusterRoleBinding,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
)
from podium.api.user import UserInfo
from podium.api.validation.rbac import GROUP
from podium.apiserver.auth.rbac.policy import Decision, Policy
from podium.apiserver.auth.rbac.rule_text import rules
from podium.apiserver.paths import parse, split_target

JANE = UserInfo("jane", ("developers",))
ROBOT = UserInfo("system:serviceaccount:d:robot", ("system:serviceaccounts",))


def cluster_role(name: str, *lines: str) -> ClusterRole:
    return ClusterRole(metadata=ObjectMeta(name=name), rules=rules(*lines))


def role(name: str, *lines: str) -> Role:
    return Role(metadata=ObjectMeta(name=name, namespace="d"), rules=rules(*lines))


def ref(text: str) -> RoleRef:
    kind, _, name = text.partition(":")
    return RoleRef(api_group=GROUP, kind=kind, name=name)


def subject(text: str) -> Subject:
    kind, _, name = text.partition(":")
    return Subject(kind=kind, name=name)


def binding(name: str, of: str, *subjects: str) -> RoleBinding:
    return RoleBinding(
        metadata=ObjectMeta(name=name, namespace="d"),
        role_ref=ref(of),
        subjects=[subject(text) for text in subjects],
    )


def cluster_binding(name: str, of: str, *subjects: str) -> ClusterRoleBinding:
    return ClusterRoleBinding(
        metadata=ObjectMeta(name=name),
        role_ref=ref(of),
        subjects=[subject(text) for text in subjects],
    )


def ask(policy: Policy, user: UserInfo, line: str) -> Decision:
    method, target = line.split(" ")
    path, query = split_target(target)
    return policy.decide(user, parse(method, path, query))


POD = "GET /api/v1/namespaces/d/pods/x"
OTHER_POD = "GET /api/v1/namespaces/other/pods/x"


@pytest.fixture
def policy() -> Policy:
    found = Policy()
    found.apply(CLUSTERROLES, None, cluster_role("reader", "get | core | pods", "get | /x"))
    found.apply(ROLES, None, role("local", "get | core | pods"))
    return found


def test_nothing_is_allowed_by_itself(policy: Policy) -> None:
    assert ask(policy, JANE, POD) == Decision(False)


def test_a_cluster_binding_holds_everywhere(policy: Policy) -> None:
    policy.apply(CLUSTERROLEBINDINGS, None, cluster_binding("b", "ClusterRole:reader", "User:jane"))
    reason = 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to User "jane"'
    for line in (POD, OTHER_POD, "GET /x"):
        assert ask(policy, JANE, line) == Decision(True, reason)
    assert not ask(policy, ROBOT, POD).allowed


def test_a_binding_holds_in_its_namespace_and_for_no_paths(policy: Policy) -> None:
    policy.apply(ROLEBINDINGS, None, binding("b", "ClusterRole:reader", "Group:developers"))
    reason = 'RBAC: allowed by RoleBinding "b/d" of ClusterRole "reader" to Group "developers"'
    assert ask(policy, JANE, POD) == Decision(True, reason)
    assert not ask(policy, JANE, OTHER_POD).allowed
    assert not ask(policy, JANE, "GET /x").allowed


def test_a_service_account_without_namespace_is_the_bindings(policy: Policy) -> None:
    policy.apply(ROLEBINDINGS, None, binding("b", "Role:local", "ServiceAccount:robot"))
    reason = 'RBAC: allowed by RoleBinding "b/d" of Role "local" to ServiceAccount "robot/d"'
    assert ask(policy, ROBOT, POD) == Decision(True, reason)


def test_roles_that_are_missing_are_told(policy: Policy) -> None:
    policy.apply(ROLEBINDINGS, None, binding("a", "Role:gone", "User:jane"))
    reason = 'RBAC: role.rbac.authorization.k8s.io "gone" not found'
    assert ask(policy, JANE, POD) == Decision(False, reason)
    policy.apply(CLUSTERROLEBINDINGS, None, cluster_binding("b", "ClusterRole:x", "User:jane"))
    reason = (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "x" not found, '
        'role.rbac.authorization.k8s.io "gone" not found]'
    )
    assert ask(policy, JANE, POD) == Decision(False, reason)


def test_changes_hold_at_once(policy: Policy) -> None:
    first = binding("b", "Role:local", "User:jane", "User:jane")
    policy.apply(ROLEBINDINGS, None, first)
    assert ask(policy, JANE, POD).allowed
    second = binding("b", "Role:local", "User:joe")
    policy.apply(ROLEBINDINGS, first, second)
    assert not ask(policy, JANE, POD).allowed
    assert ask(policy, UserInfo("joe"), POD).allowed
    policy.apply(ROLES, role("local"), None)
    assert not ask(policy, UserInfo("joe"), POD).allowed
    policy.apply(ROLEBINDINGS, second, None)
    assert ask(policy, UserInfo("joe"), POD) == Decision(False)


def test_what_is_assumed_holds_until_it_is_settled(policy: Policy) -> None:
    default = cluster_binding("b", "ClusterRole:reader", "User:jane", "User:joe")
    policy.assume([(CLUSTERROLEBINDINGS, default)])
    assert ask(policy, JANE, POD).allowed
    stored = cluster_binding("b", "ClusterRole:reader", "User:joe")
    policy.apply(CLUSTERROLEBINDINGS, None, stored)
    assert not ask(policy, JANE, POD).allowed
    policy.assume([(CLUSTERROLEBINDINGS, default)])
    assert not ask(policy, JANE, POD).allowed, "what is stored comes first"
    never = cluster_binding("c", "ClusterRole:reader", "User:jane")
    policy.assume([(CLUSTERROLEBINDINGS, never)])
    policy.settle()
    assert not ask(policy, JANE, POD).allowed
    assert ask(policy, UserInfo("joe"), POD).allowed


def test_a_right_to_some_names_gives_no_right_to_others(policy: Policy) -> None:
    policy.apply(ROLES, None, role("one", "get | core | pods | x"))
    policy.apply(ROLEBINDINGS, None, binding("a", "Role:one", "User:jane"))
    other = POD.replace("/x", "/y")
    for _ in range(2):
        assert ask(policy, JANE, POD).allowed
        assert not ask(policy, JANE, other).allowed
    policy.apply(ROLEBINDINGS, None, binding("b", "Role:local", "User:jane"))
    for line, granted in ((other, "b"), (POD, "a"), (other, "b")):
        assert f'"{granted}/d"' in ask(policy, JANE, line).reason


def test_a_right_to_a_path_gives_no_right_to_others(policy: Policy) -> None:
    policy.apply(CLUSTERROLEBINDINGS, None, cluster_binding("b", "ClusterRole:reader", "User:jane"))
    assert ask(policy, JANE, "GET /x").allowed
    assert not ask(policy, JANE, "GET /y").allowed


def test_long_questions_are_answered_and_not_remembered(policy: Policy) -> None:
    """A user may ask about as many namespaces, of as long names, as he likes."""
    policy.apply(CLUSTERROLEBINDINGS, None, cluster_binding("b", "ClusterRole:reader", "User:jane"))
    for letter in "abc":
        long = POD.replace("/d/", f"/{letter * 5000}/")
        assert ask(policy, JANE, long).allowed
        assert not ask(policy, ROBOT, long).allowed
    assert ask(policy, JANE, POD).allowed
    remembered = (*policy._answers, *policy._allowed)
    assert remembered
    assert all(len(str(asked)) < 1000 for asked in remembered)
