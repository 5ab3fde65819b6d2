"""The front door: which commands there are, and how their errors end.

Only the command that is asked for is imported: `guard pause` must not wait for the models that it has no use for.
"""

import logging
import os
import sys
from importlib import import_module
from typing import Final, NamedTuple, NoReturn

import typer

from guard import __version__
from guard.errors import GuardError


class Command(NamedTuple):
    """Where a command lives: a function, or a group of commands."""

    module: str
    name: str


COMMANDS: Final = {
    "demo": Command("demo", "demo"),
    "demo-envoy": Command("demo_envoy", "demo_envoy"),
    "run": Command("run", "run"),
    "enforce": Command("enforce", "enforce"),
    "ingest": Command("ingest", "ingest"),
    "broker": Command("broker", "broker"),
    "topics": Command("topics", "topics_app"),
    "policy": Command("policy", "policy_app"),
    "label": Command("labels", "label_app"),
    "pause": Command("pause", "pause"),
    "resume": Command("pause", "resume"),
    "state": Command("state", "state"),
    "replay": Command("replay", "replay_command"),
    "fit": Command("fit", "fit_command"),
    "simulate": Command("simulate", "simulate"),
    "evaluate": Command("evaluate", "evaluate"),
    "convert": Command("convert", "convert"),
    "features": Command("tables", "features"),
    "reasons": Command("tables", "reasons"),
    "thresholds": Command("tables", "thresholds"),
}
"""Every command by its name, in the order of `guard --help`."""

HELP: Final = "Finds the fleets of accounts that harvest a language model's answers, and tells the gateway what to do about them."


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def command_line(asked: str | None = None) -> typer.Typer:
    """The command line with the command that is asked for, or with all of them."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    for name in () if asked == "version" else (asked,) if asked in COMMANDS else COMMANDS:
        found = getattr(import_module(f"guard.cli.{COMMANDS[name].module}"), COMMANDS[name].name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    app.callback(help=HELP, no_args_is_help=True)(_together)
    app.command()(version)
    return app


def _together() -> None:
    """Keep a command line of one command a line of commands."""


def main() -> NoReturn:
    """Run one command. A `GuardError` is one line on stderr and its own exit code; never a traceback for a user's mistake."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what its client cannot do, our own line says
    try:
        command_line(sys.argv[1] if len(sys.argv) > 1 else None)(standalone_mode=True, prog_name="guard")
    except GuardError as error:
        print(f"guard: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(0)


if __name__ == "__main__":
    main()
