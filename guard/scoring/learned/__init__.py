"""Models that learn in the stream, one set per shard: unlike the crowd, and drifting from one's own past. Pure: no clock, no dice."""
