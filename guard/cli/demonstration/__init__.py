"""The demonstration: a real broker, two workers, a simulated hour, a gateway that obeys, one policy change, one kill."""
