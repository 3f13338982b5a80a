"""``authentication.k8s.io/v1``: whose a token is, and who one is oneself.

Follows ``k8s.io/kubernetes/pkg/registry/authentication``.
"""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.api import user
from podium.api.errors import bad_request
from podium.api.types.authentication_v1 import (
    SelfSubjectReview,
    SelfSubjectReviewStatus,
    TokenReview,
    TokenReviewStatus,
    UserInfo,
)
from podium.apiserver.auth.tokens import ForeignToken, InvalidToken
from podium.apiserver.call import Call
from podium.apiserver.reviews.exchange import give, take


async def token_review(call: Call) -> StreamResponse:
    review, media = await take(call)
    assert isinstance(review, TokenReview)
    if not review.spec.token:
        raise bad_request("token is required for TokenReview in authentication")
    review.status = await _status(call, review)
    return give(call, review, media)


async def _status(call: Call, review: TokenReview) -> TokenReviewStatus:
    services = call.services
    audiences = review.spec.audiences or [services.signer.issuer]
    try:
        identity = await services.authenticator.token_user(review.spec.token, audiences)
    except InvalidToken as error:
        refused = "invalid bearer token"
        if not isinstance(error, ForeignToken):
            refused = f"[{refused}, {error}]"
        return TokenReviewStatus(error=refused)
    return TokenReviewStatus(
        authenticated=True,
        user=_shown(identity.user),
        audiences=[one for one in audiences if one in identity.audiences],
    )


async def self_subject_review(call: Call) -> StreamResponse:
    review, media = await take(call)
    assert isinstance(review, SelfSubjectReview)
    answer = SelfSubjectReview(status=SelfSubjectReviewStatus(user_info=_shown(call.user)))
    answer.metadata.creation_timestamp = call.services.clock.now().replace(microsecond=0)
    return give(call, answer, media)


def _shown(who: user.UserInfo) -> UserInfo:
    return UserInfo(
        username=who.name,
        uid=who.uid,
        groups=list(who.groups),
        extra={key: list(values) for key, values in who.extra.items()},
    )
