"""Pulling: from Debian's docker-registry, and from one that misbehaves."""

import asyncio
import base64
import os
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web

from podium.kit.clock import SystemClock
from podium.runtime.image_port import AuthConfig
from podium.runtime.images import pull, registries
from podium.runtime.images.service import LocalImageService
from podium.runtime.port import RuntimeFailure
from support.fake_registry import FakeRegistry, break_off, serving
from support.images import (
    ARCHITECTURE,
    CREDENTIALS,
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    Entry,
    TestImage,
    busybox_image,
    descriptor,
    digest,
    layer,
    running_registry,
)
from support.pki import Authority
from support.ports import free_port

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DENIED = "pull access denied, repository does not exist or may require authorization"
AUTH = AuthConfig(*CREDENTIALS)
BASIC = "Basic " + base64.b64encode(":".join(CREDENTIALS).encode()).decode()
IMAGE = TestImage(
    (layer(Entry("base", os.urandom(300_000))), layer(Entry("top", os.urandom(2_500_000)))),
    {"Cmd": ["sh"], "User": "1000:5"},
)


class Hurried(SystemClock):
    """A clock on which pauses are over at once, and written down."""

    def __init__(self):
        self.pauses = []

    async def sleep(self, seconds):
        self.pauses.append(seconds)


@pytest.fixture
def clock():
    return Hurried()


@pytest.fixture
def make_service(tmp_path, clock):
    def make(config=None):
        settings = registries.parse(config) if config else None
        return LocalImageService(tmp_path / "images", settings, clock=clock)

    return make


@pytest.fixture
def service(make_service):
    return make_service()


@pytest.fixture
async def fake():
    async with serving(FakeRegistry()) as registry:
        yield registry


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with running_registry(tmp_path_factory.mktemp("registry")) as registry:
        registry.push("busybox", "1.36", busybox_image())
        registry.push("willvelida/kuard", "latest", IMAGE)
        registry.push("mirrored/thing", "1", IMAGE)
        yield registry


@pytest.fixture(scope="module")
def protected(tmp_path_factory):
    with running_registry(tmp_path_factory.mktemp("protected"), protected=True) as registry:
        registry.push("private", "1", IMAGE)
        yield registry


def nothing_left(service):
    assert service.store.index().images == {}
    assert os.listdir(service.store.root / "ingest") == []
    return True


async def refused(service, image, auth=None):
    with pytest.raises(RuntimeFailure) as caught:
        await service.pull_image(image, auth)
    assert nothing_left(service)
    return caught.value


# A real registry


async def test_pull(service, real):
    image_id = await service.pull_image(f"{real.host}/willvelida/kuard")
    assert image_id == IMAGE.id
    image = await service.image_status(f"{real.host}/willvelida/kuard:latest")
    assert image == await service.image_status(image_id)
    assert image.repo_tags == [f"{real.host}/willvelida/kuard:latest"]
    assert len(image.repo_digests) == 1
    assert image.repo_digests[0].startswith(f"{real.host}/willvelida/kuard@sha256:")
    assert (image.uid, image.username) == (1000, "")
    assert 2_800_000 < image.size < 2_900_000
    assert [os.listdir(path) for path in service.layers(image_id)] == [["top"], ["base"]]
    assert service.config(image_id).cmd == ("sh",)
    assert os.listdir(service.store.root / "ingest") == []


async def test_a_mirror_of_docker_hub(make_service, real):
    """The name stays the user's; the mirror does not show in it."""
    service = make_service({"mirrors": {"docker.io": {"endpoint": [f"http://{real.host}"]}}})
    image_id = await service.pull_image("willvelida/kuard")
    image = await service.image_status("willvelida/kuard")
    assert image.id == image_id
    assert image.repo_tags == ["docker.io/willvelida/kuard:latest"]
    assert image.repo_digests[0].startswith("docker.io/willvelida/kuard@sha256:")


