"""The plug-in's front: a transport that Faust finds by the scheme `guard://`, with our consumer behind it."""

from typing import Any, ClassVar, Final

import aiokafka
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from mode.threads import WorkerThread

from guard.control.reach import REQUEST_TIMEOUT_MS
from guard.streaming.consumer import BatchConsumer

SCHEME: Final = "guard"
FETCH_WAIT_MS: Final = 50
"""The broker answers a fetch after this time even without records."""
FETCH_BYTES: Final = 1_048_576
"""From one partition at a time: about 3,000 events."""


class PassingThread(WorkerThread):
    """Does not keep the process: a consumer that a hung broker holds would outlive the worker's end by its request time-outs."""

    def __init__(self, service: Any, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True


class CommittedConsumerThread(driver.AIOKafkaConsumerThread):
    """Makes the group's consumer: committed records only, and a fetch wait that the runtime does not let one set."""

    Worker = PassingThread

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            session_timeout_ms=int(conf.broker_session_timeout * 1_000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1_000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1_000),
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1_000),
            retry_backoff_ms=100,
        )


class GuardConsumer(BatchConsumer):
    """The batch consumer over the thread above."""

    def _new_consumer_thread(self) -> CommittedConsumerThread:
        return CommittedConsumerThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """Kafka through aiokafka, whole batches at a time."""

    Consumer: ClassVar[Any] = GuardConsumer


TRANSPORTS.aliases[SCHEME] = f"{__name__}:{Transport.__name__}"
