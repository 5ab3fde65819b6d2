"""The stream worker: the engine's stages over Kafka, exactly once, with Faust as the runtime.

In the order a record flows: `consumer` (whole fetched batches) -> `app` (an agent per stage) -> `lane` (steps a stage) ->
`shard` (paces flushes) -> `writer` (one transaction). State comes back through `store` and `recovery`; `worker` starts and
ends all of it.
"""