async def test_a_mirror_with_rewritten_names(make_service, real):
    config = {"endpoint": [f"http://{real.host}"], "rewrite": {"^lib/(.*)$": "mirrored/$1"}}
    service = make_service({"mirrors": {"example.com": config}})
    assert await service.pull_image("example.com/lib/thing:1") == IMAGE.id


async def test_the_wildcard_mirror_and_one_that_is_down(make_service, real):
    down = f"http://127.0.0.1:{free_port()}"
    service = make_service({"mirrors": {"*": {"endpoint": [down, f"http://{real.host}/v2"]}}})
    assert await service.pull_image("quay.io/willvelida/kuard") == IMAGE.id


async def test_by_digest(service, real):
    await service.pull_image(f"{real.host}/busybox:1.36")
    (name,) = (await service.image_status(f"{real.host}/busybox:1.36")).repo_digests
    await service.remove_image(f"{real.host}/busybox:1.36")
    assert await service.list_images() == []
    image_id = await service.pull_image(name)
    image = await service.image_status(image_id)
    assert (image.repo_tags, image.repo_digests) == ([], [name])


GOLDEN = "failed to pull and unpack image"


@pytest.mark.parametrize(
    ("user", "uid", "username"),
    [
        pytest.param("7:8", 7, "", id="number"),
        pytest.param("web:8", None, "web", id="name"),
        pytest.param("²", None, "²", id="what-only-looks-like-a-digit"),
        pytest.param("9" * 5000, None, "9" * 5000, id="what-no-number-can-be"),
    ],
)
async def test_whoever_an_image_is_of_it_can_be_listed(service, fake, user, uid, username):
    """The node's status tells of all images."""
    fake.add("b", "1", busybox_image(user=user))
    await service.pull_image(f"{fake.host}/b:1")
    [image] = await service.list_images()
    assert (image.uid, image.username) == (uid, username)


@pytest.mark.parametrize("damage", ["rewritten", "gone"])
async def test_a_damaged_image_counts_for_none_until_it_is_pulled_again(service, fake, damage):
    fake.add("a", "1", busybox_image())
    fake.add("b", "1", IMAGE)
    other = await service.pull_image(f"{fake.host}/a:1")
    image_id = await service.pull_image(f"{fake.host}/b:1")
    blob = service.store.root / "blobs/sha256" / image_id.removeprefix("sha256:")
    blob.unlink() if damage == "gone" else blob.write_text("{}")
    again = LocalImageService(service.store.root)
    assert [image.id for image in await again.list_images()] == [other]
    assert await again.image_status(f"{fake.host}/b:1") is None
    assert await again.pull_image(f"{fake.host}/b:1") == image_id
    status = await again.image_status(f"{fake.host}/b:1")
    assert status is not None
    assert status.id == image_id


async def test_missing_tag(service, real):
    """As recorded from Kubernetes 1.25 with containerd 1.6 (image-missing-tag)."""
    name = f"{real.host}/busybox:nosuchtag"
    assert (await refused(service, name)).rpc_error == (
        f'rpc error: code = NotFound desc = {GOLDEN} "{name}": failed to resolve reference '
        f'"{name}": {name}: not found'
    )


async def test_missing_digest(service, real):
    name = f"{real.host}/busybox@sha256:{'0' * 64}"
    assert (await refused(service, name)).rpc_error == (
        f'rpc error: code = NotFound desc = {GOLDEN} "{name}": failed to resolve reference '
        f'"{name}": {name}: not found'
    )


async def test_registry_refused(service):
    """As recorded from Kubernetes 1.25 with containerd 1.6 (image-registry-refused)."""
    assert (await refused(service, "127.0.0.1:1/x:1")).rpc_error == (
        f'rpc error: code = Unknown desc = {GOLDEN} "127.0.0.1:1/x:1": failed to resolve reference '
        '"127.0.0.1:1/x:1": failed to do request: Head "http://127.0.0.1:1/v2/x/manifests/1": '
        "dial tcp 127.0.0.1:1: connect: connection refused"
    )


