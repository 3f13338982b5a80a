"""Bodies to objects and back, in the words of upstream's decoder."""

import copy
import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import codec, scheme
from podium.api.errors import ApiError
from podium.api.types import authentication_v1, coordination_v1, core_v1, meta_v1

CONTAINER = {"name": "c", "image": "app"}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [CONTAINER]},
}


def pod(spec=None, **members):
    """The JSON of a Pod whose spec and other members are extended so."""
    document = copy.deepcopy(POD)
    document["spec"].update(spec or {})
    document.update(members)
    return json.dumps(document).encode()


def container(**members):
    return pod({"containers": [CONTAINER | members]})


def refusal(body, *, resource=scheme.PODS, **options):
    with pytest.raises(ApiError) as failure:
        codec.decode(resource, body, **options)
    assert (failure.value.code, failure.value.reason) == (400, "BadRequest")
    return failure.value.status.message


UNFIT = 'Pod in version "v1" cannot be handled as a Pod: '
UNRECOGNIZED = "the object provided is unrecognized (must be of type Pod): "
QUANTITY = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(pod(metadata="x"), "string into Go struct field Pod.metadata of type "
                     "v1.ObjectMeta", id="struct"),
        pytest.param(pod(metadata={"name": 5}), "number into Go struct field "
                     "ObjectMeta.metadata.name of type string", id="text"),
        pytest.param(pod(metadata={"uid": 5}), "number into Go struct field "
                     "ObjectMeta.metadata.uid of type types.UID", id="named-text"),
        pytest.param(pod(metadata={"labels": ["a"]}), "array into Go struct field "
                     "ObjectMeta.metadata.labels of type map[string]string", id="map"),
        pytest.param(pod(metadata={"labels": {"a": 1}}), "number into Go struct field "
                     "ObjectMeta.metadata.labels of type string", id="item-of-map"),
        pytest.param(pod({"hostNetwork": "true"}), "string into Go struct field "
                     "PodSpec.spec.hostNetwork of type bool", id="bool"),
        pytest.param(pod({"containers": {"name": "c"}}), "object into Go struct field "
                     "PodSpec.spec.containers of type []v1.Container", id="list"),
        pytest.param(pod({"containers": ["c"]}), "string into Go struct field "
                     "PodSpec.spec.containers of type v1.Container", id="item-of-list"),
        pytest.param(container(command="sleep 1"), "string into Go struct field "
                     "Container.spec.containers.command of type []string", id="command"),
        pytest.param(container(imagePullPolicy=1), "number into Go struct field "
                     "Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
                     id="named-type"),
        pytest.param(container(env=[{"name": "A", "value": 5}]), "number into Go struct field "
                     "EnvVar.spec.containers.env.value of type string", id="deep"),
        pytest.param(container(resources={"limits": ["cpu"]}), "array into Go struct field "
                     "ResourceRequirements.spec.containers.resources.limits of type "
                     "v1.ResourceList", id="resource-list"),
        pytest.param(container(livenessProbe={"httpGet": {"port": True}}), "bool into Go struct "
                     "field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
                     id="int-or-string"),
        pytest.param(container(ports=[{"containerPort": 3000000000}]), "number 3000000000 into Go "
                     "struct field ContainerPort.spec.containers.ports.containerPort of type "
                     "int32", id="int32-range"),
        pytest.param(container(ports=[{"containerPort": 80.5}]), "number 80.5 into Go struct field "
                     "ContainerPort.spec.containers.ports.containerPort of type int32",
                     id="no-fractions"),
        pytest.param(container(ports=[{"containerPort": "80"}]), "string into Go struct field "
                     "ContainerPort.spec.containers.ports.containerPort of type int32",
                     id="no-numbers-in-text"),
        pytest.param(pod({"terminationGracePeriodSeconds": 2**63}), "number 9223372036854775808 "
                     "into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type "
                     "int64", id="int64-range"),
        pytest.param(pod(metadata={"creationTimestamp": 5}), "number into Go struct field "
                     "ObjectMeta.metadata.creationTimestamp of type string", id="time"),
    ],
)  # fmt: skip
def test_wrong_types_are_refused_in_the_words_of_go(body, problem):
    assert refusal(body) == f"{UNFIT}json: cannot unmarshal {problem}"


