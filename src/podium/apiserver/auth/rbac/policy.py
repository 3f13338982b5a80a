"""Which rules hold for whom: roles and bindings, indexed by the subjects they name.

Kept current by the registry's watch caches; a question costs a look-up by user, groups and
namespace, whatever the number of bindings. Follows ``pkg/registry/rbac/validation/rule.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from podium.api.go_text import quote
from podium.api.scheme import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    Resource,
)
from podium.api.types.rbac_v1 import PolicyRule, RoleRef, Subject
from podium.api.user import UserInfo
from podium.api.validation.rbac import (
    GROUP_KIND,
    SERVICE_ACCOUNT,
    USER,
    AnyBinding,
    AnyRole,
)
from podium.apiserver.auth.rbac.rules import allows, applies
from podium.apiserver.paths import RequestInfo

K = TypeVar("K")
V = TypeVar("V")

#: What a Policy is fed with.
KINDS = (CLUSTERROLES, ROLES, CLUSTERROLEBINDINGS, ROLEBINDINGS)
_REMEMBERED = 4096
#: Characters up to which a question is remembered: whoever may ask chooses its texts.
_LONGEST = 1024

#: Kind and name of a subject; service accounts are users here.
_SubjectKey = tuple[str, str]
#: Namespace ("" for what belongs to the whole cluster) and name of a role or binding.
_Key = tuple[str, str]


class Grant(msgspec.Struct, frozen=True):
    """The rules of one role, and the binding that grants them, as reasons name it."""

    source: str
    rules: Sequence[PolicyRule]


class Grants(msgspec.Struct, frozen=True):
    """All that holds for a user in a namespace; ``errors`` tell of roles that are not there."""

    granted: tuple[Grant, ...]
    errors: tuple[str, ...]

    def rules(self) -> list[PolicyRule]:
        return [rule for grant in self.granted for rule in grant.rules]

    @property
    def trouble(self) -> str:
        """The errors as Go prints several at once, "" for none."""
        if len(self.errors) > 1:
            return f"[{', '.join(self.errors)}]"
        return self.errors[0] if self.errors else ""


class Decision(msgspec.Struct, frozen=True):
    """Whether a request is allowed, and why ("" where there is nothing to say)."""

    allowed: bool
    reason: str = ""


class RoleNotFound(LookupError):
    """A binding's role is not there; carries what an error names it by."""

    def __init__(self, resource: Resource, name: str) -> None:
        super().__init__(f"{resource.singular}.{resource.group} {quote(name)} not found")
        self.resource, self.name = resource, name


