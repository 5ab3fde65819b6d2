"""Throttles that are real: one token bucket per account, refilled at the decision's rate."""

from typing import Final

from msgspec import Struct

from guard.units import MINUTE_MS

BUCKETS_MAX: Final = 200_000
"""Accounts under a throttle at once; beyond it the oldest bucket is forgotten, and its account starts with a full one."""

REQUEST_CREDIT: Final = MINUTE_MS
"""One request costs a minute's credit, and a millisecond earns `rate_rpm` of it: whole numbers, so no rate drifts."""


class _Bucket(Struct):
    at: int
    credit: int


class Throttles:
    """Token buckets by account. A throttled account may send one request at once, then waits for its rate."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def passes(self, account: str, rate_rpm: int, at: int) -> bool:
        """Whether a throttled account's request at `at` (milliseconds) is within its rate; if so it is counted."""
        bucket = self._buckets.get(account)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_MAX:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[account] = _Bucket(at, REQUEST_CREDIT)
        bucket.credit = min(REQUEST_CREDIT, bucket.credit + max(0, at - bucket.at) * rate_rpm)
        bucket.at = max(bucket.at, at)
        if bucket.credit < REQUEST_CREDIT:
            return False
        bucket.credit -= REQUEST_CREDIT
        return True
