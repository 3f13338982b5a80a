"""The demo image, started as a container's first process would be."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from podium.runtime.images import archive
from podium.runtime.images.store import ImageStore
from support.images import demo_archive

NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The image, loaded: its root directory and its configuration."""
    directory = tmp_path_factory.mktemp("demo")
    store = ImageStore(directory / "images")
    store.open()
    (loaded,) = archive.load(store, demo_archive(directory / "demo.tar"))
    assert loaded.names == ["localhost/kuard:demo"]
    return store.layers(loaded.id)[0], store.config(loaded.id)


class Server:
    """The image's entrypoint as process 1 of namespaces of its own."""

    def __init__(self, root, config):
        self._root = root
        up = f"mount --bind /dev {root}/dev && ip link set lo up && exec chroot {root} "
        up += " ".join(config.entrypoint)
        self.process = subprocess.Popen(
            [*NAMESPACES, "sh", "-c", up], stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"]}
        )

    def start(self):
        assert self.process.stdout.readline() == b"kuard demo: serving /www on port 8080\n"
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        self.pid = int(Path(children).read_text())
        self.answers_within(60, "/")

    def run(self, *command):
        """Run *command* inside; give its exit code and output."""
        entered = ["nsenter", "-t", str(self.pid), "-m", "-n", "chroot", self._root, *command]
        done = subprocess.run(entered, capture_output=True, check=False)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def get(self, path):
        return self.run("/bin/wget", "-qO-", f"http://127.0.0.1:8080{path}")

    def answers_within(self, seconds, path):
        deadline = time.monotonic() + seconds
        while self.get(path)[0] != 0:
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.02)


@pytest.fixture
def server(image):
    server = Server(*image)
    try:
        server.start()
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()


def test_the_same_bytes_each_time(tmp_path):
    one, two = demo_archive(tmp_path / "1.tar"), demo_archive(tmp_path / "2.tar")
    assert one.read_bytes() == two.read_bytes()


def test_the_script_runs_on_its_own(tmp_path):
    script = Path(__file__).parents[2] / "tools/demo_image.py"
    done = subprocess.run(
        ["/usr/bin/python3", script, tmp_path / "x.tar", "--name", "localhost/x:1"],
        check=True,
        stdout=subprocess.PIPE,
    )
    assert done.stdout == b"localhost/x:1\n"
    store = ImageStore(tmp_path / "images")
    store.open()
    assert archive.load(store, tmp_path / "x.tar")[0].names == ["localhost/x:1"]


def test_pages(server):
    assert server.get("/healthy") == (0, "ok\n")
    assert server.get("/ready") == (0, "ok\n")
    code, page = server.get("/")
    assert code == 0
    assert "rm /www/healthy" in page, "the page tells how to make it fail"


@pytest.mark.parametrize(
    ("path", "file"),
    [("/", "/www/index.html"), ("/healthy", "/www/healthy"), ("/ready", "/www/ready")],
)
def test_each_page_fails_and_recovers_by_one_command(server, path, file):
    assert server.run("/bin/mv", file, "/tmp/kept")[0] == 0
    code, words = server.get(path)
    assert code != 0
    assert "404" in words
    assert server.run("/bin/mv", "/tmp/kept", file)[0] == 0
    assert server.get(path)[0] == 0


def test_requests_are_logged_on_standard_output(server):
    server.get("/ready")
    lines = iter(server.process.stdout.readline, b"")
    assert any(b"/ready" in line for line in lines)


def test_sigterm_ends_it_at_once(server):
    os.kill(server.pid, signal.SIGTERM)
    assert server.process.wait(60) == 0, "it would run for ever"


def test_applets_are_there(image):
    root = Path(image[0])
    for applet in ("sh", "wget", "date", "ls", "tar", "nc", "sleep", "ps"):
        assert os.readlink(root / "bin" / applet) == "busybox"
