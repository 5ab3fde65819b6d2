"""The enforcer's port: one question per request of the gateway, in the words that each gateway understands."""