async def test_a_name_that_cannot_be(service):
    failure = await refused(service, "UP")
    assert failure.code == "InvalidArgument"
    assert str(failure).startswith('failed to parse image reference "UP": invalid reference format')


# Credentials


async def test_basic_credentials(make_service, protected):
    name = f"{protected.host}/private:1"
    assert f"{DENIED}: authorization failed: no basic auth" in str(
        await refused(make_service(), name)
    )
    wrong = AuthConfig("reader", "wrong")
    assert f"{DENIED}: authorization failed" in str(await refused(make_service(), name, wrong))
    assert await make_service().pull_image(name, AUTH) == IMAGE.id


@pytest.mark.parametrize(
    "auth",
    [
        {"username": CREDENTIALS[0], "password": CREDENTIALS[1]},
        {"auth": base64.b64encode(":".join(CREDENTIALS).encode()).decode()},
    ],
    ids=["username", "auth"],
)
async def test_credentials_of_the_node(make_service, protected, auth):
    service = make_service({"configs": {protected.host: {"auth": auth}}})
    assert await service.pull_image(f"{protected.host}/private:1") == IMAGE.id


class TokenServer:
    """Asks for bearer tokens, and gives them out at ``/token``."""

    def __init__(self, registry, realm=None, accepts=None):
        self.registry, self.realm, self.accepts = registry, realm, accepts
        self.tokens, self.asked = set(), []
        registry.intercept = self.intercept

    async def intercept(self, request):
        if request.path == "/token":
            return await self.token(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens:
            return None
        realm = self.realm or f"http://{self.registry.host}/token?account=x"
        challenge = f'Bearer realm="{realm}",service="reg,istry",scope="ignored"'
        if "Authorization" in request.headers:
            challenge += ',error="insufficient_scope"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async def token(self, request):
        form = dict(await request.post())
        self.asked.append((dict(request.query), request.headers.get("Authorization"), form))
        if self.accepts is not None and request.headers.get("Authorization") != self.accepts:
            return web.Response(status=401)
        token = f"token-{len(self.asked)}"
        self.tokens.add(token)
        return web.json_response({"token": token})


async def test_bearer_tokens(service, fake):
    fake.add("a/b", "1", IMAGE)
    server = TokenServer(fake)
    assert await service.pull_image(f"{fake.host}/a/b:1") == IMAGE.id
    query = {"account": "x", "service": "reg,istry", "scope": "repository:a/b:pull"}
    assert server.asked == [(query, None, {})], "one token for the whole pull"


async def test_bearer_tokens_for_credentials(service, fake):
    fake.add("b", "1", IMAGE)
    server = TokenServer(fake, accepts=BASIC)
    failure = str(await refused(service, f"{fake.host}/b:1"))
    assert "failed to authorize: failed to fetch anonymous token: unexpected status: 401" in failure
    await service.pull_image(f"{fake.host}/b:1", AUTH)
    assert server.asked[-1][1] == BASIC
    sent = {headers.get("Authorization", "") for _, path, headers in fake.requests if "v2" in path}
    assert not any(header.startswith("Basic") for header in sent), "the password goes to the realm"


async def test_identity_tokens(service, fake):
    fake.add("b", "1", IMAGE)
    server = TokenServer(fake)
    await service.pull_image(f"{fake.host}/b:1", AuthConfig(identity_token="identity"))
    assert server.asked[0][2] == {
        "grant_type": "refresh_token",
        "refresh_token": "identity",
        "client_id": "podium",
        "service": "reg,istry",
        "scope": "repository:b:pull",
    }


async def test_a_token_that_expires_on_the_way(service, fake):
    fake.add("b", "1", IMAGE)
    server = TokenServer(fake)
    tokens = server.intercept

    async def expire(request):
        if "/blobs/" in request.path and len(server.asked) == 1:
            server.tokens.clear()
        return await tokens(request)

    fake.intercept = expire
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    assert len(server.asked) == 2


async def test_a_token_that_does_not_help(service, fake):
    server = TokenServer(fake)
    server.tokens = frozenset()
    server.token = lambda request: asyncio.sleep(0, web.json_response({"token": "t"}))
    failure = str(await refused(service, f"{fake.host}/b:1", AUTH))
    assert failure.endswith(f"{DENIED}: server message: insufficient_scope: authorization failed")


@pytest.mark.parametrize("realm", ["ftp://x/", "", "file:///etc/passwd", "http://[x/"])
async def test_realms_that_cannot_be(service, fake, realm):
    TokenServer(fake, realm=realm or "/")
    assert "no usable realm" in str(await refused(service, f"{fake.host}/b:1"))


async def test_a_mirror_gets_no_credentials_of_the_registry(make_service, fake):
    fake.add("b", "1", IMAGE)
    server = TokenServer(fake)
    service = make_service({"mirrors": {"example.com": {"endpoint": [f"http://{fake.host}"]}}})
    await service.pull_image("example.com/b:1", AUTH)
    assert [authorization for _, authorization, _ in server.asked] == [None]
    assert all("ns=example.com" in path for _, path, _ in fake.requests if "/v2/" in path)


async def test_a_redirect_takes_no_credentials_along(service, fake):
    fake.add("b", "1", IMAGE)
    async with serving(FakeRegistry(blobs=fake.blobs)) as storage:

        async def redirect(request):
            if "Authorization" not in request.headers:
                return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
            if "/blobs/" not in request.path:
                return None
            location = f"http://{storage.host}{request.path}?signature=a%2Fb"
            return web.Response(status=307, headers={"Location": location})

        fake.intercept = redirect
        assert await service.pull_image(f"{fake.host}/b:1", AUTH) == IMAGE.id
        assert len(storage.requests) == 3
        for _, path, headers in storage.requests:
            assert "Authorization" not in headers
            assert path.endswith("?signature=a%2Fb"), "signed addresses stay as they are"


@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirect_takes_no_identity_token_along(service, fake, status):
    server = TokenServer(fake)
    tokens = server.intercept
    async with serving(FakeRegistry()) as stranger:

        async def redirect(request):
            if request.path != "/token":
                return await tokens(request)
            location = f"http://{stranger.host}/token"
            return web.Response(status=status, headers={"Location": location})

        fake.intercept = redirect
        bodies = []

        async def listen(request):
            bodies.append(await request.text())

        stranger.intercept = listen
        await refused(service, f"{fake.host}/b:1", AuthConfig(identity_token="identity"))
    assert "identity" not in "".join(bodies)


async def test_a_redirect_to_what_is_no_address(service, fake):
    async def redirect(_request):
        return web.Response(status=307, headers={"Location": "http://[x/"})

    fake.intercept = redirect
    assert "failed to parse Location header" in str(await refused(service, f"{fake.host}/b:1"))


async def test_redirects_without_end(service, fake):
    async def redirect(request):
        return web.Response(status=307, headers={"Location": request.path})

    fake.intercept = redirect
    assert "stopped after 10 redirects" in str(await refused(service, f"{fake.host}/b:1"))


# Work that is not done twice


async def test_the_same_image_pulled_at_once_is_fetched_once(service, fake):
    fake.add("b", "1", IMAGE)
    ids = await asyncio.gather(*(service.pull_image(f"{fake.host}/b:1") for _ in range(5)))
    assert set(ids) == {IMAGE.id}
    assert fake.count("GET", "/blobs/") == 3


async def test_an_unchanged_image_costs_one_question(service, fake):
    fake.add("b", "1", IMAGE)
    await service.pull_image(f"{fake.host}/b:1")
    fake.requests.clear()
    await service.pull_image(f"{fake.host}/b:1")
    assert [(method, path) for method, path, _ in fake.requests] == [("HEAD", "/v2/b/manifests/1")]


async def test_shared_layers_are_fetched_once(service, fake):
    fake.add("b", "1", IMAGE)
    more = TestImage((*IMAGE.layers, layer(Entry("more"))))
    fake.add("b", "2", more)
    await service.pull_image(f"{fake.host}/b:1")
    fake.requests.clear()
    assert await service.pull_image(f"{fake.host}/b:2") == more.id
    assert fake.count("GET", "/blobs/") == 2, "its configuration and one layer"


async def test_a_tag_that_moved(service, fake):
    fake.add("b", "1", IMAGE)
    await service.pull_image(f"{fake.host}/b:1")
    newer = TestImage((layer(Entry("newer")),))
    fake.add("b", "1", newer)
    assert await service.pull_image(f"{fake.host}/b:1") == newer.id
    assert (await service.image_status(f"{fake.host}/b:1")).id == newer.id
    old = await service.image_status(IMAGE.id)
    assert (old.repo_tags, len(old.repo_digests)) == ([], 1)


async def test_layers_come_side_by_side(service, fake):
    fake.add("b", "1", IMAGE)
    asked, both = set(), asyncio.Event()

    async def wait_for_both(request):
        if "/blobs/" in request.path and digest(IMAGE.config_bytes) not in request.path:
            asked.add(request.path)
            if len(asked) == 2:
                both.set()
            await both.wait()

    fake.intercept = wait_for_both
    async with asyncio.timeout(60):
        assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id


async def test_who_needs_a_thread_does_not_wait_until_layers_are_unpacked(
    service, fake, monkeypatch
):
    fake.add("b", "1", IMAGE)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    unpacking, others, install = threading.Event(), threading.Event(), pull.install_layer

    def slow(*about, **more):
        unpacking.set()
        assert others.wait(60)
        return install(*about, **more)

    monkeypatch.setattr(pull, "install_layer", slow)
    async with asyncio.TaskGroup() as group:
        pulled = group.create_task(service.pull_image(f"{fake.host}/b:1"))
        while not unpacking.is_set():
            await asyncio.sleep(0.001)
        await asyncio.to_thread(others.set)
    assert pulled.result() == IMAGE.id


async def test_a_cancelled_pull_leaves_nothing(service, fake):
    fake.add("b", "1", IMAGE)
    reached = asyncio.Event()

    async def hang(request):
        if "/blobs/" in request.path:
            reached.set()
            await asyncio.Event().wait()

    fake.intercept = hang
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(service.pull_image(f"{fake.host}/b:1"))
        await reached.wait()
        pull.cancel()
    assert pull.cancelled()
    assert nothing_left(service)
    fake.intercept = None
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id


# Connections that break, servers that are busy


async def test_a_broken_download_goes_on_where_it_broke(service, fake):
    fake.add("b", "1", IMAGE)
    broken = []

    async def break_once(request):
        name = request.path.rsplit("/", 1)[1]
        content = fake.blobs.get(name, b"")
        if len(content) > 1_000_000 and not broken:
            broken.append(name)
            return await break_off(request, content, 1_500_000)
        return None

    fake.intercept = break_once
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    ranges = [headers["Range"] for _, _, headers in fake.requests if "Range" in headers]
    assert len(ranges) == 1
    assert 0 < int(ranges[0].removeprefix("bytes=").rstrip("-")) <= 1_500_000


async def test_a_download_may_break_often_as_long_as_it_gets_on(service, fake, clock):
    fake.add("b", "1", IMAGE)

    async def break_soon(request):
        content = fake.blobs.get(request.path.rsplit("/", 1)[1], b"")
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        rest = content[start:]
        if len(rest) < 300_000:
            return None
        return await break_off(request, rest, 300_000, start=start)

    fake.intercept = break_soon
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    assert len(clock.pauses) > 5
    assert set(clock.pauses) == {0.25}


@pytest.mark.parametrize("damage", [b"", b"X"], ids=["as-it-was", "damaged-since"])
async def test_the_next_pull_goes_on_where_the_last_one_broke(service, fake, damage):
    fake.add("b", "1", IMAGE)

    async def break_for_good(request):
        content = fake.blobs.get(request.path.rsplit("/", 1)[1], b"")
        if len(content) < 1_000_000:
            return None
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        return await break_off(request, content[start:], 0 if start else 700_000, start=start)

    fake.intercept = break_for_good
    assert "unexpected EOF" in str(await refused(service, f"{fake.host}/b:1"))
    [kept] = (service.store.root / "partial").iterdir()
    assert kept.stat().st_size == 700_000
    with kept.open("r+b") as file:
        file.write(damage)

    fake.intercept = None
    fake.requests.clear()
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    ranges = [headers["Range"] for _, _, headers in fake.requests if "Range" in headers]
    assert ranges == ["bytes=700000-"]
    assert list((service.store.root / "partial").iterdir()) == []


async def test_a_pull_goes_on_where_somebody_has_died_over_it(service, fake):
    fake.add("b", "1", IMAGE)
    digest, content = max(fake.blobs.items(), key=lambda item: len(item[1]))
    workspace = service.store.root / "ingest" / "of-the-dead"
    workspace.mkdir()
    service.store.download_path(workspace, 3, digest).write_bytes(content[:700_000])
    (workspace / "half-unpacked").mkdir()

    service.store.open()
    assert list((service.store.root / "ingest").iterdir()) == []
    fake.requests.clear()
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    ranges = [headers["Range"] for _, _, headers in fake.requests if "Range" in headers]
    assert ranges == ["bytes=700000-"]
    assert list((service.store.root / "partial").iterdir()) == []


async def test_a_server_that_starts_over(service, fake):
    """It ignores the range and sends everything again, with a 200."""
    fake.add("b", "1", IMAGE)
    broken = []

    async def break_once(request):
        content = fake.blobs.get(request.path.rsplit("/", 1)[1], b"")
        if len(content) < 1_000_000:
            return None
        if not broken:
            broken.append(True)
            return await break_off(request, content, 1_500_000)
        return web.Response(body=content)

    fake.intercept = break_once
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id


async def test_downloads_that_always_break_are_given_up(service, fake, clock):
    fake.add("b", "1", IMAGE)

    async def break_always(request):
        content = fake.blobs.get(request.path.rsplit("/", 1)[1], b"")
        return await break_off(request, content, 10) if len(content) > 1_000_000 else None

    fake.intercept = break_always
    assert "unexpected EOF" in str(await refused(service, f"{fake.host}/b:1"))
    assert clock.pauses == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [({"Retry-After": "3"}, [3.0]), ({"Retry-After": "9999"}, [10.0]), ({}, [0.5])],
    ids=["as-asked", "bounded", "own"],
)
async def test_a_busy_server_is_asked_again(service, fake, clock, headers, pauses):
    fake.add("b", "1", IMAGE)

    async def busy_once(request):
        return web.Response(status=429, headers=headers) if len(fake.requests) == 1 else None

    fake.intercept = busy_once
    await service.pull_image(f"{fake.host}/b:1")
    assert clock.pauses == pauses


