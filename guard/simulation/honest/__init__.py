"""The honest: ordinary people, programs, agents and teams, and the thirteen kinds that look most like fleets (N1-N13)."""