@pytest.mark.parametrize("value", [True, "", "1GB", [], {}], ids=repr)
def test_what_is_no_quantity(value):
    assert refusal(container(resources={"limits": {"memory": value}})) == UNFIT + QUANTITY


def test_what_is_no_time():
    assert refusal(pod(metadata={"creationTimestamp": "yesterday"})) == (
        f'{UNFIT}parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": '
        'cannot parse "yesterday" as "2006"'
    )


def test_the_first_wrong_type_is_named_but_a_bad_quantity_comes_before_all():
    wrong = container(command=1, args=2)
    assert "containers.command" in refusal(wrong)
    assert refusal(container(command=1, resources={"limits": {"cpu": "x"}})) == UNFIT + QUANTITY


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"apiVersion": "apps/v1"}, f'{UNFIT}no kind "Pod" is registered for version '
                     '"apps/v1" in scheme "pkg/runtime/scheme.go:100"', id="other-group"),
        pytest.param({"apiVersion": "v2"}, 'Pod in version "v2" cannot be handled as a Pod: no '
                     'kind "Pod" is registered for version "v2" in scheme '
                     '"pkg/runtime/scheme.go:100"', id="other-version"),
        pytest.param({"kind": "Bod"}, 'Bod in version "v1" cannot be handled as a Pod: no kind '
                     '"Bod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:100"',
                     id="no-such-kind"),
        pytest.param({"kind": "Service"}, 'Service in version "v1" cannot be handled as a Pod: '
                     "converting (v1.Service) to (core.Pod): unknown conversion", id="other-kind"),
        pytest.param({"apiVersion": "a/b/c"}, f"{UNRECOGNIZED}unexpected GroupVersion string: "
                     'a/b/c ({"apiVersion": "a/b/c", "kind" ...)', id="no-group-version"),
        pytest.param({"apiVersion": 1}, f"{UNRECOGNIZED}couldn't get version/kind; json parse "
                     "error: json: cannot unmarshal number into Go struct field .apiVersion of "
                     'type string ({"apiVersion": 1, "kind": "Pod ...)', id="version-is-a-number"),
        pytest.param({"kind": 5}, f"{UNRECOGNIZED}couldn't get version/kind; json parse error: "
                     "json: cannot unmarshal number into Go struct field .kind of type string "
                     '({"apiVersion": "v1", "kind": 5 ...)', id="kind-is-a-number"),
    ],
)  # fmt: skip
def test_another_kind_than_expected(members, message):
    assert refusal(pod(**members)) == message


