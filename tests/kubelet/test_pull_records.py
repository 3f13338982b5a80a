"""Images that were pulled with somebody's credentials are not for everybody."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from podium.api import scheme
from podium.api.codec import from_plain
from podium.api.types.core_v1 import Secret
from podium.kit.clock import VirtualClock
from podium.kubelet.images import ImageManager, ImageReady
from podium.kubelet.pull_records import ALLOWLISTED, ALWAYS, NEVER, PRELOADED, PullRecords
from podium.kubelet.pull_secrets import Credential
from podium.runtime.image_port import AuthConfig
from podium.runtime.memory_images import MemoryImages
from podium.runtime.port import RuntimeFailure
from support.pods import make_pod

IMAGE, ID = "registry.example/team/app:1", "sha256:1"
MINE = Credential(AuthConfig("me", "secret"), "u1", "default", "mine")
SAME = Credential(AuthConfig("me", "secret"), "u2", "other", "copy")
RENEWED = Credential(AuthConfig("me", "new"), "u1", "default", "mine")
OTHER = Credential(AuthConfig("you", "secret"), "u3", "other", "other")


class Silent:
    """Takes events."""

    def event(self, *_about: Any, **_more: Any) -> None:
        pass


def pulled(records: PullRecords, *credentials: Credential | None) -> None:
    for credential in credentials:
        records.begin(IMAGE)
        records.succeeded(IMAGE, ID, credential)


@pytest.mark.parametrize(
    ("policy", "name", "verify"),
    [
        pytest.param(PRELOADED, "docker.io/library/app:1", False, id="loaded-by-that-name"),
        pytest.param(PRELOADED, "app:1", False, id="in-short"),
        pytest.param(PRELOADED, "docker.io/library/app:2", True, id="another-tag"),
        pytest.param(PRELOADED, IMAGE, True, id="pulled-by-that-name"),
        pytest.param(ALWAYS, "docker.io/library/app:1", True, id="policy"),
    ],
)
def test_what_was_loaded_stays_for_all_though_it_is_pulled_by_another_name(
    tmp_path: Path, policy: str, name: str, verify: bool
) -> None:
    records = PullRecords(tmp_path, policy)
    pulled(records, MINE)
    names = [IMAGE, "docker.io/library/app:1"]
    assert records.must_verify(name, ID, [], names) is verify


@pytest.mark.parametrize(
    ("by", "given", "verify"),
    [
        pytest.param([], [], False, id="loaded"),
        pytest.param([None], [], False, id="public"),
        pytest.param([MINE], [], True, id="no-secret"),
        pytest.param([MINE], [OTHER], True, id="another-one"),
        pytest.param([MINE], [OTHER, MINE], False, id="the-same"),
        pytest.param([MINE], [SAME], False, id="the-same-in-another-secret"),
        pytest.param([MINE], [RENEWED], False, id="the-secret-was-renewed"),
        pytest.param([MINE, OTHER], [OTHER], False, id="whoever-could-pull-it"),
        pytest.param([MINE, None], [], False, id="public-by-now"),
    ],
)
def test_who_has_to_show_that_he_may(tmp_path: Path, by: Any, given: Any, verify: bool) -> None:
    pulled(PullRecords(tmp_path), *by)
    assert PullRecords(tmp_path).must_verify(IMAGE, ID, given) is verify


def test_it_counts_by_repository(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    pulled(records, MINE)
    assert not records.must_verify("registry.example/team/app:2", ID, [MINE])
    assert records.must_verify("registry.example/elsewhere/app:1", ID, [MINE])


def test_a_pull_that_nobody_saw_the_end_of(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    assert PullRecords(tmp_path).must_verify(IMAGE, ID, [MINE])
    records.failed(IMAGE)
    assert not records.must_verify(IMAGE, ID, [])


def test_a_pull_that_was_abandoned_holds_up_no_later_one(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    records.abandoned(IMAGE)
    assert records.must_verify(IMAGE, ID, [])
    pulled(records, None)
    assert records.unfinished() == []
    assert not records.must_verify(IMAGE, ID, [])


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("end", ["failed", "abandoned"])
def test_a_pull_that_fails_does_not_speak_for_one_that_was_abandoned_before(
    tmp_path: Path, restarts: bool, end: str
) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    records.abandoned(IMAGE)
    if restarts:
        records = PullRecords(tmp_path)
    for _ in range(2):
        records.begin(IMAGE, present=ID)
        getattr(records, end)(IMAGE)
        assert records.must_verify(IMAGE, ID, [OTHER])
    assert [pull.present for pull in records.unfinished()] == [""]
    pulled(records, MINE)
    assert records.unfinished() == []
    assert records.must_verify(IMAGE, ID, [OTHER])
    assert not records.must_verify(IMAGE, ID, [MINE])


def test_one_of_two_pulls_that_fails_does_not_speak_for_one_that_was_abandoned(
    tmp_path: Path,
) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    records.begin(IMAGE)
    records.abandoned(IMAGE)
    records.failed(IMAGE)
    assert records.must_verify(IMAGE, ID, [OTHER])


def test_what_is_gone_is_in_doubt_no_longer(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    records.abandoned(IMAGE)
    records.begin(IMAGE, present="")
    records.failed(IMAGE)
    assert records.unfinished() == []


def test_one_of_two_pulls_that_fails_leaves_the_other_on_record(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    records.begin(IMAGE)
    records.failed(IMAGE)
    assert PullRecords(tmp_path).must_verify(IMAGE, ID, [])
    records.failed(IMAGE)
    assert not records.must_verify(IMAGE, ID, [])


@pytest.mark.parametrize("loaded", ["before", "after"])
@pytest.mark.parametrize("how", ["the Pod is deleted", "the kubelet is killed"])
async def test_an_image_that_is_loaded_beside_a_pull_that_came_to_nothing(
    tmp_path: Path, how: str, loaded: str
) -> None:
    """It is for everybody, as any other that is loaded."""
    clock = VirtualClock()
    present = [IMAGE] if loaded == "before" else []
    images = MemoryImages(clock, present, remote=[IMAGE], pull_seconds=3600)
    manager = ImageManager(images, Silent(), clock, PullRecords(tmp_path))  # type: ignore[arg-type]
    pod = make_pod({"name": "c", "image": IMAGE, "imagePullPolicy": "Always"})
    pull = asyncio.create_task(manager.ensure(pod, pod.spec.containers[0], []))
    async with asyncio.timeout(60):
        while not images.pulls:
            await asyncio.sleep(0.001)
    if how == "the kubelet is killed":
        intents = {path: path.read_bytes() for path in (tmp_path / "pulling").iterdir()}
    pull.cancel()
    await asyncio.wait([pull])
    if how == "the kubelet is killed":
        for path, intent in intents.items():
            path.write_bytes(intent)
        manager = ImageManager(images, Silent(), clock, PullRecords(tmp_path))  # type: ignore[arg-type]
        await manager.settle()

    images.load(IMAGE)

    pod = make_pod({"name": "c", "image": IMAGE, "imagePullPolicy": "IfNotPresent"})
    assert isinstance(await manager.ensure(pod, pod.spec.containers[0], []), ImageReady)
    assert len(images.pulls) == 1


async def test_a_cancelled_pull_whose_image_cannot_be_inspected_ends_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    images = MemoryImages(clock, remote=[IMAGE], pull_seconds=3600)
    records = PullRecords(tmp_path)
    manager = ImageManager(images, Silent(), clock, records)  # type: ignore[arg-type]
    pod = make_pod({"name": "c", "image": IMAGE})
    pull = asyncio.create_task(manager.ensure(pod, pod.spec.containers[0], []))
    async with asyncio.timeout(60):
        while not images.pulls:
            await asyncio.sleep(0.001)

    async def failing(_: str) -> None:
        raise RuntimeFailure("connection refused", "Unavailable")

    monkeypatch.setattr(images, "image_status", failing)
    pull.cancel()
    await asyncio.wait([pull])

    assert pull.cancelled()
    assert records.must_verify(IMAGE, ID, [])
    pulled(records, None)
    assert records.unfinished() == []


def test_pulls_with_many_credentials_at_once_are_all_noted(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    names = [f"u{number}" for number in range(8)]
    together = threading.Barrier(len(names))

    def pull(name: str) -> Credential:
        credential = Credential(AuthConfig(name, "secret"), name, "default", name)
        together.wait(60)
        records.begin(IMAGE)
        together.wait(60)
        records.succeeded(IMAGE, ID, credential)
        return credential

    with ThreadPoolExecutor(len(names)) as pool:
        credentials = list(pool.map(pull, names))
    assert records.unfinished() == []
    assert [each for each in credentials if records.must_verify(IMAGE, ID, [each])] == []


def test_damage_opens_nothing(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    pulled(records, None)
    [path] = (tmp_path / "pulled").iterdir()
    path.write_text("{")
    assert records.must_verify(IMAGE, ID, [MINE])


def test_damage_to_what_was_noted_of_a_pull_opens_nothing_either(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    records.begin(IMAGE)
    [path] = (tmp_path / "pulling").iterdir()
    path.write_text("{")
    records = PullRecords(tmp_path)
    assert records.unfinished() == []
    records.begin(IMAGE, present=ID)
    records.failed(IMAGE)
    assert records.must_verify(IMAGE, ID, [MINE])
    pulled(records, MINE)
    assert not records.must_verify(IMAGE, ID, [MINE])


def test_records_go_with_their_images(tmp_path: Path) -> None:
    records = PullRecords(tmp_path)
    pulled(records, MINE)
    records.keep({ID})
    assert records.must_verify(IMAGE, ID, [])
    records.keep(set())
    assert not records.must_verify(IMAGE, ID, [])


@pytest.mark.parametrize(
    ("policy", "loaded", "pulled_by_me"),
    [(NEVER, False, False), (PRELOADED, False, True), (ALWAYS, True, True)],
)
def test_policies(tmp_path: Path, policy: str, loaded: bool, pulled_by_me: bool) -> None:
    records = PullRecords(tmp_path, policy)
    assert records.must_verify(IMAGE, ID, []) is loaded
    pulled(records, MINE)
    assert records.must_verify(IMAGE, ID, []) is pulled_by_me


def test_no_password_is_on_the_disk(tmp_path: Path) -> None:
    pulled(PullRecords(tmp_path), MINE)
    [path] = (tmp_path / "pulled").iterdir()
    record = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert record["kind"] == "ImagePulledRecord"
    [secret] = record["credentialMapping"]["registry.example/team/app"]["kubernetesSecrets"]
    assert (secret["namespace"], secret["name"], secret["uid"]) == ("default", "mine", "u1")
    assert "secret" not in secret["credentialHash"]


@pytest.mark.parametrize(
    ("allowed", "verify"),
    [
        ([], True),
        (["registry.example/team/app"], False),
        (["registry.example/team/*"], False),
        (["registry.example/tea"], True),
        (["registry.example/other/*"], True),
    ],
)
def test_a_list_of_preloaded_images(tmp_path: Path, allowed: list[str], verify: bool) -> None:
    records = PullRecords(tmp_path, ALLOWLISTED, allowed)
    assert records.must_verify(IMAGE, ID, []) is verify
    pulled(records, MINE)
    assert records.must_verify(IMAGE, ID, [])


async def test_a_pod_without_the_secret_does_not_get_anothers_image(node):
    node.images.publish(IMAGE)
    node.images.passwords[IMAGE] = "pw"
    auth = base64.b64encode(b"me:pw").decode()
    config = json.dumps({"auths": {"registry.example": {"auth": auth}}}).encode()
    secret = {
        "metadata": {"name": "mine"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(config).decode()},
    }
    await node.client.create(scheme.SECRETS, from_plain(Secret, secret), namespace="default")
    pulls = [{"name": "mine"}]
    await node.create({"image": IMAGE}, name="owner", imagePullSecrets=pulls)
    await node.running("owner")
    count = len(node.images.pulls)

    await node.create({"image": IMAGE}, name="thief")
    await node.until(lambda: "ErrImagePull r0" in node.states.get("thief/c", []), step=0.1)
    await node.create({"image": IMAGE, "imagePullPolicy": "Never"}, name="sly")
    await node.until(lambda: "ErrImageNeverPull r0" in node.states.get("sly/c", []), step=0.1)
    assert len(node.images.pulls) > count
    await node.create({"image": IMAGE}, name="friend", imagePullSecrets=pulls)
    await node.running("friend")
