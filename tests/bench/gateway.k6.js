// Load for tests.bench.gateway: closed loop (so many at once) or open loop (so many a second, whoever waits).
import http from "k6/http";
import { check } from "k6";

const closed = __ENV.RATE === "0";
export const options = {
  discardResponseBodies: true,
  scenarios: {
    load: closed
      ? { executor: "constant-vus", vus: Number(__ENV.AT_ONCE), duration: __ENV.DURATION }
      : {
          executor: "constant-arrival-rate",
          rate: Number(__ENV.RATE),
          timeUnit: "1s",
          duration: __ENV.DURATION,
          preAllocatedVUs: 100,
          maxVUs: 400,
        },
  },
};

export default function () {
  const answer = http.get(__ENV.URL, { headers: { authorization: "Bearer key-of-alice" } });
  check(answer, { passed: (got) => got.status === 200 });
}
