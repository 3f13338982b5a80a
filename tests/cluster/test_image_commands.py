"""``podium image …``, as it is typed."""

import gzip
import json

import pytest

from podium.cluster import cli
from podium.cluster import config as cluster_config
from podium.cluster.image_commands import human_size
from podium.runtime.images.store import ImageStore
from support.images import Entry, busybox_archive, busybox_image, layer, running_registry


@pytest.fixture
def podium(tmp_path, capsys):
    """Run ``podium image …`` on a data directory of its own; give exit code, stdout, stderr."""

    def run(*words):
        code = cli.main(["image", *map(str, words), "--data-dir", str(tmp_path / "data")])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "data/images")


def test_load_ls_rm(podium, tmp_path):
    path = busybox_archive(tmp_path / "b.tar", "busybox:1.36", "localhost/b:x")
    assert podium("load", path) == (
        0,
        "Loaded image: docker.io/library/busybox:1.36\nLoaded image: localhost/b:x\n",
        "",
    )
    image_id = busybox_image().id
    code, out, _ = podium("ls")
    header, first, second = (line.split() for line in out.splitlines())
    assert code == 0
    assert header == ["IMAGE", "TAG", "IMAGE", "ID", "SIZE"]
    assert first[:3] == ["docker.io/library/busybox", "1.36", image_id[7:20]]
    assert second[:3] == ["localhost/b", "x", image_id[7:20]]
    assert podium("rm", "busybox:1.36") == (0, "Untagged: docker.io/library/busybox:1.36\n", "")
    assert podium("rm", image_id[7:20]) == (
        0,
        f"Untagged: localhost/b:x\nDeleted: {image_id}\n",
        "",
    )
    assert podium("ls") == (0, "IMAGE   TAG   IMAGE ID   SIZE\n", "")


def test_ls_as_json(podium, tmp_path):
    podium("load", busybox_archive(tmp_path / "b.tar", "b:1"))
    (image,) = json.loads(podium("ls", "-o", "json")[1])["images"]
    assert image["id"] == busybox_image().id
    assert image["repoTags"] == ["docker.io/library/b:1"]
    assert int(image["size"]) > 1_000_000


def test_load_without_names(podium, tmp_path):
    out = podium("load", busybox_archive(tmp_path / "b.tar"))[1]
    assert out == f"Loaded image ID: {busybox_image().id}\n"
    assert "<none>" in podium("ls")[1]


def test_import_takes_one_word_an_occurrence(podium, tmp_path, store):
    (tmp_path / "r.tar.gz").write_bytes(gzip.compress(layer(Entry("bin/sh"))))
    words = ["--entrypoint", "/bin/sh", "--cmd=-c", "--cmd", "echo a b", "--env", "A=1", "--env"]
    code, out, _ = podium("import", tmp_path / "r.tar.gz", "t", *words, "B=x y", "--workdir", "/w")
    assert (code, out) == (0, "Imported image: docker.io/library/t:latest\n")
    config = store.config(store.index().resolve("t"))
    assert (config.entrypoint, config.cmd) == (("/bin/sh",), ("-c", "echo a b"))
    assert (config.env, config.working_dir) == (("A=1", "B=x y"), "/w")


def test_an_image_in_use_stays(podium, tmp_path, store):
    podium("load", busybox_archive(tmp_path / "b.tar", "b:1", "b:2"))
    image_id = busybox_image().id
    store.hold(image_id, "c" * 64)
    assert podium("rm", "b:2")[0] == 0, "another name is left"
    code, out, err = podium("rm", "b:1")
    assert (code, out) == (1, "")
    assert err == (
        f"error: image b:1 is in use by container {'c' * 12}; delete its Pod first, or use --force "
        "(running containers keep their files)\n"
    )
    directory = store.layers(image_id)[0]
    assert podium("rm", "--force", "b:1")[0] == 0
    assert len(list(store.layers_dir.glob(directory.rpartition("/")[2]))) == 1
    store.release("c" * 64)
    assert [path.name for path in store.layers_dir.iterdir()] == ["empty"]


@pytest.mark.parametrize("remembered", [True, False], ids=["of-the-cluster", "by-flag"])
def test_pull_from_a_configured_mirror(podium, tmp_path, store, remembered):
    with running_registry(tmp_path) as registry:
        registry.push("willvelida/kuard", "latest", busybox_image())
        config = tmp_path / "registries.yaml"
        config.write_text(f"mirrors: {{docker.io: {{endpoint: ['http://{registry.host}']}}}}")
        if remembered:
            (tmp_path / "data").mkdir()
            cluster_config.make(tmp_path / "data", {"registry_config": config}).save()
        flag = [] if remembered else ["--registry-config", config]
        podium("pull", f"{registry.host}/willvelida/kuard")  # the same by another name
        code, out, err = podium("pull", "willvelida/kuard", *flag)
    assert (code, err) == (0, "")
    assert out.startswith("Pulled image: docker.io/willvelida/kuard@sha256:")
    assert out.count("\n") == 1
    assert store.index().resolve("willvelida/kuard") == busybox_image().id


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(["load", "/no/such"], "No such file", id="load-no-file"),
        pytest.param(["load", "/dev/null"], "not a", id="load-no-archive"),
        pytest.param(["import", "/dev/null", "UP"], "lowercase", id="import-bad-name"),
        pytest.param(
            ["import", "/dev/null", f"x@sha256:{'0' * 64}"], "digest", id="import-by-digest"
        ),
        pytest.param(["pull", "127.0.0.1:1/x"], "connection refused", id="pull-no-registry"),
        pytest.param(["pull", "UP"], "invalid reference format", id="pull-bad-name"),
        pytest.param(
            ["pull", "x", "--registry-config", "/no/such"], "/no/such", id="pull-no-config"
        ),
        pytest.param(["rm", "no/such:1"], "no such image: no/such:1", id="rm-unknown"),
    ],
)
def test_failures_are_one_line_and_1(podium, words, error):
    code, out, err = podium(*words)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert error in err


@pytest.mark.parametrize("verb", ["load", "import", "pull", "ls", "rm"])
def test_every_verb_explains_itself(capsys, verb):
    with pytest.raises(SystemExit) as caught:
        cli.main(["image", verb, "--help"])
    assert caught.value.code == 0
    assert "--data-dir" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (2_140_447, "2.14MB"),
        (999_600, "1MB"),
        (5e12, "5TB"),
    ],
)
def test_human_size(size, text):
    assert human_size(size) == text
