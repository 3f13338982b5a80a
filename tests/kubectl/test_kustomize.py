"""Parts of kustomizations: images, merges, references, and what keeps to its directory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from podium.api import schema, scheme
from podium.kubectl.kustomize.build import build
from podium.kubectl.kustomize.field_paths import places, split
from podium.kubectl.kustomize.images import renamed
from podium.kubectl.kustomize.merging import merged
from podium.kubectl.kustomize.objects import KustomizeError
from podium.kubectl.kustomize.reading import documents
from podium.kubectl.main import main

POD = schema.definition_of(scheme.PODS.type)


@pytest.mark.parametrize(
    ("image", "wanted", "becomes"),
    [
        ("nginx", {"newTag": "2"}, "nginx:2"),
        ("nginx:1", {"newTag": "2"}, "nginx:2"),
        ("nginx:1", {"newName": "my/nginx"}, "my/nginx:1"),
        ("nginx:1@sha256:aa", {"newTag": "2"}, "nginx:2"),
        ("nginx:1", {"digest": "sha256:bb"}, "nginx@sha256:bb"),
        ("nginx:1", {"newTag": "2", "digest": "sha256:bb"}, "nginx:2@sha256:bb"),
        ("host:5000/nginx:1", {"newTag": "2"}, "host:5000/nginx:1"),
        ("mynginx:1", {"newTag": "2"}, "mynginx:1"),
        ("nginx:1@sha256:aa", {"tagSuffix": "-b"}, "nginx:1-b"),
        ("nginx", {"tagSuffix": "-b"}, "nginx:-b"),
        ("nginx:1", {"tagSuffix": "-b", "newTag": "2"}, "nginx:2"),
    ],
)
def test_images(image, wanted, becomes):
    assert renamed(image, {"name": "nginx", **wanted}) == becomes


@pytest.mark.parametrize(
    ("there", "patch", "becomes"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": None, "c": 3}, {"b": 2, "c": 3}, id="fields"),
        pytest.param(
            {"containers": [{"name": "x", "image": "1"}, {"name": "y"}]},
            {"containers": [{"name": "z"}, {"name": "x", "tty": True}]},
            {"containers": [{"name": "z"}, {"name": "x", "image": "1", "tty": True},
                            {"name": "y"}]},
            id="the-patch's-items-first",
        ),
        pytest.param(
            {"containers": [{"name": "x"}, {"name": "y"}]},
            {"containers": [{"name": "x", "$patch": "delete"}]},
            {"containers": [{"name": "y"}]},
            id="an-item-goes",
        ),
        pytest.param(
            {"volumes": [{"name": "v", "secret": {}}]},
            {"volumes": [{"$patch": "replace"}, {"name": "w"}]},
            {"volumes": [{"name": "w"}]},
            id="another-list",
        ),
        pytest.param(
            {"nodeSelector": {"a": "b"}}, {"nodeSelector": {"$patch": "replace", "c": "d"}},
            {"nodeSelector": {"c": "d"}}, id="another-map",
        ),
    ],
)  # fmt: skip
def test_merges(there, patch, becomes):
    assert merged({"spec": there}, {"spec": patch}, POD) == {"spec": becomes}


def write(directory, **files):
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text)
    return directory


def test_references_stay_within_their_base(tmp_path):
    """Two bases have a ConfigMap of one name; each one's Pod keeps to its own."""
    reference = "[{configMapRef: {name: settings}}]"
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, "
    pod += f"spec: {{containers: [{{name: c, envFrom: {reference}}}]}}}}"
    for name in ("a", "b"):
        write(
            tmp_path / name, pod=pod,
            kustomization=f"resources: [pod.yaml]\nnamePrefix: {name}-\nconfigMapGenerator: "
            f"[{{name: settings, literals: [k={name}]}}]",
        )  # fmt: skip
    top = write(tmp_path / "top", kustomization="resources: [../a, ../b]\nnameSuffix: -z")
    maps, pods = {}, {}
    for obj in build(str(top)):
        name = obj["metadata"]["name"]
        if obj["kind"] == "ConfigMap":
            maps[obj["data"]["k"]] = name
        else:
            container = obj["spec"]["containers"][0]
            pods[name] = container["envFrom"][0]["configMapRef"]["name"]
    assert pods == {"a-p-z": maps["a"], "b-p-z": maps["b"]}
    assert maps["a"].startswith("a-settings-z-")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("configMapGenerator: [{name: a, files: [../secret.yaml]}]", "not in or below"),
        ("resources: [../secret.yaml]", "not in or below"),
        ("patches: [{path: link.yaml}]", "not in or below"),
        ("resources: [.]", "cycle detected"),
        ("crds: []", 'the field "crds" of a kustomization is not served'),
        ("resources: [github.com/a/b]", "remote kustomizations are not served"),
        ("buildMetadata: [originAnnotations]", "originAnnotations"),
        ("transformers: ['{apiVersion: v1, kind: X}']", "of the kind v1 X is not served"),
        ("resources: [https://example.org/base?ref=v1]", "remote kustomizations are not served"),
        (
            "configMapGenerator: [{name: a}]\nvars: [{name: A, objref: {apiVersion: v1}}]",
            r"var '{A \[noKind\].v1.\[noGrp\] {metadata.name}}' cannot be mapped",
        ),
        ("resources: x", "cannot unmarshal string"),
        ("namePrefix: 1", "cannot unmarshal number"),
        ("a: [", "invalid Kustomization"),
        (
            "images: [{name: a, newTag: 1.10}]",
            r"^invalid Kustomization: json: cannot unmarshal number into Go struct field "
            r"Image.images.newTag of type string$",
        ),
        (
            "labels: [{pairs: {a: 1}}]",
            "number into Go struct field Label.labels.pairs of type string",
        ),
        ("replicas: [{name: a, count: x}]", "field Replica.replicas.count of type int64"),
        (
            "patches: [{target: {kind: [x]}}]",
            "array into Go struct field Selector.patches.target.ResId.Gvk.kind of type string",
        ),
        (
            "configMapGenerator: [{name: a, literals: x}]",
            r"field ConfigMapArgs.configMapGenerator.GeneratorArgs.KvPairSources.literals of type "
            r"\[\]string",
        ),
        (
            "replacements: [{targets: [{options: {index: x}}]}]",
            "FieldOptions.replacements.Replacement.targets.options.index of type int",
        ),
        ("images: [{name: a, foo: b}]", 'json: unknown field "foo"'),
        ("[x]", "cannot unmarshal array into Go value of type types.Kustomization"),
        ("kind: Foo", "kind should be Kustomization or Component"),
        (
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1beta1",
            "apiVersion for Component should be kustomize.config.k8s.io/v1alpha1",
        ),
        ("resources: [latin.yaml]", "MalformedYAMLError: yaml: .* in File: latin.yaml"),
        ("patches: [{path: latin.yaml}]", 'unable to parse SM or JSON patch from .path: "latin'),
        ("patches: [{}]", "must specify one of patch and path"),
        ("patches: [{target: {kind: X}, patch: '[{op: remove, path: /x}]'}]", "unable to parse SM"),
        ("resources: [one.yaml]\ncommonLabels: {a: b}", "expected MappingNode"),
        (
            "resources: [one.yaml]\nreplacements: [{source: {kind: Service}, "
            "targets: [{select: {kind: Service}, fieldPaths: ['']}]}]",
            'unable to find field ""',
        ),
        ("patches: [null]", "must specify one of patch and path"),
        ("patchesStrategicMerge: [null]", "no such file"),
        ("components: [null]", "new root cannot be empty"),
        ("configMapGenerator: [null]", "a configmap must have a name"),
        (
            "resources: [one.yaml]\nlabels: [{pairs: {a: b}, fields: [null]}]",
            r"considering field '' of object Service.v1.\[noGrp\]/s.\[noNs\]: cannot set or create",
        ),
        ("generators: [list.yaml]", "^loading generator plugins: .*: missing Resource metadata'"),
        ("replacements: [{path: text.yaml}]", "type encountered within replacement path: string"),
        (
            "replacements: [{path: list.yaml}]",
            "while decoding JSON: json: cannot unmarshal number into Go value of type "
            "types.Replacement",
        ),
        (
            "configMapGenerator: [{name: a, envs: [latin.yaml]}]",
            r"env source files: \[latin.yaml\]: line \[97 58 32 233\] has invalid utf8 bytes : a: ",
        ),
    ],
)
def test_what_is_refused(tmp_path, said, problem):
    write(tmp_path, secret="{kind: Secret, apiVersion: v1, metadata: {name: s}}")
    directory = write(tmp_path / "d", kustomization=said)
    (directory / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (directory / "latin.yaml").write_bytes(b"a: \xe9")
    (directory / "text.yaml").write_text("text")
    (directory / "list.yaml").write_text("[1]")
    (directory / "one.yaml").write_text(
        "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: x}}"
    )
    with pytest.raises(KustomizeError, match=problem):
        build(str(directory))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("y: no", [{"y": "no"}]),
        ("on: off\ntrue: yes", [{"on": "off", "true": "yes"}]),
        ("a: true\nb: ~\nc: 1.5\nd: 010\ne: 0x1f\nf: 1e3", [
            {"a": True, "b": None, "c": 1.5, "d": 8, "e": 31, "f": 1000}]),
        ("a: 2020-01-01\nb: 1:30\nc: 1.2.3", [{"a": "2020-01-01", "b": "1:30", "c": "1.2.3"}]),
        ("x: &x {a: 1}\ny: {<<: *x, b: 2}", [{"x": {"a": 1}, "y": {"a": 1, "b": 2}}]),
        ("---\n---\na: 1\n---\n# nothing\n---\n[1]", [{"a": 1}, [1]]),
        ('{"a": [1, "2", null]}', [{"a": [1, "2", None]}]),
    ],
)  # fmt: skip
def test_objects_are_read_with_few_words_that_are_no_texts(text, found):
    assert documents(text) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("spec.containers.[name=b].image", ["2"]),
        ("spec.containers.*.image", ["1", "2"]),
        ("spec.containers.1.image", ["2"]),
        ("spec.containers.7.image", []),
        ("spec.nothing.x", []),
        (r"metadata.labels.a\.b", ["c"]),
        ("spec.args.[=x]", ["x"]),
    ],
)
def test_paths_of_replacements(path, found):
    obj = {
        "metadata": {"labels": {"a.b": "c"}},
        "spec": {
            "containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}],
            "args": ["x", "y"],
        },
    }
    assert [holder[key] for holder, key in places(obj, split(path))] == found