async def test_a_server_that_fails(service, fake):
    fake.intercept = lambda request: asyncio.sleep(0, web.Response(status=500))
    failure = str(await refused(service, f"{fake.host}/b:1"))
    assert failure.endswith(
        f"pulling from host {fake.host} failed with status code [manifests 1]: "
        "500 Internal Server Error"
    )


# Registries that lie


async def test_a_manifest_that_is_another_one(service, fake):
    wanted = fake.add("b", "1", IMAGE)
    other = fake.add("b", "2", busybox_image())
    fake.manifests[f"b:{wanted}"] = fake.manifests[f"b:{other}"]
    failure = str(await refused(service, f"{fake.host}/b:1"))
    assert f"unexpected commit digest {other}, expected {wanted}" in failure


async def test_a_manifest_by_digest_that_is_another_one(service, fake):
    fake.tells_digest = False
    wanted = fake.add("b", "1", IMAGE)
    other = fake.add("b", "2", busybox_image())
    fake.manifests[f"b:{wanted}"] = fake.manifests[f"b:{other}"]
    assert "unexpected commit digest" in str(await refused(service, f"{fake.host}/b@{wanted}"))


@pytest.mark.parametrize(
    ("forge", "error"),
    [
        pytest.param(lambda blob: bytes(len(blob)), "unexpected commit digest", id="other"),
        pytest.param(lambda blob: blob + b"x", "unexpected commit", id="longer"),
        pytest.param(lambda blob: blob[:-1], "unexpected", id="shorter"),
        pytest.param(lambda blob: b"", "unexpected", id="empty"),
    ],
)
@pytest.mark.parametrize("which", ["config", "layer"])
async def test_blobs_that_are_not_what_they_should_be(service, fake, which, forge, error):
    fake.add("b", "1", IMAGE)
    config = digest(IMAGE.config_bytes)
    for name in fake.blobs:
        if (name == config) == (which == "config"):
            fake.blobs[name] = forge(fake.blobs[name])
    assert error in str(await refused(service, f"{fake.host}/b:1"))
    assert [path.name for path in service.layers_dir.iterdir()] == ["empty"]