VERSION_KIND = "couldn't get version/kind; json parse error: "


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", f"{VERSION_KIND}unexpected end of JSON input (<empty>)"),
        (
            b'{"apiVersion":"v1","kind":"Pod",',
            f'{VERSION_KIND}unexpected end of JSON input ({{"apiVersion":"v1","kind":"Pod ...)',
        ),
        (
            b"[]",
            f"{VERSION_KIND}json: cannot unmarshal array into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
        ),
        (b"nonsense", f"{VERSION_KIND}invalid character 'o' in literal null (expecting 'u') "
         "(6e6f6e73656e7365)"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_object(body, message):
    assert refusal(body) == UNRECOGNIZED + message


def test_depth_is_limited():
    for depth in (2_000, 20_000, 200_000):
        body = b'{"a":' * depth
        assert "unexpected end of JSON input" in refusal(body) or "max depth" in refusal(body)
        assert "exceeded max depth" in refusal(body + b"1" + b"}" * depth)


@pytest.mark.parametrize("item", ["null", "{}", '{"name":"c"}'])
def test_a_small_body_cannot_make_a_huge_object(item):
    body = f'{{"spec":{{"containers":[{",".join([item] * 60_000)}]}}}}'.encode()
    assert refusal(body) == f"{UNFIT}the object has more than 50000 parts"


@pytest.mark.parametrize("body", [b"null", b"{}"], ids=repr)
def test_nothing_said_is_an_empty_object_of_the_expected_kind(body):
    obj, warnings = codec.decode(scheme.PODS, body)
    assert (obj, warnings) == (core_v1.Pod(), [])
    assert (obj.api_version, obj.kind) == ("v1", "Pod")


@pytest.mark.parametrize("missing", ["apiVersion", "kind"])
def test_what_the_path_says_already_may_be_missing(missing):
    document = {key: value for key, value in POD.items() if key != missing}
    obj, _ = codec.decode(scheme.PODS, json.dumps(document).encode())
    assert (obj.api_version, obj.kind) == ("v1", "Pod")
    document[missing] = ""
    assert codec.decode(scheme.PODS, json.dumps(document).encode())[0] == obj


ODD = (
    b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","nick":"x","labels":{"a":"1","a":"2"}}'
    b',"spec":{"containers":[{"name":"c","image":"app","image":"app:2","colour":"red"}],'
    b'"hostNetwork":false,"hostNetwork":true,"shape":{"a":1}},"Status":{}}'
)
OFFENCES = [
    'unknown field "metadata.nick"',
    'duplicate field "metadata.labels.a"',
    'duplicate field "spec.containers[0].image"',
    'unknown field "spec.containers[0].colour"',
    'duplicate field "spec.hostNetwork"',
    'unknown field "spec.shape"',
    'unknown field "Status"',
]


@pytest.mark.parametrize(("validation", "warnings"), [("Ignore", []), ("Warn", OFFENCES)])
def test_unknown_and_repeated_fields_are_dropped(validation, warnings):
    obj, said = codec.decode(scheme.PODS, ODD, validation=validation)
    assert said == warnings
    assert obj.spec.containers[0].image == "app:2"
    assert obj.spec.host_network is True
    assert obj.metadata.labels == {"a": "2"}


def test_unknown_and_repeated_fields_are_refused_all_at_once():
    message = refusal(ODD, validation="Strict")
    assert message == f"{UNFIT}strict decoding error: {', '.join(OFFENCES)}"


def test_not_more_than_a_hundred_offences_are_told():
    body = pod({f"x{number}": 1 for number in range(300)})
    assert len(codec.decode(scheme.PODS, body)[1]) == 100


def test_a_repeated_struct_adds_to_the_first_and_a_repeated_list_replaces_it():
    body = (
        b'{"metadata":{"name":"p","labels":{"a":"1"}},"metadata":{"labels":{"b":"2"}},'
        b'"spec":{"containers":[{"name":"c"}]},"spec":{"containers":[{"name":"d"}]}}'
    )
    obj, _ = codec.decode(scheme.PODS, body, validation="Ignore")
    assert obj.metadata == meta_v1.ObjectMeta(name="p", labels={"a": "1", "b": "2"})
    assert [one.name for one in obj.spec.containers] == ["d"]


def test_nulls_are_zero_values():
    body = (
        b'{"metadata":{"name":null,"labels":{"a":null},"annotations":null,"finalizers":[null],'
        b'"creationTimestamp":null},"spec":{"containers":[null,{"name":"c","securityContext":null,'
        b'"resources":{"limits":{"cpu":null}},"ports":[{"containerPort":null}],"env":null}],'
        b'"priority":null,"hostNetwork":null},"status":null}'
    )
    obj, warnings = codec.decode(scheme.PODS, body, validation="Strict")
    assert warnings == []
    assert obj.metadata == meta_v1.ObjectMeta(labels={"a": ""}, finalizers=[""])
    first, second = obj.spec.containers
    assert first == core_v1.Container()
    assert second == core_v1.Container(
        name="c",
        resources=core_v1.ResourceRequirements(limits={"cpu": "0"}),
        ports=[core_v1.ContainerPort()],
    )
    assert obj.spec.priority is None
    assert obj.status == core_v1.PodStatus()


@pytest.mark.parametrize(
    ("written", "read"),
    [("0.5", "500m"), ("1024Mi", "1Gi"), (" 1 ", "1"), (1, "1"), (0.5, "500m"), (1000, "1k")],
    ids=str,
)
def test_quantities_become_canonical(written, read):
    obj, warnings = codec.decode(scheme.PODS, container(resources={"limits": {"cpu": written}}))
    assert obj.spec.containers[0].resources.limits == {"cpu": read}
    assert warnings == []


def test_numbers_keep_every_digit_on_their_way_to_a_quantity():
    body = container(resources={"limits": {"cpu": "@"}}).replace(b'"@"', b"1.0000000000000000001")
    obj, _ = codec.decode(scheme.PODS, body)
    assert obj.spec.containers[0].resources.limits == {"cpu": "1000000001n"}


@pytest.mark.parametrize(
    "written",
    ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.678Z", "2024-01-02T05:04:05+02:00"],
)
def test_times_become_whole_seconds_of_utc(written):
    obj, _ = codec.decode(scheme.PODS, pod(metadata={"creationTimestamp": written}))
    time = obj.metadata.creation_timestamp
    assert time == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert time.tzinfo is UTC
    assert b'"creationTimestamp":"2024-01-02T03:04:05Z"' in codec.encode(obj)


@pytest.mark.parametrize(
    "written", ["2024-01-02 03:04:05Z", "2024-01-02t03:04:05Z", "2024-01-02T03:04:05z"]
)
def test_times_that_only_look_right_are_refused(written):
    assert 'parsing time "' in refusal(pod(metadata={"creationTimestamp": written}))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-01-02T03:04:05.000006Z", "2024-01-02T03:04:05.000006Z"),
        ("2024-01-02T05:04:05.100000+02:00", "2024-01-02T03:04:05.100000Z"),
    ],
)
def test_micro_times_are_text_with_six_digits(written, read):
    body = json.dumps({"metadata": {"name": "l"}, "spec": {"renewTime": written}}).encode()
    assert codec.decode(scheme.LEASES, body)[0].spec.renew_time == read


