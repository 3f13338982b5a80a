"""The published definitions, and the structs generated from them."""

import msgspec
import pytest

from podium.api import codec, kinds, schema, scheme
from podium.api.decoding import struct_reader
from podium.api.go_types import GO_TYPES
from podium.api.kinds import GroupVersionKind
from podium.api.normalise import normaliser
from podium.api.types import authentication_v1, authorization_v1, coordination_v1, core_v1, meta_v1

MODULES = (meta_v1, core_v1, coordination_v1, authentication_v1, authorization_v1)
STRUCTS = {
    schema.definition_of(found): found
    for module in MODULES
    for found in vars(module).values()
    if isinstance(found, type)
    and issubclass(found, msgspec.Struct)
    and found.__module__ == module.__name__
}


@pytest.mark.parametrize("name", STRUCTS, ids=lambda name: name.rpartition(".")[2])
def test_struct_and_definition_have_the_same_fields(name):
    properties = schema.definition(name).get("properties", {})
    fields = {member.encode_name for member in msgspec.structs.fields(STRUCTS[name])}
    assert fields == properties.keys()


@pytest.mark.parametrize("cls", STRUCTS.values(), ids=lambda cls: cls.__name__)
def test_every_struct_can_be_empty_written_and_read(cls):
    empty = cls()
    data = codec.encode(empty)
    assert codec.decode_stored(cls, data) == empty
    assert codec.from_plain_checked(cls, msgspec.json.decode(data)) == (empty, [])
    assert normaliser(cls)(empty) is empty


def test_named_types_of_go_belong_to_fields_there_are():
    fields = {
        f"{cls.__name__}.{member.encode_name}"
        for cls in STRUCTS.values()
        for member in msgspec.structs.fields(cls)
    }
    assert GO_TYPES.keys() <= fields


def test_all_definitions_are_there():
    assert STRUCTS.keys() <= schema.all_definitions().keys()


def test_markers_are_found_through_references():
    pod = schema.definition(schema.definition_of(core_v1.Pod))
    spec = schema.resolve(schema.field(pod, "spec"))
    containers = schema.field(spec, "containers")
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    env = schema.field(schema.items(containers), "env")
    assert env["x-kubernetes-list-map-keys"] == ["name"]
    labels = schema.field(schema.resolve(schema.field(pod, "metadata")), "labels")
    assert schema.field(labels, "any") == {"type": "string"}
    assert schema.field(pod, "nothing") == {}


@pytest.mark.parametrize(
    "name", ["io.k8s.api.core.v1.Nothing", "io.k8s.api.apps.v1beta1.Deployment"]
)
def test_unknown_definitions(name):
    with pytest.raises(KeyError):
        schema.definition(name)
    assert schema.resolve({"$ref": f"#/definitions/{name}"}) == {}


@pytest.mark.parametrize("resource", scheme.RESOURCES, ids=lambda resource: resource.plural)
def test_every_served_kind_is_found_by_its_name(resource):
    said = GroupVersionKind(resource.group, resource.version, resource.kind)
    assert kinds.find(said) is resource.type
    assert kinds.of(resource.type) == said
    assert said.api_version == resource.api_version


@pytest.mark.parametrize(
    ("group", "version", "kind"),
    [("", "v1", "Container"), ("", "v1", ""), ("apps", "v1", "Pod"), ("", "v2", "Pod"),
     ("", "v1", "Struct"), ("", "v1", "ObjectMeta")],
)  # fmt: skip
def test_what_is_no_kind(group, version, kind):
    assert kinds.find(GroupVersionKind(group, version, kind)) is None


def test_struct_readers_are_made_once():
    assert struct_reader(core_v1.Pod) is struct_reader(core_v1.Pod)