async def test_a_layer_that_the_configuration_does_not_know(service, fake):
    lie = TestImage((layer(Entry("harmless")),))
    evil = layer(Entry("evil"))
    for blob in (lie.config_bytes, evil):
        fake.blobs[digest(blob)] = blob
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": descriptor(lie.config_bytes, DOCKER_CONFIG),
        "layers": [descriptor(evil, DOCKER_LAYER)],
    }
    fake.add_manifest("b", "1", document)
    assert "wrong diff id" in str(await refused(service, f"{fake.host}/b:1"))
    fake.add_manifest("b", "1", document | {"layers": []})
    assert "mismatched image rootfs and manifest layers" in str(
        await refused(service, f"{fake.host}/b:1")
    )


@pytest.mark.parametrize(
    ("document", "error"),
    [
        pytest.param({"schemaVersion": 1}, "schema 1 is no longer supported", id="schema-1"),
        pytest.param({"schemaVersion": 2}, "invalid image manifest", id="nothing-in-it"),
        pytest.param(
            {"config": {"digest": "sha256:../x", "size": 1}, "layers": []}, "digest", id="path"
        ),
        pytest.param(
            {"config": {"digest": digest(b""), "size": -1}, "layers": []}, "size", id="negative"
        ),
        pytest.param(
            {
                "config": {"digest": digest(b""), "size": 1},
                "layers": [{"digest": digest(b""), "size": 1, "mediaType": "application/x-chart"}],
            },
            "not a container image",
            id="other-artifact",
        ),
    ],
)
async def test_manifests_that_cannot_be(service, fake, document, error):
    fake.add_manifest("b", "1", document)
    assert error in str(await refused(service, f"{fake.host}/b:1"))