def test_micro_times_must_have_six_digits():
    body = b'{"spec":{"renewTime":"2024-01-02T03:04:05Z"}}'
    assert refusal(body, resource=scheme.LEASES) == (
        'Lease in version "v1" cannot be handled as a Lease: parsing time "2024-01-02T03:04:05Z" '
        'as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'
    )


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        ("x", 0), ("YQ=", 3), ("YQ==Y", 4), ("YQ", 0), ("Y!==", 1), ("====", 0), ("YQ=A", 2),
        ("YQ=\nA", 3), ("YQ=\n", 4), ("YWI=\n\r\nA", 7), ("YQ=\n=\nA", 6), ("Y\nQ\n", 2),
    ],
)  # fmt: skip
def test_bytes_are_base64(data, offset):
    body = json.dumps({"data": {"a": data}}).encode()
    problem = refusal(body, resource=scheme.SECRETS)
    assert problem == (
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte '
        f"{offset}"
    )
    obj, _ = codec.decode(scheme.SECRETS, b'{"data":{"a":"YQ==","b":"YW\\nJj","c":""}}')
    assert obj.data == {"a": "YQ==", "b": "YWJj", "c": ""}


def test_names_are_case_sensitive():
    _, warnings = codec.decode(scheme.PODS, b'{"Metadata":{"Name":"x"},"Spec":{}}')
    assert warnings == ['unknown field "Metadata"', 'unknown field "Spec"']


def test_halves_of_surrogate_pairs_and_bytes_that_are_no_text_are_replaced():
    obj, _ = codec.decode(scheme.CONFIGMAPS, b'{"data":{"a":"\\ud800x","b":"\xff","c":"\\u00e9"}}')
    assert obj.data == {"a": "�x", "b": "�", "c": "é"}


@pytest.mark.parametrize(
    "text",
    [
        b'{"kind":"Pod","metadata":{"name":"a\\u003ab"},"spec":{"hostPID":true,"hostPID":true}}',
        b'{"kind":"Pod","metadata":{"name":"a:b"},"spec":{"hostPID":true,"hostPID":true}}',
        b'{"kind":"Pod","metadata":{"name":"a"}, "spec" : {"hostPID" :true, "hostPID":true}}',
    ],
)
def test_no_way_of_writing_hides_a_repeated_field(text):
    assert codec.decode(scheme.PODS, text)[1] == ['duplicate field "spec.hostPID"']


YAML_POD = b"""\
apiVersion: v1
kind: Pod
metadata: {name: "p"}
spec:
  schedulerName: none
  containers:
  - name: c
    image: app
    image: app:2
    colour: red
"""


def test_yaml_tells_of_repeated_keys_by_their_lines():
    obj, warnings = codec.decode(scheme.PODS, YAML_POD, content_type="application/yaml")
    assert warnings == [
        'line 9: key "image" already set in map',
        'unknown field "spec.containers[0].colour"',
    ]
    assert obj.spec.containers[0].image == "app:2"
    assert refusal(YAML_POD, content_type="application/yaml", validation="Strict") == (
        f"{UNFIT}strict decoding error: yaml: unmarshal errors:\n"
        '  line 9: key "image" already set in map, unknown field "spec.containers[0].colour"'
    )


