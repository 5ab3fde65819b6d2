"""What a gateway reports: the request event, its limits, and the subjects and link keys it speaks about."""
