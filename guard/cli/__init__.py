"""The command line: `guard COMMAND`. Each command is a file of its own; errors become one line and the contract's exit code."""
