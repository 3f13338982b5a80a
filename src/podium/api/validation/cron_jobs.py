"""Checks of CronJobs. Follows ``pkg/apis/batch/validation`` of Kubernetes."""

from __future__ import annotations

import re

from podium.api import cron
from podium.api.field import FieldError, Path, invalid, not_supported, required
from podium.api.types.batch_v1 import CronJob, CronJobSpec
from podium.api.validation.common import Errors, non_negative, one_of
from podium.api.validation.jobs import SPEC, validate_job_spec

CONCURRENCY = ("Allow", "Forbid", "Replace")
_MAX_NAME = 52  # what is left of a label's 63 when a Job has its time appended
_ZONE_PART = re.compile(r"(?!-)[A-Za-z._0-9+-]{1,14}")


def validate_cron_job(obj: CronJob) -> list[FieldError]:
    errors = list(_spec(obj.spec, None))
    if len(obj.metadata.name) > _MAX_NAME:
        text = f"must be no more than {_MAX_NAME} characters"
        errors.append(invalid(Path("metadata").child("name"), obj.metadata.name, text))
    return errors


def validate_cron_job_update(new: CronJob, old: CronJob) -> list[FieldError]:
    return list(_spec(new.spec, old.spec))


def _spec(spec: CronJobSpec, old: CronJobSpec | None) -> Errors:
    if not spec.schedule:
        yield required(SPEC.child("schedule"))
    else:
        yield from _schedule(spec, allow_zone=old is not None and "TZ" in old.schedule)
    yield from non_negative(
        SPEC.child("startingDeadlineSeconds"), spec.starting_deadline_seconds or 0
    )
    if spec.time_zone is not None and (old is None or old.time_zone != spec.time_zone):
        yield from _time_zone(SPEC.child("timeZone"), spec.time_zone)
    yield from one_of(SPEC.child("concurrencyPolicy"), spec.concurrency_policy, CONCURRENCY)
    at, job = SPEC.child("jobTemplate", "spec"), spec.job_template.spec
    yield from validate_job_spec(at, job)
    if job.selector is not None:
        yield invalid(at.child("selector"), job.selector, "`selector` will be auto-generated")
    if job.manual_selector:
        yield not_supported(at.child("manualSelector"), job.manual_selector, ["nil", "false"])
    for name, limit in (
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ):
        yield from non_negative(SPEC.child(name), limit or 0)


def _schedule(spec: CronJobSpec, *, allow_zone: bool) -> Errors:
    at = SPEC.child("schedule")
    try:
        cron.check(spec.schedule)
    except ValueError as error:
        yield invalid(at, spec.schedule, str(error))
    if "TZ" not in spec.schedule:
        return
    if not allow_zone:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid(at, spec.schedule, text)
    elif spec.time_zone is not None:
        text = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        yield invalid(at, spec.schedule, text)


def _time_zone(path: Path, zone: str) -> Errors:
    if not zone:
        yield invalid(path, zone, "timeZone must be nil or non-empty string")
        return
    parts = zone.split("/")
    unknown = f"unknown time zone {zone}"
    if not all(_ZONE_PART.fullmatch(part) and part not in (".", "..") for part in parts):
        yield invalid(path, zone, unknown)
        return
    if zone.lower() == "local":
        text = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        yield invalid(path, zone, text)
    if zone != "Local" and not _is_known(zone):
        yield invalid(path, zone, unknown)


def _is_known(zone: str) -> bool:
    """Whether there is such a zone; as far as known: where there are none at all, any may be."""
    import zoneinfo  # of the requests of a day, hardly one needs it

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zone != "UTC" and not _is_known("UTC")
    return True
