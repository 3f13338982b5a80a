"""How far a rollout is."""

from __future__ import annotations

import pytest

from podium.kubectl.errors import CommandError
from podium.kubectl.rolling.progress import progress


def obj(status, *, generation=2, strategy="RollingUpdate", rolling=None, **spec):
    update = {"type": strategy} | ({"rollingUpdate": rolling} if rolling is not None else {})
    return {"metadata": {"name": "web", "generation": generation},
            "spec": {"replicas": 3, "updateStrategy": update, **spec},
            "status": {"observedGeneration": 2, **status}}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "found", "says", "done"),
    [
        ("Deployment", obj({}, generation=3),
         "Waiting for deployment spec update to be observed...", False),
        ("Deployment", obj({"updatedReplicas": 1}),
         'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been '
         "updated...", False),
        ("Deployment", obj({"updatedReplicas": 3, "replicas": 5}),
         'Waiting for deployment "web" rollout to finish: 2 old replicas are pending '
         "termination...", False),
        ("Deployment", obj({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}),
         'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are '
         "available...", False),
        ("Deployment", obj({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}),
         'deployment "web" successfully rolled out', True),
        ("DaemonSet", obj({"desiredNumberScheduled": 2, "updatedNumberScheduled": 1}),
         'Waiting for daemon set "web" rollout to finish: 1 out of 2 new pods have been '
         "updated...", False),
        ("DaemonSet", obj({"desiredNumberScheduled": 2, "updatedNumberScheduled": 2}),
         'Waiting for daemon set "web" rollout to finish: 0 of 2 updated pods are available...',
         False),
        ("DaemonSet", obj({}), 'daemon set "web" successfully rolled out', True),
        ("StatefulSet", obj({"readyReplicas": 1}), "Waiting for 2 pods to be ready...", False),
        ("StatefulSet", obj({"readyReplicas": 3, "updatedReplicas": 1}, rolling={"partition": 1}),
         "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
         False),
        ("StatefulSet", obj({"readyReplicas": 3, "updatedReplicas": 2}, rolling={"partition": 1}),
         "partitioned roll out complete: 2 new pods have been updated...", True),
        ("StatefulSet", obj({"readyReplicas": 3, "updatedReplicas": 2, "updateRevision": "b",
                             "currentRevision": "a"}),
         "waiting for statefulset rolling update to complete 2 pods at revision b...", False),
        ("StatefulSet", obj({"readyReplicas": 3, "currentReplicas": 3, "updateRevision": "b",
                             "currentRevision": "b"}),
         "statefulset rolling update complete 3 pods at revision b...", True),
    ],
)  # fmt: skip
def test_progress(kind, found, says, done):
    assert progress(kind, found) == (says, done)


@pytest.mark.parametrize(
    ("kind", "found", "says"),
    [
        ("ConfigMap", obj({}), "no status viewer has been implemented for ConfigMap"),
        ("DaemonSet", obj({}, strategy="OnDelete"), "only available for RollingUpdate"),
        ("Deployment", obj({"conditions": [
            {"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}),
         'deployment "web" exceeded its progress deadline'),
    ],
)  # fmt: skip
def test_no_progress(kind, found, says):
    with pytest.raises(CommandError, match=says):
        progress(kind, found)


def test_a_revision_that_is_no_longer_the_last():
    with pytest.raises(CommandError, match="different from the running revision"):
        progress("Deployment", obj({}), 4)
