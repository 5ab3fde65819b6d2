"""The demonstration at a gateway: a real Envoy, the SDKs of two providers, and the guard's three commands around one Kafka."""
