"""From features to a verdict: rules, online models, and the fusion of what they say."""
