"""All three stages, measured."""

from guard.streaming.stages import engine_stages
from tests.bench.measured import measure

if __name__ == "__main__":
    measure(engine_stages())
