"""The attacks A1-A16: fleets as disclosed. What they share and how they react follows the reports; what no report says is assumption."""