def test_what_a_path_leads_to_is_made():
    obj = {}
    for holder, key in list(places(obj, split("spec.list.[name=a].env.X"), create=True)):
        holder[key] = 1
    assert obj == {"spec": {"list": [{"name": "a", "env": {"X": 1}}]}}


def test_a_suffix_gets_there_as_often_as_upstreams_looks_for_images(tmp_path):
    """Wherever containers are, and once more where they usually are; volumes of images, too."""
    objects = (
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{image: a}], "
        "volumes: [{image: {reference: 'a:1'}}]}}\n---\n"
        "{apiVersion: x/v1, kind: Odd, metadata: {name: p}, spec: {deep: {containers: "
        "[{image: 'a:1'}, {name: no}]}}}"
    )
    directory = write(tmp_path, objects=objects, kustomization="resources: [objects.yaml]\n"
                      "images: [{name: a, tagSuffix: -z}]")  # fmt: skip
    odd, pod = sorted((obj["kind"], obj["spec"]) for obj in build(str(directory)))
    assert pod[1]["containers"] == [{"image": "a:-z-z"}]
    assert pod[1]["volumes"] == [{"image": {"reference": "a:1-z"}}]
    assert odd[1]["deep"]["containers"] == [{"image": "a:1-z"}, {"name": "no"}]


