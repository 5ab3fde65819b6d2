"""Canaries: made-up cards, mails, addresses, prompts and keys, each one a text that must be found nowhere afterwards."""

from random import Random

WORDS = [
    "amber",
    "bridge",
    "copper",
    "delta",
    "ember",
    "falcon",
    "garnet",
    "harbor",
    "indigo",
    "jasper",
    "kettle",
    "lantern",
    "marble",
    "nectar",
    "orchid",
    "pepper",
    "quartz",
    "river",
]
KINDS = ("card", "spaced_card", "mail", "ipv4", "ipv6", "prompt", "api_key")


def luhn_digit(digits: str) -> str:
    """The digit that makes a number valid."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(number - 9 if number > 9 else number for number in doubled) % 10)


def canary(kind: str, dice: Random) -> str:
    """One made-up text of this kind."""
    if kind in ("card", "spaced_card"):
        body = dice.choice(("4", "51", "55", "37", "6011")) + "".join(str(dice.randrange(10)) for _ in range(15))
        body = body[: 14 if body.startswith("37") else 15]
        card = body + luhn_digit(body)
        return card if kind == "card" else " ".join(card[at : at + 4] for at in range(0, len(card), 4))
    if kind == "mail":
        return f"{dice.choice(WORDS)}.{dice.randrange(10**6):06d}@{dice.choice(WORDS)}-{dice.randrange(10**4)}.example.{dice.choice(('com', 'org'))}"
    if kind == "ipv4":
        return ".".join(str(dice.randrange(1, 255)) for _ in range(4))
    if kind == "ipv6":
        return "2001:db8:" + ":".join(f"{dice.randrange(1, 65536):x}" for _ in range(6))
    if kind == "api_key":
        return f"sk-{dice.getrandbits(160):040x}"
    return " ".join([*dice.sample(WORDS, 6), f"{dice.getrandbits(40):010x}"])


def canaries(seed: int, count: int) -> dict[str, list[str]]:
    """`count` of them, by kind."""
    dice = Random(seed)
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        found[kind].append(canary(kind, dice))
    return found