# Several platforms, other habits


async def test_the_manifest_for_this_machine_is_chosen(service, fake):
    other = fake.add("b", "other", busybox_image())
    ours = fake.add("b", "ours", IMAGE)

    def entry(name, architecture, system="linux"):
        content, media_type = fake.manifests[f"b:{name}"]
        platform = {"architecture": architecture, "os": system}
        return descriptor(content, media_type) | {"platform": platform}

    manifests = [entry(other, "other"), entry(other, ARCHITECTURE, "windows")]
    index = {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": manifests}
    missing = fake.add_manifest("b", "1", index)
    failure = await refused(service, f"{fake.host}/b:1")
    assert f"no match for platform in manifest {missing}: not found" in str(failure)
    assert failure.code == "NotFound"
    listed = fake.add_manifest(
        "b", "1", index | {"manifests": [*manifests, entry(ours, ARCHITECTURE)]}
    )
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    assert (await service.image_status(IMAGE.id)).repo_digests == [f"{fake.host}/b@{listed}"]


async def test_a_registry_that_does_not_tell_digests(service, fake):
    fake.tells_digest = False
    manifest = fake.add("b", "1", IMAGE)
    assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id
    assert (await service.image_status(IMAGE.id)).repo_digests == [f"{fake.host}/b@{manifest}"]


def server_tls(authority):
    pair = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    return context


async def test_tls_on_loopback_is_found_out(service, tmp_path):
    tls = server_tls(Authority(tmp_path / "ca"))
    async with serving(FakeRegistry(), tls) as fake:
        fake.add("b", "1", IMAGE)
        assert await service.pull_image(f"{fake.host}/b:1") == IMAGE.id


async def test_tls_with_a_private_authority(make_service, tmp_path):
    authority = Authority(tmp_path / "ca")
    async with serving(FakeRegistry(), server_tls(authority)) as fake:
        fake.add("b", "1", IMAGE)
        mirrors = {"example.com": {"endpoint": [f"https://{fake.host}"]}}
        stranger = {"ca_file": str(Authority(tmp_path / "other").cert_file)}
        ours = {"ca_file": str(authority.cert_file)}
        service = make_service({"mirrors": mirrors, "configs": {fake.host: {"tls": stranger}}})
        with pytest.raises(RuntimeFailure, match="tls: failed to verify certificate"):
            await service.pull_image("example.com/b:1")
        service = make_service({"mirrors": mirrors, "configs": {fake.host: {"tls": ours}}})
        assert await service.pull_image("example.com/b:1") == IMAGE.id
        careless = {fake.host: {"tls": {"insecure_skip_verify": True}}}
        service = make_service({"mirrors": mirrors, "configs": careless})
        await service.remove_image(IMAGE.id)
        assert await service.pull_image("example.com/b:1") == IMAGE.id


async def test_credentials_do_not_leave_tls(make_service, tmp_path):
    authority = Authority(tmp_path / "ca")
    async with serving(FakeRegistry(), server_tls(authority)) as fake:
        TokenServer(fake)
        tls = {"ca_file": str(authority.cert_file)}
        service = make_service({"configs": {fake.host: {"tls": tls}}})
        failure = str(await refused(service, f"{fake.host}/b:1", AUTH))
        assert "without TLS" in failure
        assert CREDENTIALS[1] not in failure


# The rest of the image service


async def test_removing_by_name_and_by_id(service, fake):
    fake.add("b", "1", IMAGE)
    fake.add("b", "2", IMAGE)
    for tag in "12":
        await service.pull_image(f"{fake.host}/b:{tag}")
    await service.remove_image(f"{fake.host}/b:1")
    assert (await service.image_status(IMAGE.id)).repo_tags == [f"{fake.host}/b:2"]
    await service.remove_image(IMAGE.id)
    await service.remove_image(IMAGE.id)
    await service.remove_image("not/there")
    assert await service.list_images() == []
    assert [path.name for path in service.layers_dir.iterdir()] == ["empty"]


async def test_usage_of_the_disk(service, fake):
    fake.add("b", "1", IMAGE)
    await service.pull_image(f"{fake.host}/b:1")
    usage = await service.image_fs_info()
    assert usage.mountpoint == str(service.store.root)
    assert 2_800_000 < usage.used_bytes < 2_900_000
    assert usage.inodes_used == 4
