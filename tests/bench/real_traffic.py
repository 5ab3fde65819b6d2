"""`python -m tests.bench.real_traffic`: real traces as honest customers, through the engine; whoever is sanctioned is a false positive.

Each client of a trace is one account (the mapping is printed); identity, age and prompts are mostly missing in the traces. Needs the
shared data beside the checkout, or GUARD_SHARED; GenTD26 has no licence and is for evaluation only.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from guard.control.board import opening_control
from guard.decisions.decision import Decision, decode_decision
from guard.engine.driver import Driver
from guard.replay.run import replay

START = "1790000000000"
SOURCES = (
    ("weka-claude-code", ("cc_dev.jsonl.gz",), ()),
    ("servegen", ("servegen/language/m-small", "servegen/reason/deepseek-r1"), ("--rate-max", "0.2")),
    ("gentd26", ("gentd26/lora_request_trace.csv",), ()),
    ("azure2023", ("azure2023/AzureLLMInferenceTrace_conv.csv", "azure2023/AzureLLMInferenceTrace_code.csv"), ()),
    ("mooncake", ("mooncake/conversation_trace.jsonl",), ()),
)


def main() -> None:
    """Print, per source: events, accounts, accounts throttled, challenged, blocked."""
    traces = Path(os.environ.get("GUARD_SHARED", str(Path(__file__).parents[2] / "../shared"))) / "data/traces"
    if not traces.is_dir():
        sys.exit("no shared traces beside the checkout: set GUARD_SHARED to the folder that has data/traces")
    accounts_all = sanctioned_all = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, names, options in SOURCES:
            events = Path(folder) / f"{kind}.jsonl"
            files = [str(traces / name) for name in names]
            command = [
                sys.executable,
                "-m",
                "guard.cli.main",
                "convert",
                "--from",
                kind,
                "--out",
                str(events),
                "--start",
                START,
                *options,
                *files,
            ]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            accounts, sanctioned = _judge(kind, events, Path(folder) / "decisions.jsonl")
            accounts_all += accounts
            sanctioned_all += sanctioned
    print(f"over all: {sanctioned_all} of {accounts_all:,} accounts sanctioned, {sanctioned_all / accounts_all:.2%} (target 0.1 %)")


def _judge(kind: str, events: Path, decisions: Path) -> tuple[int, int]:
    driver = Driver(8, opening_control(enforce=True))
    with decisions.open("wb") as out:
        seen, _ = replay([events], driver, out)
    made = [decode_decision(line) for line in decisions.read_bytes().splitlines()]
    hit = {
        action: set[str]().union(*(_accounts(one) for one in made if one.action == action)) for action in ("throttle", "challenge", "block")
    }
    accounts = driver.accounts
    told = ", ".join(f"{len(found)} {action}" for action, found in hit.items())
    print(f"{kind}: {seen.events:,} events of {accounts:,} accounts; sanctioned: {told}", flush=True)
    return accounts, len(set[str]().union(*hit.values()))


def _accounts(decision: Decision) -> set[str]:
    return {decision.subject} if decision.scope == "account" else set(decision.members or ())


if __name__ == "__main__":
    main()
