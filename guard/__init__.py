"""guard: finds the fleets of accounts that harvest a language model's answers, in the stream of a gateway's request events.

Read in the order of an event's way: `events` (what a gateway reports), `state` (what is remembered), `features`, `scoring`,
`decisions`, `policy`, and `engine`, which puts them together as three stages. All of that is pure. Around it lie
`streaming` (Kafka and Faust), `replay` (files), `control` (policy, labels, campaigns followed), `simulation`, and `cli`.
"""

__version__ = "0.1.0"
