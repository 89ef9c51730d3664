"""When a request is tried again."""

from __future__ import annotations

from typing import Any, get_args

from mesh_core.config.schema import RequestRetryBudget, RouteRetry
from mesh_core.config.schema.route_retry import RetryCondition
from mesh_cp.generators.policy import Effective
from mesh_cp.resources import http_route as api
from mesh_cp.resources.common import RETRIES_MOST, milliseconds
from mesh_cp.resources.virtual_service import HttpRetry
from mesh_cp.resources.virtual_service_check import RETRY_CONDITIONS, RETRY_STATUS

_INTERVAL_MOST_MS = 300_000
_NO_ANSWER: tuple[RetryCondition, ...] = ("reset", "connect-failure")


def istio_retry(retries: HttpRetry, policy: Effective | None) -> RouteRetry:
    """Retries of a VirtualService. Which methods may be sent twice is the proxy's to say, whatever the reason."""
    words = [word.strip() for word in (retries.retry_on or "").split(",")]
    known: tuple[RetryCondition, ...] = tuple(
        word for word in get_args(RetryCondition) if word in RETRY_CONDITIONS and word in words
    )
    statuses = tuple(int(word) for word in words if RETRY_STATUS.fullmatch(word))
    settings: dict[str, Any] = {"retry_on": known} if known or statuses else {}
    return RouteRetry(
        attempts=min(RETRIES_MOST, retries.attempts),
        status_codes=statuses,
        **settings,
        **_common(retries.backoff, policy),
    )


def gateway_retry(retry: api.Retry, policy: Effective | None) -> RouteRetry:
    """Retries of an HTTPRoute: by the codes that it names, and where there was no answer."""
    settings: dict[str, Any] = {"status_codes": retry.codes, "retry_on": _NO_ANSWER} if retry.codes else {}
    if retry.attempts is not None:
        settings["attempts"] = min(RETRIES_MOST, retry.attempts)
    return RouteRetry(**settings, **_common(retry.backoff, policy))


def _common(backoff: str | None, policy: Effective | None) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if backoff is not None and milliseconds(backoff):
        settings["base_interval_ms"] = min(_INTERVAL_MOST_MS, milliseconds(backoff))
    if policy is None:
        return settings
    budget, most = policy.retry_budget, policy.http.max_retries
    if budget is not None:
        percent = round(budget.percent)
        settings["budget"] = RequestRetryBudget(percent=percent, min_concurrency=budget.min_retry_concurrency)
    elif most:
        # A number at one time: it is the cluster's circuit breaker that bounds them.
        settings["budget"] = RequestRetryBudget(percent=100, min_concurrency=most)
    return settings
