"""Checks of what controllers say of Jobs. Follows ``pkg/apis/batch/validation`` of Kubernetes.

What an update does not touch is not held against it, but for what cannot be undone.
"""

from __future__ import annotations

from typing import Any

from podium.api.field import OMITTED, Path, duplicate, invalid, required
from podium.api.types.batch_v1 import Job, JobStatus
from podium.api.validation.common import Errors, non_negative
from podium.api.validation.job_policies import interval, intervals

STATUS = Path("status")
_CONDITIONS = STATUS.child("conditions")
_TERMINAL = ("Failed", "Complete", "FailureTarget")


def validate_job_status(new: Job, old: Job) -> Errors:
    yield from _counts(new.status)
    yield from _completion(new, old)
    yield from _finished(new, old)
    yield from _indexes(new, old)
    yield from _pods(new, old)
    yield from _criteria(new)
    yield from _steps(new, old)


def _true(job: Job, *types: str) -> bool:
    return any(c.type in types and c.status == "True" for c in job.status.conditions)


def _changed(new: Job, old: Job, *attributes: str) -> bool:
    return any(getattr(new.status, name) != getattr(old.status, name) for name in attributes)


def _turned(new: Job, old: Job, *types: str) -> bool:
    return _true(new, *types) != _true(old, *types)


def _refused(text: str) -> Any:
    return invalid(_CONDITIONS, OMITTED, text)


def _counts(status: JobStatus) -> Errors:
    for name in ("active", "succeeded", "failed", "ready", "terminating"):
        yield from non_negative(STATUS.child(name), getattr(status, name) or 0)
    pods = status.uncounted_terminated_pods
    if pods is None:
        return
    seen: set[str] = set()
    for name, uids in (("succeeded", pods.succeeded), ("failed", pods.failed)):
        for i, uid in enumerate(uids):
            at = STATUS.child("uncountedTerminatedPods", name).index(i)
            if not uid:
                yield invalid(at, uid, "must not be empty")
            elif uid in seen:
                yield duplicate(at, uid)
            seen.add(uid)


def _completion(new: Job, old: Job) -> Errors:
    status, complete = new.status, _true(new, "Complete")
    turned, at = _turned(new, old, "Complete"), STATUS.child("completionTime")
    if complete and _true(new, "Failed") and (turned or _turned(new, old, "Failed")):
        yield _refused("cannot set Complete=True and Failed=true conditions")
    if complete and _true(new, "FailureTarget") and (turned or _turned(new, old, "FailureTarget")):
        yield _refused("cannot set Complete=True and FailureTarget=true conditions")
    if turned or _changed(new, old, "completion_time"):
        if status.completion_time is not None and not complete:
            text = "cannot set completionTime when there is no Complete=True condition"
            yield invalid(at, status.completion_time, text)
        if status.completion_time is None and complete:
            yield required(at, "completionTime is required for Complete jobs")
    if (
        _changed(new, old, "start_time", "completion_time")
        and status.start_time is not None
        and status.completion_time is not None
        and status.completion_time < status.start_time
    ):
        text = "completionTime cannot be set before startTime"
        yield invalid(at, status.completion_time, text)
    failing = _turned(new, old, "Failed") or _turned(new, old, "FailureTarget")
    if failing and _true(new, "Failed") and not _true(new, "FailureTarget"):
        yield _refused("cannot set Failed=True condition without the FailureTarget=true condition")
    if (
        (turned or _turned(new, old, "SuccessCriteriaMet"))
        and complete
        and not _true(new, "SuccessCriteriaMet")
    ):
        yield _refused(
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        )


def _finished(new: Job, old: Job) -> Errors:
    """What still goes on of a Job that is said to be over."""
    if not _true(new, "Complete", "Failed"):
        return
    status = new.status
    turned = _turned(new, old, "Complete", "Failed")
    if status.active > 0 and (turned or _changed(new, old, "active")):
        text = "active>0 is invalid for finished job"
        yield invalid(STATUS.child("active"), status.active, text)
    if status.start_time is None and (turned or _changed(new, old, "start_time")):
        yield required(STATUS.child("startTime"), "startTime is required for finished job")
    pods = status.uncounted_terminated_pods
    if (
        pods is not None
        and (pods.failed or pods.succeeded)
        and (turned or _changed(new, old, "uncounted_terminated_pods"))
    ):
        text = "uncountedTerminatedPods needs to be empty for finished job"
        yield invalid(STATUS.child("uncountedTerminatedPods"), pods, text)


