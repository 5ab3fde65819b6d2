"""`guard policy`: show what is in force, check a document, put it on its topic, print its schema."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from guard.cli.durations import duration_ms
from guard.cli.options import AsJson, Bootstrap
from guard.control.files import read_policy_file
from guard.control.keys import key_ring
from guard.control.push import PolicyTopic, Pushed, Wait, push_policy, read_policy_topic, wait_for_workers
from guard.control.signing import key_entry, private_key, public_key
from guard.policy.document import DOCUMENT_BYTES_MAX, PolicyDocument
from guard.policy.errors import PolicyError
from guard.policy.parse import parse_policy
from guard.policy.policy import Policy
from guard.policy.schedule import policy_json
from guard.policy.signature import KeyRing, signed
from guard.policy.strictjson import read_object
from guard.units import SECOND_MS, EventTimeMs
from guard.wall_clock import wall_clock

policy_app = typer.Typer(no_args_is_help=True, help="Show, check and change the policy.")

PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A policy document, JSON.")]


@policy_app.command()
def show(bootstrap: Bootstrap, *, as_json: AsJson = False) -> None:
    """Show the policy in force now, those accepted for later, and each worker's last answer."""
    topic = asyncio.run(read_policy_topic(bootstrap, key_ring(os.environ)))
    now = wall_clock()
    if as_json:
        typer.echo(json.dumps(_as_dict(topic, now)))
        return
    for line in _as_lines(topic, now):
        typer.echo(line)


@policy_app.command()
def lint(file: PolicyFile, *, as_json: AsJson = False) -> None:
    """Check a document without a broker. Ends with 3 and one line for each fault when it would be refused."""
    policy = _checked(file)
    if as_json:
        typer.echo(policy_json(policy))
    else:
        typer.echo(f"{file}: version {policy.version} is a good policy; {_summary(policy)}")


@policy_app.command()
def push(
    file: PolicyFile,
    bootstrap: Bootstrap,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every live worker has accepted.")] = False,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="How long to wait, for example 30s.")] = "30s",
    group: Annotated[str, typer.Option(envvar="GUARD_GROUP", help="The workers' consumer group.")] = "guard",
    as_json: AsJson = False,
) -> None:
    """Check a document and put it on the policy topic."""
    timeout_seconds = duration_ms(timeout) / SECOND_MS
    value = read_policy_file(file)
    _checked(file)
    try:
        pushed = asyncio.run(push_policy(bootstrap, value, key_ring(os.environ)))
    except PolicyError as error:
        _refuse(file, error)
    if not as_json:
        typer.echo(f"version {pushed.version} lies on guard.policy at offset {pushed.offset}, hash {pushed.document_hash[:16]}")
    workers = _wait(bootstrap, pushed, group, timeout_seconds, quiet=as_json) if wait else ()
    if as_json:
        typer.echo(json.dumps({**msgspec.to_builtins(pushed), "accepted_by": list(workers) if wait else None}))
    elif wait:
        typer.echo(f"accepted by {len(workers)}: {', '.join(workers)}")


@policy_app.command()
def sign(
    file: PolicyFile,
    *,
    key: Annotated[Path, typer.Option(metavar="PEM", help="Ed25519 private key, for example of `openssl genpkey -algorithm ed25519`.")],
    key_id: Annotated[str, typer.Option(help="The name under which workers know the public key.")],
) -> None:
    """Print the document with its signature; the entry for GUARD_POLICY_KEYS goes to stderr."""
    seed = private_key(key)
    ring = KeyRing({key_id: public_key(seed)})
    try:
        document = signed(read_object(read_policy_file(file), DOCUMENT_BYTES_MAX), key_id, seed)
        value = json.dumps(document, indent=2, ensure_ascii=False).encode()
        parse_policy(value, ring)
    except PolicyError as error:
        _refuse(file, error)
    except ValueError as error:
        _refuse(file, PolicyError([str(error)]))
    typer.echo(value)
    typer.echo(f"workers verify it with GUARD_POLICY_KEYS={key_entry(key_id, seed)}", err=True)


@policy_app.command()
def schema() -> None:
    """Print the JSON Schema of a policy document, for editors and checks elsewhere."""
    typer.echo(json.dumps(PolicyDocument.model_json_schema(), indent=2))


def _wait(bootstrap: str, pushed: Pushed, group: str, timeout_seconds: float, *, quiet: bool) -> tuple[str, ...]:
    def progress(line: str) -> None:
        if not quiet:
            typer.echo(line)

    answers = asyncio.run(wait_for_workers(pushed, Wait(bootstrap, group, timeout_seconds, progress)))
    return tuple(answer.worker for answer in answers)


def _checked(file: Path) -> Policy:
    try:
        return parse_policy(read_policy_file(file), key_ring(os.environ))
    except PolicyError as error:
        _refuse(file, error)


def _refuse(file: Path, error: PolicyError) -> NoReturn:
    for line in error.lines:
        typer.echo(f"{file}: {line}", err=True)
    raise typer.Exit(error.exit_code)


def _summary(policy: Policy) -> str:
    modes = ", ".join(f"{scope} {mode.value}" for scope, mode in policy.modes.items())
    return f"by {policy.author}, holds from event time {policy.effective_at} on; {modes}; hash {policy.hash[:16]}"


def _as_dict(topic: PolicyTopic, now: EventTimeMs) -> dict[str, Any]:
    return {
        "at": now,
        "in_force": json.loads(policy_json(topic.schedule.at(now))),
        "accepted": [
            {"version": policy.version, "effective_at": policy.effective_at, "hash": policy.hash} for policy in topic.schedule.accepted
        ],
        "documents": topic.documents,
        "workers": msgspec.to_builtins(topic.answers),
    }


def _as_lines(topic: PolicyTopic, now: EventTimeMs) -> list[str]:
    in_force = topic.schedule.at(now)
    lines = [f"in force   version {in_force.version}, {_summary(in_force)}"]
    lines += [f"later      version {policy.version}, {_summary(policy)}" for policy in topic.schedule.accepted if policy.effective_at > now]
    for answer in topic.answers:
        why = f": {'; '.join(answer.why)}" if answer.why else ""
        named = "an unreadable document" if answer.version is None else f"version {answer.version}"
        lines.append(
            f"worker     {answer.worker} {answer.answer} {named}, in force there {answer.in_force_version} ({answer.hash[:16]}){why}"
        )
    return lines if topic.answers else [*lines, "worker     none has answered yet"]
