"""Who may use an image that is on the node: those who could pull it.

An image that was pulled with the credentials of one Pod is not for all: another Pod has to show
the same ones, or others that the registry accepts. What was loaded by other ways than the kubelet's
pulls is for everybody (``NeverVerifyPreloadedImages``, the default policy). The records are those
of upstream's kubelet (KEP-2535): one a pulled image, and one a pull that has begun, so that an
image whose pull nobody saw the end of counts as pulled by somebody.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from podium.kit.files import write_atomic
from podium.kubelet.pull_secrets import Credential
from podium.runtime.images.reference import InvalidReference, parse_normalized

NEVER, PRELOADED, ALWAYS = "NeverVerify", "NeverVerifyPreloadedImages", "AlwaysVerify"
ALLOWLISTED = "NeverVerifyAllowlistedImages"
_API_VERSION = "kubelet.config.k8s.io/v1beta1"


class PulledSecret(msgspec.Struct, frozen=True, rename="camel"):
    uid: str = ""
    namespace: str = ""
    name: str = ""
    credential_hash: str = ""


class Access(msgspec.Struct, rename="camel", omit_defaults=True):
    node_pods_accessible: bool = False
    kubernetes_secrets: list[PulledSecret] = []


class PulledRecord(msgspec.Struct, rename="camel", tag_field="kind", tag="ImagePulledRecord"):
    """``credential_mapping`` is by repository."""

    image_ref: str
    api_version: str = _API_VERSION
    credential_mapping: dict[str, Access] = {}


class PullIntent(msgspec.Struct, rename="camel", tag_field="kind", tag="ImagePullIntent"):
    """``present`` (of our own) is the ID of what there was of that name when the pull began."""

    image: str
    present: str = ""
    api_version: str = _API_VERSION


class PullRecords:
    """Below *directory*, for root alone. Methods raise OSError.

    *allowed* are the repositories of preloaded images for everybody (``host/path``, or all below
    ``host/path/*``) where the policy asks for a list of them.
    """

    def __init__(
        self, directory: Path, policy: str = PRELOADED, allowed: Sequence[str] = ()
    ) -> None:
        self._policy, self._allowed = policy, allowed
        self._pulled, self._pulling = directory / "pulled", directory / "pulling"
        self._lock, self._under_way = threading.Lock(), Counter[str]()
        self._writing = threading.Lock()  # pulls of one image at once note it in the same files
        #: Images of which an abandoned pull may have brought something: what fails later tells
        #: nothing of that.
        self._in_doubt: set[str] = set()

    def begin(self, image: str, present: str = "") -> None:
        """*image*, of which *present* is there, is about to be pulled, maybe a second time at once
        with other credentials. What follows is ``succeeded``, ``failed`` or ``abandoned``."""
        with self._lock:
            self._under_way[image] += 1
        for path in (self._pulled, self._pulling):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._pulling / _file(image)
        with self._writing:
            before = _intent(path)
            if before is not None and present not in ("", before.present):
                self._in_doubt.add(image)  # that pull may have brought it: its intent stands
            else:
                self._in_doubt.discard(image)
                write_atomic(path, msgspec.json.encode(PullIntent(image, present)))

    def failed(self, image: str) -> None:
        """A pull of *image* has ended and has brought nothing."""
        with self._lock:
            if self._is_last(image) and image not in self._in_doubt:
                (self._pulling / _file(image)).unlink(missing_ok=True)

    def abandoned(self, image: str) -> None:
        """A pull of *image* has ended, and nobody knows what it has brought."""
        self._in_doubt.add(image)
        with self._lock:
            self._is_last(image)

    def _is_last(self, image: str) -> bool:
        """Count one pull less, under the lock; tell whether no other is under way."""
        self._under_way[image] -= 1
        if self._under_way[image] > 0:
            return False
        del self._under_way[image]
        return True

    def unfinished(self) -> list[PullIntent]:
        """The pulls that nobody has seen the end of."""
        paths = self._pulling.iterdir() if self._pulling.exists() else ()
        return [intent for intent in map(_intent, paths) if intent is not None and intent.image]

    def succeeded(self, image: str, image_id: str, credential: Credential | None) -> None:
        """*image* was pulled with *credential*, or without that of any Pod."""
        with self._writing:
            record = self._read(image_id) or PulledRecord(image_id)
            access = record.credential_mapping.setdefault(_repository(image), Access())
            if credential is None:
                access.node_pods_accessible = True
            else:
                shown = _secret(credential)
                others = [s for s in access.kubernetes_secrets if not _same(s, shown)]
                access.kubernetes_secrets = [*others, shown]
            write_atomic(self._pulled / _file(image_id), msgspec.json.encode(record))
        self._in_doubt.discard(image)
        self.failed(image)

    def must_verify(
        self, image: str, image_id: str, given: Sequence[Credential], names: Sequence[str] = ()
    ) -> bool:
        """Whether who has the credentials *given* has to pull *image*, which is there as
        *image_id* by these *names*, to show that he may.

        An image that was loaded by its name stays so when the same is pulled from elsewhere;
        upstream's kubelet takes it for pulled then.
        """
        if self._policy == NEVER:
            return False
        record = self._read(image_id)
        if record is None or self._loaded(image, record, names):
            begun = (self._pulling / _file(image)).exists()
            return begun or not self._is_for_all_when_preloaded(image)
        access = record.credential_mapping.get(_repository(image), Access())
        if access.node_pods_accessible:
            return False
        mine = [_secret(credential) for credential in given]
        return not any(
            secret.credential_hash == own.credential_hash or _same(secret, own)
            for secret in access.kubernetes_secrets
            for own in mine
        )

    def _loaded(self, image: str, record: PulledRecord, names: Sequence[str]) -> bool:
        """Whether *image* is the name of something that nobody has pulled from there."""
        return _repository(image) not in record.credential_mapping and _whole(image) in names

    def _is_for_all_when_preloaded(self, image: str) -> bool:
        if self._policy != ALLOWLISTED:
            return self._policy != ALWAYS
        repository = _repository(image)
        return any(
            repository.startswith(entry[:-1]) if entry.endswith("/*") else repository == entry
            for entry in self._allowed
        )

    def keep(self, image_ids: set[str]) -> None:
        """Forget all images but these."""
        kept = {_file(image_id) for image_id in image_ids}
        for path in self._pulled.iterdir() if self._pulled.exists() else ():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _read(self, image_id: str) -> PulledRecord | None:
        try:
            data = (self._pulled / _file(image_id)).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(data, type=PulledRecord)
        except msgspec.MsgspecError:
            return PulledRecord(image_id)  # damaged: nobody has shown anything


def _intent(path: Path) -> PullIntent | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PullIntent)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError:
        return PullIntent("")  # damaged: of some pull, which may have brought anything


def _file(name: str) -> str:
    return f"sha256-{hashlib.sha256(name.encode()).hexdigest()}"


def _repository(image: str) -> str:
    try:
        return parse_normalized(image).name
    except InvalidReference:
        return image


def _whole(image: str) -> str:
    try:
        return str(parse_normalized(image))
    except InvalidReference:
        return image


def _same(one: PulledSecret, other: PulledSecret) -> bool:
    """Whether two are the same Secret, which may have been changed in between."""
    return (one.uid, one.namespace, one.name) == (other.uid, other.namespace, other.name)


def _secret(credential: Credential) -> PulledSecret:
    auth = credential.auth
    digest = hashlib.sha256(
        msgspec.json.encode([auth.username, auth.password, auth.identity_token])
    )
    return PulledSecret(credential.uid, credential.namespace, credential.name, digest.hexdigest())