def test_yaml_is_read_as_the_json_that_go_writes_of_it():
    """Its members are sorted: what is wrong is told in that order, whatever the document's."""
    _, warnings = codec.decode(
        scheme.PODS,
        b"zeta: 1\nspec: {b: 1, a: 1}\nalpha: 1\nmetadata: {name: p}\n",
        content_type="application/yaml",
    )
    assert warnings == [f'unknown field "{name}"' for name in ("alpha", "spec.a", "spec.b", "zeta")]
    assert refusal(
        b"spec: {hostPID: 1}\nmetadata: {name: 1}\n", content_type="application/yaml"
    ).endswith(
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e3", 1000),
        ("30.0", 30),
        ("1.5", "number 1.5"),
        ("99999999999999999999", "number 100000000000000000000"),
        ("1e21", "number 1e+21"),
        ("-0.00001", "number -0.00001"),
        ("1e-7", "number 1e-7"),
    ],
)
def test_numbers_of_yaml_are_written_by_go(written, read):
    body = f"spec: {{terminationGracePeriodSeconds: {written}}}".encode()
    if isinstance(read, int):
        obj, _ = codec.decode(scheme.PODS, body, content_type="application/yaml")
        assert obj.spec.termination_grace_period_seconds == read
    else:
        assert f": cannot unmarshal {read} into Go" in refusal(
            body, content_type="application/yaml"
        )


def test_what_is_no_yaml():
    assert refusal(b"a: b: c", content_type="application/yaml") == (
        f"{UNRECOGNIZED}yaml: mapping values are not allowed in this context (613a20623a2063)"
    )
    assert refusal(b"just text", content_type="application/yaml").startswith(
        f"{UNRECOGNIZED}couldn't get version/kind; json parse error: json: cannot unmarshal string"
    )


def test_the_kind_may_be_found_in_the_body():
    assert isinstance(codec.decode_any(pod()), core_v1.Pod)
    lease = b"apiVersion: coordination.k8s.io/v1\nkind: Lease\n"
    decoded = codec.decode_any(lease, content_type="application/yaml")
    assert isinstance(decoded, coordination_v1.Lease)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "Object 'Kind' is missing in '{}'"),
        ('{"kind":"Pod"}', "Object 'apiVersion' is missing in '{\"kind\":\"Pod\"}'"),
        (
            '{"apiVersion":"x/v1","kind":"Pod"}',
            'no kind "Pod" is registered for version "x/v1" in scheme "pkg/runtime/scheme.go:100"',
        ),
    ],
)
def test_a_body_has_to_say_its_kind_where_nothing_else_does(body, message):
    with pytest.raises(ApiError) as failure:
        codec.decode_any(body.encode())
    assert failure.value.status.message == message


def test_bodies_of_subresources_and_options_are_decoded_by_their_type():
    body = b'{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0}'
    options, _ = codec.decode(meta_v1.DeleteOptions, body)
    assert options.grace_period_seconds == 0
    request, _ = codec.decode(authentication_v1.TokenRequest, b'{"spec":{"audiences":["a"]}}')
    assert request.spec.audiences == ["a"]


def test_what_is_stored_has_no_resource_version_until_it_is_stamped():
    obj, _ = codec.decode(scheme.PODS, pod(metadata={"name": "p", "resourceVersion": "5"}))
    data = codec.encode_stored(obj)
    assert obj.metadata.resource_version == "5"
    assert b"resourceVersion" not in data
    stamped = codec.decode_stored(core_v1.Pod, codec.stamp(data, 77))
    assert stamped.metadata.resource_version == "77"
    stamped.metadata.resource_version = "5"
    assert stamped == obj


def test_empty_metadata_can_be_stamped():
    data = codec.encode_stored(core_v1.ConfigMap())
    assert json.loads(codec.stamp(data, 1))["metadata"] == {"resourceVersion": "1"}


def test_stored_objects_with_fields_of_another_version_are_read():
    data = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"new":1}}'
    assert codec.decode_stored(core_v1.Pod, data).metadata.name == "p"


