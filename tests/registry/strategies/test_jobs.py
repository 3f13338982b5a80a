"""What upstream says of Jobs and CronJobs that are wrong."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.registry.strategies import strategy_for
from support.objects import container

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UID = "8c1f3c70-52d8-4f0a-8a3f-3f4a5d0f8f11"
JOBS, CRONJOBS = strategy_for(scheme.JOBS), strategy_for(scheme.CRONJOBS)
NOT_NEGATIVE = "must be greater than or equal to 0"


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": [container()], "restartPolicy": "Never", **spec}}


def job(name: str = "x", **spec: Any) -> Any:
    """A Job as it comes to validation."""
    body = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": template(), **spec},
    }
    obj = codec.from_plain(scheme.JOBS.type, body)
    JOBS.default(obj)
    obj.metadata.uid, obj.metadata.resource_version = UID, "1"
    JOBS.prepare_for_create(obj, NOW)
    return obj


def offences(**spec: Any) -> list[str]:
    return [str(offence) for offence in JOBS.validate(job(**spec))]


def indexed(**spec: Any) -> dict[str, Any]:
    return {"completionMode": "Indexed", "completions": 3, "parallelism": 2, **spec}


def test_a_job_that_says_nothing_of_its_pods_labels_is_right() -> None:
    assert offences() == []
    assert offences(**indexed()) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"parallelism": -1, "completions": -1, "backoffLimit": -1},
            [
                f"spec.parallelism: Invalid value: -1: {NOT_NEGATIVE}",
                f"spec.completions: Invalid value: -1: {NOT_NEGATIVE}",
                f"spec.backoffLimit: Invalid value: -1: {NOT_NEGATIVE}",
            ],
            id="negative",
        ),
        pytest.param(
            {"completionMode": "X"},
            [
                'spec.completionMode: Unsupported value: "X": '
                'supported values: "NonIndexed", "Indexed"'
            ],
            id="mode",
        ),
        pytest.param(
            {"completionMode": "Indexed", "parallelism": 100001},
            [
                "spec.completions: Required value: when completion mode is Indexed",
                "spec.parallelism: Invalid value: 100001: "
                "must be less than or equal to 100000 when completion mode is Indexed",
            ],
            id="indexed without completions",
        ),
        pytest.param(
            {"maxFailedIndexes": 1},
            [
                "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
                "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
            ],
            id="indexes of a Job without",
        ),
        pytest.param(
            indexed(backoffLimitPerIndex=1, maxFailedIndexes=4),
            ["spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"],
            id="more failed than there are",
        ),
        pytest.param(
            indexed(completions=100001, parallelism=10001, backoffLimitPerIndex=1),
            [
                "spec.maxFailedIndexes: Required value: "
                "must be specified when completions is above 100000",
                "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when "
                "completions are above 100000 and used with backoff limit per index",
            ],
            id="very many",
        ),
        pytest.param(
            {"managedBy": "acme"},
            [
                'spec.managedBy: Invalid value: "acme": '
                'must be a domain-prefixed path (such as "acme.io/foo")'
            ],
            id="managedBy",
        ),
        pytest.param(
            {"podReplacementPolicy": "X"},
            [
                'spec.podReplacementPolicy: Unsupported value: "X": '
                'supported values: "Failed", "TerminatingOrFailed"'
            ],
            id="replacement",
        ),
        pytest.param(
            {
                "podReplacementPolicy": "TerminatingOrFailed",
                "podFailurePolicy": {"rules": [{"action": "FailIndex"}]},
                "template": template(restartPolicy="OnFailure"),
            },
            [
                'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": '
                "requires the backoffLimitPerIndex to be set",
                "spec.podFailurePolicy.rules[0]: Invalid value: "
                "specifying one of OnExitCodes and OnPodConditions is required",
                'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": '
                'supported values: "Failed"',
                'spec.template.spec.restartPolicy: Invalid value: "OnFailure": '
                'only "Never" is supported when podFailurePolicy is specified',
            ],
            id="failure policy",
        ),
        pytest.param(
            {
                "podFailurePolicy": {
                    "rules": [
                        {
                            "action": "",
                            "onExitCodes": {
                                "operator": "In",
                                "containerName": "who",
                                "values": [3, 0, 3],
                            },
                            "onPodConditions": [{"type": "-", "status": "No"}],
                        },
                        {"action": "X", "onExitCodes": {"operator": "Y", "values": []}},
                    ]
                }
            },
            [
                "spec.podFailurePolicy.rules[0].action: Required value: "
                'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
                'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "who": '
                "must be one of the container or initContainer names in the pod template",
                "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: "
                "must not be 0 for the In operator",
                "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3",
                "spec.podFailurePolicy.rules[0].onExitCodes.values: "
                "Invalid value: []int32{3, 0, 3}: must be ordered",
                'spec.podFailurePolicy.rules[0].onPodConditions[0].type: Invalid value: "-": name '
                "part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
                "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
                "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
                "spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: "
                '"No": supported values: "False", "True", "Unknown"',
                "spec.podFailurePolicy.rules[0]: Invalid value: "
                "specifying both OnExitCodes and OnPodConditions is not supported",
                'spec.podFailurePolicy.rules[1].action: Unsupported value: "X": supported values: '
                '"Count", "FailIndex", "FailJob", "Ignore"',
                'spec.podFailurePolicy.rules[1].onExitCodes.operator: Unsupported value: "Y": '
                'supported values: "In", "NotIn"',
                "spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: []int32{}: "
                "at least one value is required",
            ],
            id="failure rules",
        ),
        pytest.param(
            indexed(successPolicy={"rules": []}),
            [
                "spec.successPolicy.rules: Required value: "
                "at least one rules must be specified when the successPolicy is specified"
            ],
            id="no success rules",
        ),
        pytest.param(
            indexed(
                successPolicy={
                    "rules": [
                        {},
                        {"succeededIndexes": "0-1-2"},
                        {"succeededIndexes": "2,0"},
                        {"succeededIndexes": "a"},
                        {"succeededIndexes": "0,3"},
                        {"succeededIndexes": "0-1", "succeededCount": 4},
                        {"succeededCount": -1},
                    ]
                }
            ),
            [
                "spec.successPolicy.rules[0]: Required value: "
                "at least one of succeededCount or succeededIndexes must be specified",
                'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0-1-2": error '
                'parsing succeededIndexes: the fragment "0-1-2" violates the requirement that an '
                "index interval can have at most two parts separated by '-'",
                'spec.successPolicy.rules[2].succeededIndexes: Invalid value: "2,0": error '
                "parsing succeededIndexes: non-increasing order, previous: 2, current: 0",
                'spec.successPolicy.rules[3].succeededIndexes: Invalid value: "a": error '
                'parsing succeededIndexes: cannot convert string to integer for index: "a"',
                'spec.successPolicy.rules[4].succeededIndexes: Invalid value: "0,3": error '
                'parsing succeededIndexes: too large index: "3"',
                "spec.successPolicy.rules[5].succeededCount: Invalid value: 4: must be less than "
                "or equal to 3 (the number of specified completions)",
                "spec.successPolicy.rules[5].succeededCount: Invalid value: 4: must be less than "
                "or equal to 2 (the number of indexes in the specified succeededIndexes field)",
                f"spec.successPolicy.rules[6].succeededCount: Invalid value: -1: {NOT_NEGATIVE}",
            ],
            id="success rules",
        ),
        pytest.param(
            {"template": template(restartPolicy="Always")},
            [
                "spec.template.spec.restartPolicy: Required value: "
                'valid values: "OnFailure", "Never"'
            ],
            id="restartPolicy",
        ),
        pytest.param(
            {"manualSelector": True},
            [
                "spec.selector: Required value",
                "spec.template.metadata.labels: Invalid value: map[string]string(nil): "
                "`selector` does not match template `labels`",
            ],
            id="manual selector left out",
        ),
    ],
)
def test_jobs(spec: dict[str, Any], expected: list[str]) -> None:
    assert offences(**spec) == expected


def test_success_is_said_of_indexes_only() -> None:
    (found,) = offences(successPolicy={"rules": [{"succeededCount": 1}]})
    assert found.startswith("spec.successPolicy: Invalid value: batch.SuccessPolicy{Rules:")
    assert found.endswith(": requires indexed completion mode")


def test_what_a_job_selects_by_is_made_by_the_server() -> None:
    found = offences(
        selector={"matchLabels": {"a": "b"}},
        template={**template(), "metadata": {"labels": {"job-name": "y"}}},
    )
    labels = (
        f'map[string]string{{"batch.kubernetes.io/controller-uid":"{UID}", '
        f'"batch.kubernetes.io/job-name":"x", "controller-uid":"{UID}", "job-name":"y"}}'
    )
    selector = (
        f'v1.LabelSelector{{MatchLabels:map[string]string{{"a":"b", '
        f'"batch.kubernetes.io/controller-uid":"{UID}"}}, '
        "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}"
    )
    assert found == [
        f"spec.template.metadata.labels[job-name]: Invalid value: {labels}: must be 'x'",
        f"spec.selector: Invalid value: {selector}: `selector` not auto-generated",
        f"spec.template.metadata.labels: Invalid value: {labels}: "
        "`selector` does not match template `labels`",
    ]


def test_the_pods_of_an_indexed_job_can_be_named() -> None:
    name = "x" * 62
    found = JOBS.validate(job(name, **indexed()))
    assert [str(offence) for offence in found] == [
        f'metadata.name: Invalid value: "{name}": '
        f"will not able to create pod with invalid DNS label: {name}-2"
    ]


# ------------------------------------------------------------------ updates


def updated(old: Any, **changes: Any) -> list[str]:
    new = deepcopy(old)
    for name, value in changes.items():
        setattr(new.spec, name, value)
    return [str(offence) for offence in JOBS.validate_update(new, old)]


def test_completions_change_with_parallelism_only() -> None:
    old = job(**indexed())
    assert updated(old, completions=5, parallelism=5) == []
    assert updated(old, completions=5) == [
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"
    ]
    assert updated(job(), completions=5) == [
        "spec.completions: Invalid value: 5: field is immutable"
    ]


def test_where_a_suspended_job_will_run_can_be_changed_and_nothing_else_of_it() -> None:
    old = job(suspend=True)
    spec = deepcopy(old.spec.template)
    spec.spec.node_selector = {"zone": "a"}
    assert updated(old, template=spec) == []
    spec.spec.containers[0].image = "other"
    (found,) = updated(old, template=spec)
    assert found.startswith("spec.template: Invalid value: core.PodTemplateSpec{")
    assert found.endswith(": field is immutable")
    started = deepcopy(old)
    started.status.start_time = NOW
    spec.spec.containers[0].image = old.spec.template.spec.containers[0].image
    (found,) = updated(started, template=spec)
    assert found.endswith(": field is immutable")


# ------------------------------------------------------------------ statuses


def conditions(*types: str) -> list[dict[str, str]]:
    return [{"type": name, "status": "True"} for name in types]


def reported(
    status: dict[str, Any], before: dict[str, Any] | None = None, **spec: Any
) -> list[str]:
    old = job(**spec)
    old.status = codec.from_plain(type(old.status), before or {})
    new = deepcopy(old)
    new.status = codec.from_plain(type(old.status), status)
    return [str(offence) for offence in JOBS.validate_status_update(new, old)]


START, END = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"
DONE: dict[str, Any] = {
    "startTime": START,
    "completionTime": END,
    "succeeded": 1,
    "conditions": conditions("SuccessCriteriaMet", "Complete"),
}


def test_a_job_that_is_done_says_so_in_full() -> None:
    assert reported(DONE) == []
    assert reported({"conditions": conditions("Complete"), "active": 1}) == [
        "status.completionTime: Required value: completionTime is required for Complete jobs",
        "status.conditions: Invalid value: "
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        "status.active: Invalid value: 1: active>0 is invalid for finished job",
        "status.startTime: Required value: startTime is required for finished job",
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"active": -1, "ready": -1}, [f"active: Invalid value: -1: {NOT_NEGATIVE}",
                                       f"ready: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"active": 1, "ready": 2},
         ["ready: Invalid value: 2: cannot set more ready pods than active"]),
        ({"conditions": conditions("Failed"), "startTime": START},
         ["conditions: Invalid value: "
          "cannot set Failed=True condition without the FailureTarget=true condition"]),
        ({"conditions": conditions("SuccessCriteriaMet", "FailureTarget")},
         ["conditions: Invalid value: "
          "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"]),
        ({"uncountedTerminatedPods": {"succeeded": ["a", "a", ""]}},
         ['uncountedTerminatedPods.succeeded[1]: Duplicate value: "a"',
          'uncountedTerminatedPods.succeeded[2]: Invalid value: "": must not be empty']),
        ({"completedIndexes": "0"},
         ['completedIndexes: Invalid value: "0": '
          "cannot set non-empty completedIndexes when non-indexed completion mode"]),
        ({"failedIndexes": "0"},
         ['failedIndexes: Invalid value: "0": '
          "cannot set non-null failedIndexes when backoffLimitPerIndex is null"]),
        ({**DONE, "completionTime": "2026-01-02T03:00:05Z"},
         ['completionTime: Invalid value: 2026-01-02 03:00:05 +0000 UTC: '
          "completionTime cannot be set before startTime"]),
    ],
)  # fmt: skip
def test_statuses(status: dict[str, Any], expected: list[str]) -> None:
    assert reported(status) == [f"status.{text}" for text in expected]


def test_failed_indexes_are_not_completed_ones() -> None:
    status = {"completedIndexes": "0-1", "failedIndexes": "1,2"}
    assert reported(status, **indexed(backoffLimitPerIndex=1)) == [
        'status.failedIndexes: Invalid value: "1,2": '
        "failedIndexes and completedIndexes overlap at index: 1"
    ]


def test_what_is_done_stays_done() -> None:
    later = (NOW + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert reported({**DONE, "completionTime": later}, DONE) == [
        "status.completionTime: Invalid value: 2026-01-02 04:04:05 +0000 UTC: "
        "completionTime cannot be mutated"
    ]
    before = {"failed": 2, "succeeded": 2, "startTime": START}
    assert reported({"failed": 1, "succeeded": 1}, before, parallelism=2, completions=3) == [
        "status.failed: Invalid value: 1: cannot decrease the failed counter",
        "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter",
        "status.startTime: Required value: startTime cannot be removed for unsuspended job",
    ]
    failed = {"conditions": conditions("FailureTarget", "Failed"), "startTime": START}
    assert reported({"startTime": START}, failed) == [
        "status.conditions: Invalid value: cannot disable the terminal Failed=True condition",
        "status.conditions: Invalid value: "
        "cannot disable the terminal FailureTarget=True condition",
    ]


# ------------------------------------------------------------------ CronJobs


def cron_job(name: str = "x", job_spec: dict[str, Any] | None = None, **spec: Any) -> Any:
    body = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": template(), **(job_spec or {})}},
            **spec,
        },
    }
    obj = codec.from_plain(scheme.CRONJOBS.type, body)
    CRONJOBS.default(obj)
    obj.metadata.uid, obj.metadata.resource_version = UID, "1"
    return obj


ZONE = "in schedule, use timeZone field instead"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"timeZone": "Europe/Berlin"}, [], id="time zone"),
        pytest.param({"schedule": ""}, ["spec.schedule: Required value"], id="no schedule"),
        pytest.param(
            {"schedule": "61 * * * *"},
            [
                'spec.schedule: Invalid value: "61 * * * *": '
                "end of range (61) above maximum (59): 61"
            ],
            id="schedule",
        ),
        pytest.param(
            {"schedule": "TZ=UTC 0 * * * *"},
            [f'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ {ZONE}'],
            id="TZ",
        ),
        pytest.param(
            {"timeZone": ""},
            [
                'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string',
            ],
            id="empty time zone",
        ),
        pytest.param(
            {"timeZone": "local"},
            [
                'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as '
                "defined in https://www.iana.org/time-zones",
                'spec.timeZone: Invalid value: "local": unknown time zone local',
            ],
            id="local time",
        ),
        pytest.param(
            {"timeZone": "../etc/passwd"},
            ['spec.timeZone: Invalid value: "../etc/passwd": unknown time zone ../etc/passwd'],
            id="no zone but a path",
        ),
        pytest.param(
            {"timeZone": "Mars/Olympus"},
            ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
            id="unknown time zone",
        ),
        pytest.param(
            {"concurrencyPolicy": "X", "successfulJobsHistoryLimit": -1},
            [
                'spec.concurrencyPolicy: Unsupported value: "X": '
                'supported values: "Allow", "Forbid", "Replace"',
                f"spec.successfulJobsHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}",
            ],
            id="others",
        ),
        pytest.param(
            {"job_spec": {"manualSelector": True, "selector": {}}},
            [
                "spec.jobTemplate.spec.selector: Invalid value: v1.LabelSelector{MatchLabels:"
                "map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: "
                "`selector` will be auto-generated",
                "spec.jobTemplate.spec.manualSelector: Unsupported value: true: "
                'supported values: "nil", "false"',
            ],
            id="selectors",
        ),
    ],
)
def test_cron_jobs(spec: dict[str, Any], expected: list[str]) -> None:
    found = CRONJOBS.validate(cron_job(**spec))
    assert [str(offence) for offence in found] == expected


def test_names_of_cron_jobs_leave_room_for_those_of_their_jobs() -> None:
    old = cron_job("x" * 53)
    (found,) = CRONJOBS.validate(old)
    assert str(found) == (
        f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters'
    )
    assert CRONJOBS.validate_update(deepcopy(old), old) == []


def test_a_schedule_that_had_a_time_zone_may_keep_it() -> None:
    old = cron_job(schedule="TZ=UTC 0 * * * *")
    new = deepcopy(old)
    assert CRONJOBS.validate_update(new, old) == []
    new.spec.time_zone = "UTC"
    (found,) = CRONJOBS.validate_update(new, old)
    assert str(found) == (
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": '
        "cannot use both timeZone field and TZ or CRON_TZ in schedule"
    )
