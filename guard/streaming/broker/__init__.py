"""A real Apache Kafka of one node, for the demo, the tests and a first look: no docker, no root, no Java of its own.

`artifacts` (pinned jars) -> `java` (how the JVM is called, and its start-up cache) -> `properties` (the node's settings) ->
`process` (a child that cannot outlive us) -> `embedded` (start, ready, stop).
"""

from guard.streaming.broker.embedded import EmbeddedBroker

__all__ = ["EmbeddedBroker"]
