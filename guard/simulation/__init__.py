"""Simulated traffic with known truth: honest customers of many kinds, and fleets that react to what the gateway answers.

Arrivals and lengths follow public traces under open licences: ServeGen (Apache-2.0) for pipelines, WEKA Claude Code (Apache-2.0)
for coding agents, Azure 2023 (CC BY 4.0) for people's lengths, Mooncake (Apache-2.0) for prompt caches. What no trace shows (who
shares a card, how a pool balances) is assumption, stated beside each number. The engine never sees any of this.
"""
