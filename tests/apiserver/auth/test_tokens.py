from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from podium.apiserver.auth.tokens import Claims, InvalidToken, Ref, TokenSigner
from support.pki import Authority

ISSUER = "https://kubernetes.default.svc.cluster.local"
NOW = datetime(2026, 1, 13, 7, 30, tzinfo=UTC)
CLAIMS = Claims(
    namespace="d",
    service_account=Ref("default", "uid-of-account"),
    audiences=(ISSUER,),
    expires=NOW + timedelta(seconds=3600),
    pod=Ref("web", "uid-of-pod"),
    node=Ref("n1", "uid-of-node"),
    id="b0a1",
)


@pytest.fixture
def signer(tmp_path: Path) -> TokenSigner:
    return TokenSigner(Authority(tmp_path).signing_key(), ISSUER)


def test_what_is_signed_is_read_back(signer: TokenSigner) -> None:
    assert signer.verify(signer.sign(CLAIMS, NOW), [ISSUER], NOW) == CLAIMS


def test_claims_are_upstreams(signer: TokenSigner) -> None:
    token = signer.sign(CLAIMS, NOW)
    body = jwt.decode(token, options={"verify_signature": False})
    moment = int(NOW.timestamp())
    assert body == {
        "iss": ISSUER,
        "sub": "system:serviceaccount:d:default",
        "aud": [ISSUER],
        "iat": moment,
        "nbf": moment,
        "exp": moment + 3600,
        "jti": "b0a1",
        "kubernetes.io": {
            "namespace": "d",
            "serviceaccount": {"name": "default", "uid": "uid-of-account"},
            "pod": {"name": "web", "uid": "uid-of-pod"},
            "node": {"name": "n1", "uid": "uid-of-node"},
        },
    }
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "ES256"
    assert header["kid"] == signer.public_keys()["keys"][0]["kid"]


def test_others_can_verify_with_the_published_key(signer: TokenSigner) -> None:
    key = jwt.PyJWK(signer.public_keys()["keys"][0])
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    body = jwt.decode(signer.sign(CLAIMS, NOW), key, ["ES256"], audience=ISSUER, options=options)
    assert body["sub"] == CLAIMS.subject


def test_expired(signer: TokenSigner) -> None:
    token = signer.sign(CLAIMS, NOW)
    with pytest.raises(InvalidToken, match="expired"):
        signer.verify(token, [ISSUER], NOW + timedelta(seconds=3600))


def test_not_valid_yet(signer: TokenSigner) -> None:
    token = signer.sign(CLAIMS, NOW)
    with pytest.raises(InvalidToken, match="not valid yet"):
        signer.verify(token, [ISSUER], NOW - timedelta(minutes=5))


def test_for_another_audience(signer: TokenSigner) -> None:
    with pytest.raises(InvalidToken):
        signer.verify(signer.sign(CLAIMS, NOW), ["vault"], NOW)


def test_of_another_issuer(signer: TokenSigner, tmp_path: Path) -> None:
    other = TokenSigner(tmp_path / "service-account.key", "https://elsewhere")
    with pytest.raises(InvalidToken):
        signer.verify(other.sign(CLAIMS, NOW), [ISSUER], NOW)


def test_of_another_key(signer: TokenSigner, tmp_path: Path) -> None:
    other = TokenSigner(Authority(tmp_path / "other").signing_key(), ISSUER)
    with pytest.raises(InvalidToken):
        signer.verify(other.sign(CLAIMS, NOW), [ISSUER], NOW)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_not_a_token(signer: TokenSigner, token: str) -> None:
    with pytest.raises(InvalidToken):
        signer.verify(token, [ISSUER], NOW)


def test_unsigned(signer: TokenSigner) -> None:
    body = jwt.decode(signer.sign(CLAIMS, NOW), options={"verify_signature": False})
    with pytest.raises(InvalidToken):
        signer.verify(jwt.encode(body, None, "none"), [ISSUER], NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"kubernetes.io": None},
        {"kubernetes.io": {"namespace": "d"}},
        {"exp": True},
        {"sub": "system:serviceaccount:d:admin"},
    ],
)
def test_rightly_signed_but_not_a_service_account(
    signer: TokenSigner, tmp_path: Path, change: dict[str, object]
) -> None:
    body = jwt.decode(signer.sign(CLAIMS, NOW), options={"verify_signature": False})
    key = (tmp_path / "service-account.key").read_text()
    with pytest.raises(InvalidToken):
        signer.verify(jwt.encode(body | change, key, "ES256"), [ISSUER], NOW)


LEGACY = {
    "iss": "kubernetes/serviceaccount",
    "sub": "system:serviceaccount:d:default",
    "kubernetes.io/serviceaccount/namespace": "d",
    "kubernetes.io/serviceaccount/secret.name": "default-token",
    "kubernetes.io/serviceaccount/service-account.name": "default",
    "kubernetes.io/serviceaccount/service-account.uid": "uid-of-account",
}


def test_a_token_in_a_secret_never_expires_and_is_for_the_server(
    signer: TokenSigner, tmp_path: Path
) -> None:
    token = jwt.encode(LEGACY, (tmp_path / "service-account.key").read_text(), "ES256")
    claims = signer.verify(token, [ISSUER], NOW + timedelta(days=10000))
    assert (claims.legacy, claims.audiences) == (True, (ISSUER,))
    assert claims.secret == Ref("default-token", "")
    assert claims.service_account == Ref("default", "uid-of-account")
    with pytest.raises(InvalidToken):
        signer.verify(token, ["vault"], NOW)


@pytest.mark.parametrize("missing", [name for name in LEGACY if name.startswith("kube")])
def test_a_token_in_a_secret_that_does_not_say_all(
    signer: TokenSigner, tmp_path: Path, missing: str
) -> None:
    claims = {name: value for name, value in LEGACY.items() if name != missing}
    token = jwt.encode(claims, (tmp_path / "service-account.key").read_text(), "ES256")
    with pytest.raises(InvalidToken):
        signer.verify(token, [ISSUER], NOW)