def test_what_go_writes_as_null_is_written_as_null():
    condition = core_v1.PodCondition(type="Ready", status="True")
    assert codec.to_plain(condition) == {
        "lastProbeTime": None,
        "lastTransitionTime": None,
        "type": "Ready",
        "status": "True",
    }


def test_the_plain_form_and_back():
    obj, _ = codec.decode(scheme.PODS, container(ports=[{"containerPort": 80}]))
    assert codec.from_plain(core_v1.Pod, codec.to_plain(obj)) == obj
    plain = codec.to_plain(obj)
    plain["spec"]["new"] = {"a": [1]}
    assert codec.from_plain_checked(core_v1.Pod, plain) == (obj, ['unknown field "spec.new"'])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"containers": {}}, "cannot restore slice from map"),
        ({"priority": "3"}, "unrecognized type: int32"),
        ({"nodeName": 3}, "cannot convert int64 to string"),
        ({"nodeName": True}, "unrecognized type: string"),
        ({"nodeSelector": "x"}, "cannot restore map from string"),
        ({"hostNetwork": "x"}, "unrecognized type: bool"),
        ({"securityContext": []}, "cannot restore struct from: slice"),
        ({"containers": [{"ports": [{"containerPort": 1.5}]}]}, "containerPort of type int32"),
    ],
    ids=str,
)
def test_plain_values_that_do_not_fit_after_a_strategic_merge(spec, message):
    with pytest.raises(ValueError, match=message):
        codec.from_plain_checked(core_v1.Pod, {"spec": spec}, unstructured=True)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**33), st.sampled_from(["", "a:b", "1Gi", "x\"y"]),
    st.sampled_from(["0.5", "1024Mi", "2024-01-02T03:04:05+01:00", "é", "\\u003a"]),
)  # fmt: skip
FIELDS = st.sampled_from(
    "name image metadata labels spec containers resources limits cpu ports containerPort status "
    "conditions lastProbeTime type creationTimestamp finalizers kind apiVersion x".split()
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["Pod", "", "Service"]),
        "metadata": st.dictionaries(FIELDS, DOCUMENTS, max_size=3)
        | st.fixed_dictionaries({"name": SCALARS, "labels": st.dictionaries(FIELDS, SCALARS)}),
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "containers": st.lists(
                    st.fixed_dictionaries(
                        {"name": SCALARS},
                        optional={
                            "resources": st.fixed_dictionaries(
                                {"limits": st.dictionaries(FIELDS, SCALARS, max_size=2)}
                            ),
                            "ports": st.lists(st.dictionaries(FIELDS, SCALARS), max_size=2),
                        },
                    ),
                    max_size=2,
                ),
                "priority": SCALARS,
            },
        ),
        "status": st.fixed_dictionaries(
            {}, optional={"conditions": st.lists(st.dictionaries(FIELDS, SCALARS), max_size=2)}
        ),
    },
)


@given(SHAPED | DOCUMENTS, st.sampled_from(["Ignore", "Warn", "Strict"]))
def test_the_quick_way_and_the_thorough_way_agree(document, validation):
    body = json.dumps(document).encode()
    quick = codec._decode_plain_json(core_v1.Pod, body)
    try:
        thorough = codec._decode_thoroughly(core_v1.Pod, body, False, validation)
    except ApiError:
        assert quick is None
        return
    if quick is not None:
        assert thorough == (quick, [])


@given(SHAPED)
def test_what_was_decoded_is_encoded_and_decoded_to_the_same(document):
    try:
        obj, _ = codec.decode(scheme.PODS, json.dumps(document).encode())
    except ApiError:
        return
    assert codec.decode_stored(core_v1.Pod, codec.encode(obj)) == obj
    again, warnings = codec.decode(scheme.PODS, codec.encode(obj), validation="Strict")
    assert (again, warnings) == (obj, [])


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.booleans())
def test_no_body_is_worse_than_a_bad_request(body, yaml):
    content_type = "application/yaml" if yaml else "application/json"
    try:
        codec.decode(scheme.PODS, body, content_type=content_type)
        code = 400
    except ApiError as exc:
        code = exc.code
    assert code == 400


def test_encoding_keeps_times_of_other_zones_apart_from_nothing():
    moment = datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=1)))
    assert msgspec.json.decode(codec.encode(core_v1.PodCondition(last_probe_time=moment)))
