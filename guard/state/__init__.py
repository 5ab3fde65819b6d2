"""What is remembered of a subject between two events: small, bounded, decaying by event time, packed into bytes."""
