"""The front door: which commands there are, and how their errors end."""

import logging
import os
import sys
from typing import NoReturn

import typer

from guard import __version__
from guard.cli.broker import broker
from guard.cli.convert import convert
from guard.cli.demo import demo
from guard.cli.labels import label_app
from guard.cli.pause import pause, resume
from guard.cli.policy import policy_app
from guard.cli.replay import replay_command
from guard.cli.run import run
from guard.cli.simulate import simulate
from guard.cli.state import state
from guard.cli.tables import features, reasons, thresholds
from guard.cli.topics import topics_app
from guard.errors import GuardError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds the fleets of accounts that harvest a language model's answers, and tells the gateway what to do about them.",
)
app.command()(demo)
app.command()(run)
app.command()(broker)
app.add_typer(topics_app, name="topics")
app.add_typer(policy_app, name="policy")
app.add_typer(label_app, name="label")
app.command()(pause)
app.command()(resume)
app.command()(state)
app.command("replay")(replay_command)
app.command()(simulate)

app.command()(convert)
app.command()(features)
app.command()(reasons)
app.command()(thresholds)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> NoReturn:
    """Run one command. A `GuardError` is one line on stderr and its own exit code; never a traceback for a user's mistake."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what its client cannot do, our own line says
    try:
        app(standalone_mode=True)
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