def test_nulls_say_nothing(tmp_path, monkeypatch):
    """What Go reads into a list or map of texts or structs is an empty one."""
    monkeypatch.setenv("FROM_HERE", "2")
    (tmp_path / "env").write_bytes(b"\xef\xbb\xbfA=1\x0b\r\nFROM_HERE\n")
    directory = write(
        tmp_path,
        objects="{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}",
        kustomization="resources: [objects.yaml]\nimages: [null]\nlabels: [null]\n"
        "generators: [null]\ncommonAnnotations: {a: null}\nbuildMetadata: [null]\n"
        "configMapGenerator: [{name: m, behavior: merge, envs: [env], options: null}]",
    )
    [found] = build(str(directory))
    assert found["metadata"] == {"name": "m", "annotations": {"a": ""}}
    assert found["data"] == {"A": "1\x0b", "FROM_HERE": "2"}


def test_members_are_found_in_any_case(tmp_path):
    objects = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}"
    directory = write(tmp_path, objects=objects,
                      kustomization="Resources: [objects.yaml]\nNAMESPACE: ns")  # fmt: skip
    assert build(str(directory))[0]["metadata"] == {"name": "m", "namespace": "ns"}


def test_a_directory_gets_a_file_for_each_object(tmp_path, capsys):
    objects = "\n---\n".join(
        f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: {name}}}}}"
        for version, kind, name in (
            ("v1", "Namespace", "n"), ("apps/v1", "Deployment", "D"), ("v1", "ConfigMap", "m"),
        )
    )  # fmt: skip
    source = write(tmp_path / "source", objects=objects,
                   kustomization="resources: [objects.yaml]")  # fmt: skip
    (tmp_path / "out").mkdir()
    assert main(["kustomize", str(source), "-o", str(tmp_path / "out")]) == 0
    names = {"v1_namespace_n.yaml", "apps_v1_deployment_d.yaml", "v1_configmap_m.yaml"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert main(["kustomize", str(source), "-o", str(tmp_path / "no" / "x")]) == 1
    assert capsys.readouterr().err == f"error: open {tmp_path}/no/x: no such file or directory\n"


def test_a_generator_that_changes_another_says_the_type(tmp_path):
    literals = "literals: [a=b]"
    base = f"secretGenerator: [{{name: s, type: old, {literals}, options: {{immutable: true}}}}]"
    write(tmp_path / "base", kustomization=base)
    top = write(tmp_path / "top", kustomization="resources: [../base]\nsecretGenerator: "
                "[{name: s, behavior: merge, literals: [c=d]}]")  # fmt: skip
    (secret,) = build(str(top))
    assert (secret["type"], "immutable" in secret) == ("Opaque", False)
    assert secret["data"] == {"a": "Yg==", "c": "ZA=="}


def test_annotations_that_replacements_make_are_texts(tmp_path):
    directory = write(
        tmp_path, objects="{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {port: 1}}",
        kustomization="resources: [objects.yaml]\nreplacements: [{source: {kind: Service, "
        "fieldPath: spec.port}, targets: [{select: {kind: Service}, options: {create: true}, "
        "fieldPaths: [metadata.annotations.p, spec.other]}]}]",
    )  # fmt: skip
    (service,) = build(str(directory))
    assert service["metadata"]["annotations"] == {"p": "1"}
    assert service["spec"]["other"] == 1


def test_no_file_is_written_beside_the_directory(tmp_path, capsys):
    objects = "{apiVersion: ../stray/v1, kind: Namespace, metadata: {name: n}}"
    source = write(tmp_path / "source", objects=objects,
                   kustomization="resources: [objects.yaml]")  # fmt: skip
    (tmp_path / "out").mkdir()
    (tmp_path / "stray").mkdir()
    assert main(["kustomize", str(source), "-o", str(tmp_path / "out")]) == 1
    said = 'error: "../stray_v1_namespace_n.yaml" cannot be the name of a file\n'
    assert capsys.readouterr().err == said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source", "stray"]


def test_nobody_need_read_what_is_built(tmp_path):
    objects = f"{{apiVersion: v1, kind: A, metadata: {{name: n}}, long: {'x' * (1 << 14)}}}"
    source = write(tmp_path, objects=objects,
                   kustomization="resources: [objects.yaml]")  # fmt: skip
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "podium", "kubectl", "kustomize", str(source)],
            stdout=writing, stderr=subprocess.PIPE,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (128 + 13, b"")
