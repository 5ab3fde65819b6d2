"""Throttles that are real: one token bucket per account, refilled at this enforcer's share of the decision's rate."""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from guard.units import MINUTE_MS

BUCKETS_MAX: Final = 200_000
"""Accounts under a throttle at once; beyond it the one longest without a request is forgotten, and begins with a full bucket."""

FINE: Final = 1_000_000
REQUEST_CREDIT: Final = MINUTE_MS * FINE
"""One request costs a minute's credit at one a minute, and a millisecond earns `rate_rpm` / enforcers of it: whole numbers, so no rate drifts."""


class _Bucket(Struct, gc=False):
    at: int
    credit: int


class Throttles:
    """Token buckets by account. A throttled account may send one request at once, then waits for its rate.

    Over n enforcers each gives a share of 1/n: however requests are spread among them, together they pass no more than the
    rate and one request each.
    """

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_ms(self, account: str, rate_rpm: int, at: int, enforcers: int = 1) -> int:
        """0 for a throttled account's request at `at` (milliseconds) within its rate, which is then counted; else how long until the next."""
        bucket = self._buckets.pop(account, None) or _Bucket(at, REQUEST_CREDIT)
        if len(self._buckets) >= BUCKETS_MAX:
            self._buckets.popitem(last=False)
        self._buckets[account] = bucket
        a_millisecond = rate_rpm * FINE // enforcers
        bucket.credit = min(REQUEST_CREDIT, bucket.credit + max(0, at - bucket.at) * a_millisecond)
        bucket.at = at  # a clock that was set back earns nothing for the time it repeats
        if bucket.credit < REQUEST_CREDIT:
            return -(-(REQUEST_CREDIT - bucket.credit) // a_millisecond)
        bucket.credit -= REQUEST_CREDIT
        return 0

    def passes(self, account: str, rate_rpm: int, at: int) -> bool:
        """Whether a request is within the rate of an account that a single gateway serves."""
        return self.wait_ms(account, rate_rpm, at) == 0
