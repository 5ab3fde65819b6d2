"""What stands at the gateway: the decisions in force, and the answer that follows from them for one request."""