def _indexes(new: Job, old: Job) -> Errors:
    spec, status = new.spec, new.status
    done, failed = status.completed_indexes, status.failed_indexes
    at, place = STATUS.child("completedIndexes"), STATUS.child("failedIndexes")
    done_changed = _changed(new, old, "completed_indexes")
    failed_changed = _changed(new, old, "failed_indexes")
    count = spec.completions
    if done_changed and count is not None:
        yield from _format("completedIndexes", done, count)
    if failed_changed and count is not None and spec.backoff_limit_per_index is not None:
        yield from _format("failedIndexes", failed or "", count)
    if done_changed and done and spec.completion_mode != "Indexed":
        text = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield invalid(at, done, text)
    if failed_changed and failed is not None and spec.backoff_limit_per_index is None:
        text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield invalid(place, failed, text)
    if (done_changed or failed_changed) and count is not None and failed is not None:
        both = _overlap(done, failed, count)
        if both is not None:
            text = f"failedIndexes and completedIndexes overlap at index: {both}"
            yield invalid(place, failed, text)


def _pods(new: Job, old: Job) -> Errors:
    status = new.status
    turned = _turned(new, old, "Complete", "Failed") or _changed(new, old, "terminating")
    if turned and (status.terminating or 0) > 0 and _true(new, "Complete", "Failed"):
        text = "terminating>0 is invalid for finished job"
        yield invalid(STATUS.child("terminating"), status.terminating, text)
    if _changed(new, old, "ready", "active") and (status.ready or 0) > status.active:
        text = "cannot set more ready pods than active"
        yield invalid(STATUS.child("ready"), status.ready, text)


def _format(name: str, text: str, count: int) -> Errors:
    try:
        intervals(text, count)
    except ValueError as error:
        yield invalid(STATUS.child(name), text, f"error parsing {name}: {error}")


def _overlap(done: str, failed: str, count: int) -> int | None:
    """Return the first index that is in both; what cannot be read is left out, and said before."""
    there, at = sorted(_readable(done, count)), 0
    for first, last in sorted(_readable(failed, count)):
        while at < len(there) and there[at][1] < first:
            at += 1
        if at < len(there) and there[at][0] <= last:
            return max(first, there[at][0])
    return None


def _readable(text: str, count: int) -> list[tuple[int, int]]:
    found = []
    for part in text.split(",") if text else ():
        try:
            found.append(interval(part, count))
        except ValueError:
            continue
    return found


def _criteria(new: Job) -> Errors:
    if _true(new, "SuccessCriteriaMet"):
        if _true(new, "Failed"):
            yield _refused("cannot set SuccessCriteriaMet=True and Failed=true conditions")
        if _true(new, "FailureTarget"):
            yield _refused("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    elif new.spec.success_policy is not None and _true(new, "Complete"):
        yield _refused(
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        )


def _steps(new: Job, old: Job) -> Errors:
    """What an update may not take back."""
    now, before = new.status, old.status
    for name in _TERMINAL:
        if _true(old, name) and not _true(new, name):
            yield _refused(f"cannot disable the terminal {name}=True condition")
    if now.failed < before.failed:
        text = "cannot decrease the failed counter"
        yield invalid(STATUS.child("failed"), now.failed, text)
    if now.succeeded < before.succeeded and new.spec.completions != new.spec.parallelism:
        text = "cannot decrease the succeeded counter"
        yield invalid(STATUS.child("succeeded"), now.succeeded, text)
    if now.completion_time is not None and before.completion_time not in (
        None,
        now.completion_time,
    ):
        text = "completionTime cannot be mutated"
        yield invalid(STATUS.child("completionTime"), now.completion_time, text)
    if before.start_time not in (None, now.start_time) and not new.spec.suspend:
        text = "startTime cannot be removed for unsuspended job"
        yield required(STATUS.child("startTime"), text)
    if _true(old, "SuccessCriteriaMet") and not _true(new, "SuccessCriteriaMet"):
        yield _refused("cannot disable the SuccessCriteriaMet=True condition")
    if (
        _true(old, "Complete")
        and not _true(old, "SuccessCriteriaMet")
        and _true(new, "SuccessCriteriaMet")
    ):
        yield _refused(
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        )
