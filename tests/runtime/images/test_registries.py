"""registries.yaml, in the form that k3s gave it."""

import pytest

from podium.runtime.image_port import AuthConfig
from podium.runtime.images import registries
from podium.runtime.images.auth import Challenge, parse_challenges
from podium.runtime.images.registries import ConfigError, Endpoint, Registries, TLSConfig


def urls(settings, domain, repository="a/b"):
    return [(e.url, e.repository, e.mirror_of) for e in settings.endpoints(domain, repository)]


def test_without_settings_the_registry_itself_is_asked():
    settings = Registries()
    assert urls(settings, "docker.io") == [("https://registry-1.docker.io/v2", "a/b", "")]
    assert urls(settings, "quay.io") == [("https://quay.io/v2", "a/b", "")]


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_loopback_is_plain_http_at_first(host):
    assert Registries().endpoints(host, "x") == [
        Endpoint(f"http://{host}/v2", "x", fallback=f"https://{host}/v2")
    ]


def test_loopback_with_tls_settings_is_tls():
    settings = registries.parse(
        {"configs": {"localhost:5000": {"tls": {"insecure_skip_verify": True}}}}
    )
    assert settings.endpoints("localhost:5000", "x") == [Endpoint("https://localhost:5000/v2", "x")]
    assert settings.tls_for("localhost:5000") == TLSConfig(insecure_skip_verify=True)


def test_mirrors_come_first_in_their_order():
    settings = registries.parse(
        {
            "mirrors": {
                "docker.io": {
                    "endpoint": ["https://one", "http://two:5000/v2/", "https://three/p"]
                },
                "*": {"endpoint": ["https://any"]},
            }
        }
    )
    assert urls(settings, "docker.io") == [
        ("https://one/v2", "a/b", "docker.io"),
        ("http://two:5000/v2", "a/b", "docker.io"),
        ("https://three/p", "a/b", "docker.io"),
        ("https://registry-1.docker.io/v2", "a/b", ""),
    ]
    assert urls(settings, "quay.io")[0] == ("https://any/v2", "a/b", "quay.io")


def test_the_registry_named_as_its_own_mirror_is_asked_once():
    settings = registries.parse({"mirrors": {"reg.io": {"endpoint": ["http://reg.io"]}}})
    assert urls(settings, "reg.io") == [("http://reg.io/v2", "a/b", "")]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("mirror.example.com", "https://mirror.example.com/v2"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000/v2"),
    ],
)
def test_endpoints_without_a_scheme(endpoint, url):
    settings = registries.parse({"mirrors": {"docker.io": {"endpoint": [endpoint]}}})
    assert settings.endpoints("docker.io", "a")[0].url == url


def test_rewrites_are_gos():
    settings = registries.parse(
        {
            "mirrors": {
                "docker.io": {
                    "endpoint": ["https://m"],
                    "rewrite": {"^library/(.*)": "official/${1}", "^(.+)/(.+)$": "$2/$1"},
                }
            }
        }
    )
    assert urls(settings, "docker.io", "library/x")[0][1] == "official/x"
    assert urls(settings, "docker.io", "a/b")[0][1] == "b/a"
    assert urls(settings, "docker.io", "a/b")[1][1] == "a/b", "the registry itself is not rewritten"


def test_docker_hubs_credentials_go_by_either_name():
    settings = registries.parse(
        {"configs": {"docker.io": {"auth": {"username": "u", "password": "p"}}}}
    )
    assert settings.auth_for("registry-1.docker.io") == AuthConfig("u", "p")
    assert settings.auth_for("quay.io") is None


def test_a_file(tmp_path):
    path = tmp_path / "registries.yaml"
    path.write_text(
        "mirrors:\n  docker.io:\n    endpoint:\n    - http://127.0.0.1:5000\nconfigs:\n"
    )
    assert registries.load(path).endpoints("docker.io", "x")[0].url == "http://127.0.0.1:5000/v2"
    path.write_text("")
    assert registries.load(path) == Registries()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("mirrors: [", "is not YAML", id="no-yaml"),
        pytest.param("- a", "Expected `object`", id="a-list"),
        pytest.param("mirors: {}", "unknown field `mirors`", id="misspelt"),
        pytest.param("mirrors: {a: {endpoint: x}}", "Expected `array", id="endpoint-no-list"),
        pytest.param("mirrors: {a: {endpoint: ['ftp://x']}}", 'mirrors["a"].endpoint', id="scheme"),
        pytest.param("mirrors: {a: {endpoint: ['http://u:p@x']}}", "endpoint", id="credentials"),
        pytest.param("mirrors: {a: {endpoint: ['http://']}}", "endpoint", id="no-host"),
        pytest.param("mirrors: {a: {rewrite: {'(': x}}}", 'mirrors["a"].rewrite', id="pattern"),
        pytest.param("mirrors: {a: {rewrite: {'x': $1}}}", 'mirrors["a"].rewrite', id="group"),
        pytest.param("configs: {a: {auth: {auth: '%'}}}", 'configs["a"].auth.auth', id="base64"),
        pytest.param("configs: {a: {auth: {auth: eHg=}}}", "user:password", id="no-colon"),
        pytest.param("configs: {a: {tls: {ca_file: /no}}}", 'configs["a"].tls.ca_file', id="file"),
        pytest.param("configs: {a: {tls: {cert_file: /dev/null}}}", "go together", id="no-key"),
    ],
)
def test_what_cannot_be_is_named(tmp_path, text, error):
    path = tmp_path / "registries.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        registries.load(path)
    assert str(path) in str(caught.value)
    assert error.replace("`", '"') in str(caught.value).replace("`", '"')


def test_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        registries.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("Basic", [Challenge("basic")], id="bare"),
        pytest.param('Basic realm="x y"', [Challenge("basic", {"realm": "x y"})], id="basic"),
        pytest.param(
            'Bearer realm="https://a/t?x=1,2",service=reg,Scope="a:b:pull,push"',
            [
                Challenge(
                    "bearer",
                    {"realm": "https://a/t?x=1,2", "service": "reg", "scope": "a:b:pull,push"},
                )
            ],
            id="bearer",
        ),
        pytest.param(
            'Basic realm="a", Bearer realm="b"',
            [Challenge("basic", {"realm": "a"}), Challenge("bearer", {"realm": "b"})],
            id="two",
        ),
        pytest.param(r'Basic realm="a\"b"', [Challenge("basic", {"realm": 'a"b'})], id="quotes"),
        pytest.param('Basic realm="open', [Challenge("basic")], id="broken"),
        pytest.param("= = =", [], id="nonsense"),
    ],
)
def test_challenges(header, challenges):
    assert parse_challenges(header) == challenges
