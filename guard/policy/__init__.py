"""Policy: the operators' document, who may sign it, which version holds at which event time, and what analysts say."""
