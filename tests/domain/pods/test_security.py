from __future__ import annotations

import pytest

from podium.domain.pods.security import (
    ImageUser,
    SecurityProblem,
    check_non_root,
    effective_context,
    supplemental_groups,
)
from support.pods import make_pod


def pod_of(own=None, common=None):
    container = {"name": "a", "image": "kuard:1"}
    if own is not None:
        container["securityContext"] = own
    return make_pod(container, **({} if common is None else {"securityContext": common}))


@pytest.mark.parametrize(
    ("own", "common", "user", "non_root"),
    [
        pytest.param(None, None, None, None, id="nobody-says"),
        pytest.param(None, {"runAsUser": 1, "runAsNonRoot": True}, 1, True, id="the-pods"),
        pytest.param({"runAsUser": 2}, {"runAsUser": 1}, 2, None, id="the-containers-own-wins"),
        pytest.param({"runAsUser": 0}, {"runAsUser": 1}, 0, None, id="root-is-a-wish-too"),
        pytest.param(
            {"runAsNonRoot": False}, {"runAsUser": 1, "runAsNonRoot": True}, 1, False,
            id="field-by-field",
        ),
    ],
)  # fmt: skip
def test_the_container_goes_before_its_pod(own, common, user, non_root):
    pod = pod_of(own, common)
    context = effective_context(pod, pod.spec.containers[0])
    assert (context.run_as_user, context.run_as_non_root) == (user, non_root)


@pytest.mark.parametrize(
    ("own", "image", "problem"),
    [
        pytest.param({}, ImageUser(0), "", id="root-is-allowed"),
        pytest.param({"runAsNonRoot": False}, ImageUser(0), "", id="root-is-allowed-in-words"),
        pytest.param({"runAsNonRoot": True, "runAsUser": 5}, ImageUser(0), "", id="the-pods-user"),
        pytest.param({"runAsNonRoot": True}, ImageUser(7), "", id="the-images-user"),
        pytest.param(
            {"runAsNonRoot": True, "runAsUser": 0}, ImageUser(7),
            "container's runAsUser breaks non-root policy", id="root-on-purpose",
        ),
        pytest.param(
            {"runAsNonRoot": True}, ImageUser(0),
            "container has runAsNonRoot and image will run as root", id="the-image-says-root",
        ),
        pytest.param(
            {"runAsNonRoot": True}, ImageUser(),
            "container has runAsNonRoot and image will run as root", id="the-image-says-nothing",
        ),
        pytest.param(
            {"runAsNonRoot": True}, ImageUser(None, "web"),
            "container has runAsNonRoot and image has non-numeric user (web), "
            "cannot verify user is non-root", id="the-image-has-a-name",
        ),
        pytest.param(
            {"runAsNonRoot": True}, ImageUser(2**31),
            "container has runAsNonRoot and image has an invalid user id (2147483648). "
            "(Must be 1-(2147483647)): must be between 0 and 2147483647, inclusive",
            id="a-number-beyond-all",
        ),
    ],
)  # fmt: skip
def test_who_must_not_be_root(own, image, problem):
    pod = pod_of(own)
    if not problem:
        check_non_root(pod, pod.spec.containers[0], image)
        return
    with pytest.raises(SecurityProblem) as caught:
        check_non_root(pod, pod.spec.containers[0], image)
    text = f'{problem} (pod: "kuard_default({pod.metadata.uid})", container: a)'
    assert str(caught.value) == text


def test_the_volumes_group_is_one_of_the_supplemental_groups():
    assert supplemental_groups(pod_of()) == ()
    pod = pod_of(common={"fsGroup": 6000, "supplementalGroups": [4000, 5000]})
    assert supplemental_groups(pod) == (6000, 4000, 5000)