class Policy:
    """See the module's text."""

    def __init__(self) -> None:
        self._roles: dict[_Key, AnyRole] = {}
        self._bindings: dict[_Key, AnyBinding] = {}
        #: Namespace ("" for all) and subject to the bindings that name it.
        self._by_subject: dict[tuple[str, _SubjectKey], dict[_Key, None]] = {}
        #: Default objects that are not in the store yet.
        self._provisional: set[tuple[Resource, _Key]] = set()
        self._answers: dict[tuple[str, tuple[str, ...], str], Grants] = {}
        #: What is allowed whatever the object's name.
        self._allowed: dict[tuple[object, ...], Decision] = {}

    # ------------------------------------------------------------------ feeding

    def apply(self, resource: Resource, old: Any | None, new: Any | None) -> None:
        """Take in a change of a role or a binding."""
        self._forget_answers()
        key = _key(new if new is not None else old)
        self._provisional.discard((resource, key))
        self._put(resource, key, new)

    def assume(self, objects: Iterable[tuple[Resource, Any]]) -> None:
        """Let *objects* hold until the store has them or :meth:`settle` is called."""
        self._forget_answers()
        for resource, obj in objects:
            key = _key(obj)
            if key not in self._table(resource):
                self._provisional.add((resource, key))
                self._put(resource, key, obj)

    def settle(self) -> None:
        """Forget what was assumed and never came true."""
        self._forget_answers()
        for resource, key in self._provisional:
            self._put(resource, key, None)
        self._provisional.clear()

    def _put(self, resource: Resource, key: _Key, new: Any | None) -> None:
        if resource is CLUSTERROLES or resource is ROLES:
            if new is None:
                self._roles.pop(key, None)
            else:
                self._roles[key] = new
            return
        namespace = key[0]
        before = self._bindings.pop(key, None)
        for subject in set(_subjects(before)):
            named = self._by_subject[namespace, subject]
            del named[key]
            if not named:
                del self._by_subject[namespace, subject]
        if new is not None:
            self._bindings[key] = new
        for subject in _subjects(new):
            self._by_subject.setdefault((namespace, subject), {})[key] = None

    def _table(self, resource: Resource) -> dict[_Key, Any]:
        roles = resource is CLUSTERROLES or resource is ROLES
        return self._roles if roles else self._bindings

    # ------------------------------------------------------------------ asking

    @property
    def is_empty(self) -> bool:
        """Whether there is no role at all: nobody has made the default ones yet."""
        return not self._roles

    def decide(self, user: UserInfo, info: RequestInfo) -> Decision:
        """Return whether some rule allows it. A refusal's reason tells of missing roles."""
        asked = (
            user.name, user.groups, info.is_resource or info.path,
            info.verb, info.group, info.resource, info.subresource, info.namespace,
        )  # fmt: skip
        return self._allowed.get(asked) or self._decide(user, info, asked)

    def _decide(self, user: UserInfo, info: RequestInfo, asked: tuple[object, ...]) -> Decision:
        grants = self.grants(user, info.namespace)
        named = False
        for grant in grants.granted:
            for rule in grant.rules:
                if not applies(rule, info):
                    continue
                named = named or bool(rule.resource_names)
                if not allows(rule, info):
                    continue
                allowed = Decision(True, f"RBAC: allowed by {grant.source}")
                if not named and _is_short(user, *_texts(info)):
                    _remember(self._allowed, asked, allowed)
                return allowed
        return Decision(False, f"RBAC: {grants.trouble}" if grants.errors else "")

    def _forget_answers(self) -> None:
        self._answers.clear()
        self._allowed.clear()

    def grants(self, user: UserInfo, namespace: str) -> Grants:
        """Return what holds for *user* everywhere, and in *namespace* where that is not empty."""
        asked = (user.name, user.groups, namespace)
        found = self._answers.get(asked)
        if found is None:
            found = self._find(user, namespace)
            if _is_short(user, namespace):
                _remember(self._answers, asked, found)
        return found

    def role_rules(self, ref: RoleRef, namespace: str) -> Sequence[PolicyRule]:
        """Return the rules of the role that a binding in *namespace* refers to.

        Raises RoleNotFound.
        """
        cluster = ref.kind == CLUSTERROLES.kind
        role = self._roles.get(("" if cluster else namespace, ref.name))
        if role is None:
            raise RoleNotFound(CLUSTERROLES if cluster else ROLES, ref.name)
        return role.rules or ()

    def _find(self, user: UserInfo, namespace: str) -> Grants:
        granted, errors = [], []
        subjects: list[_SubjectKey] = [(USER, user.name)]
        subjects += [(GROUP_KIND, group) for group in user.groups]
        for scope in dict.fromkeys(("", namespace)):
            keys = {k for subject in subjects for k in self._by_subject.get((scope, subject), ())}
            for key in sorted(keys):
                binding = self._bindings[key]
                try:
                    rules = self.role_rules(binding.role_ref, scope)
                except RoleNotFound as error:
                    errors.append(str(error))
                else:
                    granted.append(Grant(_source(binding, subjects), rules))
        return Grants(tuple(granted), tuple(dict.fromkeys(errors)))


def _remember(memory: dict[K, V], asked: K, answer: V) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[asked] = answer


def _is_short(user: UserInfo, *texts: str) -> bool:
    return sum(map(len, (user.name, *user.groups, *texts))) <= _LONGEST


def _texts(info: RequestInfo) -> Iterator[str]:
    yield from (info.path, info.verb, info.group, info.resource, info.subresource, info.namespace)


def _key(obj: Any) -> _Key:
    return obj.metadata.namespace, obj.metadata.name


def _subjects(binding: AnyBinding | None) -> Iterator[_SubjectKey]:
    if binding is not None:
        namespace = binding.metadata.namespace
        for subject in binding.subjects:
            yield _subject_key(subject, namespace)


def _subject_key(subject: Subject, namespace: str) -> _SubjectKey:
    if subject.kind == SERVICE_ACCOUNT:
        return USER, f"system:serviceaccount:{subject.namespace or namespace}:{subject.name}"
    return subject.kind, subject.name


def _source(binding: AnyBinding, subjects: Sequence[_SubjectKey]) -> str:
    """Name a binding with the first of its subjects that is among *subjects*."""
    namespace, name = _key(binding)
    subject = next(s for s in binding.subjects if _subject_key(s, namespace) in subjects)
    who = subject.name
    if subject.kind == SERVICE_ACCOUNT:
        who = f"{who}/{subject.namespace or namespace}"
    kind, called = ("ClusterRoleBinding", name)
    if namespace:
        kind, called = ("RoleBinding", f"{name}/{namespace}")
    ref = binding.role_ref
    return f"{kind} {quote(called)} of {ref.kind} {quote(ref.name)} to {subject.kind} {quote(who)}"
