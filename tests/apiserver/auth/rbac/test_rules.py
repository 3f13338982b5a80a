import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api.types.rbac_v1 import PolicyRule
from podium.apiserver.auth.rbac.rule_text import rules
from podium.apiserver.auth.rbac.rules import allows, describe, missing
from podium.apiserver.paths import RequestInfo, parse, split_target


def request(line: str) -> RequestInfo:
    method, target = line.split(" ")
    path, query = split_target(target)
    return parse(method, path, query)


@pytest.mark.parametrize(
    ("rule", "request_line", "allowed"),
    [
        ("* | core | pods", "GET /api/v1/pods", True),
        ("* | core | pods", "GET /api/v1/namespaces/d/pods/a/log", False),
        ("* | core | */status", "PUT /api/v1/nodes/a/status", True),
        ("* | core | */status", "PUT /api/v1/nodes/a", False),
        ("get | core | pods | a", "GET /api/v1/namespaces/d/pods/a", True),
        ("get | core | pods | a", "GET /api/v1/namespaces/d/pods/b", False),
        ("list | core | pods | a", "GET /api/v1/pods", False),
        ("list | core | pods | a", "GET /api/v1/pods?fieldSelector=metadata.name%3Da", True),
        ("get | apps | pods", "GET /api/v1/pods/a", False),
        ("get | * | *", "GET /apis/x/v1/pods/a/log", True),
        ("get | /x/*", "GET /x/y/z", True),
        ("get | /x", "GET /x/y", False),
        ("get | *", "GET /x/y", True),
        ("get | * | *", "GET /x", False),
        ("post | /x", "GET /x", False),
    ],
)
def test_what_a_rule_allows(rule: str, request_line: str, allowed: bool) -> None:
    assert allows(rules(rule)[0], request(request_line)) is allowed


PODS = 'APIGroups:[""], Resources:["pods"]'


@pytest.mark.parametrize(
    ("owned", "wanted", "lacking"),
    [
        ("* | * | *", "get | apps | deployments/scale", ""),
        ("get list | core | pods", "get list watch | core | pods", f'{{{PODS}, Verbs:["watch"]}}'),
        ("get | core | */scale", "get | core | pods/scale", ""),
        ("get | core | pods | a", "get | core | pods | a", ""),
        ("get | core | pods | a", "get | core | pods", f'{{{PODS}, Verbs:["get"]}}'),
        ("get | core | pods", "get | core | pods | a", ""),
        (
            "get | core | pods",
            "create delete | core | pods secrets",
            f'{{{PODS}, Verbs:["create" "delete"]}}\n'
            '{APIGroups:[""], Resources:["secrets"], Verbs:["create" "delete"]}',
        ),
        ("get | /a/*", "get | /a/b /c", '{NonResourceURLs:["/c"], Verbs:["get"]}'),
        (
            "get | core | pods",
            "get | core | secrets | s",
            '{APIGroups:[""], Resources:["secrets"], ResourceNames:["s"], Verbs:["get"]}',
        ),
        ("get | core | pods", "* | core | pods", f'{{{PODS}, Verbs:["*"]}}'),
    ],
)
def test_what_some_rules_lack_of_others(owned: str, wanted: str, lacking: str) -> None:
    assert describe(missing(rules(owned), rules(wanted))) == lacking


WORDS = st.lists(st.sampled_from(["get", "list", "*", "a", "b", "a/x", "*/x"]), max_size=3)
RULES = st.lists(
    st.builds(
        PolicyRule,
        verbs=WORDS,
        api_groups=WORDS,
        resources=WORDS,
        resource_names=st.lists(st.sampled_from(["n", "m"]), max_size=2),
        non_resource_urls=st.lists(st.sampled_from(["/a", "/a/*", "*"]), max_size=2),
    ),
    max_size=4,
)
REQUESTS = st.builds(
    RequestInfo,
    method=st.just(""),
    path=st.sampled_from(["/a", "/a/b", "/"]),
    verb=st.sampled_from(["get", "list", "put"]),
    is_resource=st.booleans(),
    group=st.sampled_from(["a", "b", ""]),
    resource=st.sampled_from(["a", "b"]),
    subresource=st.sampled_from(["", "x"]),
    name=st.sampled_from(["", "n", "m"]),
)


@given(RULES, RULES, REQUESTS)
def test_who_lacks_nothing_may_all_that_the_others_may(
    owned: list[PolicyRule], wanted: list[PolicyRule], info: RequestInfo
) -> None:
    if not missing(owned, wanted) and any(allows(rule, info) for rule in wanted):
        assert any(allows(rule, info) for rule in owned)


@given(RULES)
def test_nobody_lacks_what_he_has(owned: list[PolicyRule]) -> None:
    assert missing(owned, owned) == []
    assert describe(missing(owned, owned)) == ""
