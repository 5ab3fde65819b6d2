"""What looks like personal data and so may stand in no event: an e-mail address, a network address, a card number, a text of several words.

Better one field too many missing than one person too many known: a version such as 10.2.0.1 counts as an address.
"""

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from guard.units import STRING_CHARS_MAX

_MAIL: Final = re.compile(r"[^\s@]@(?:[\w-]+\.)+[^\W\d]{2,}")
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|\d?\d)"
_IPV4: Final = re.compile(rf"(?<!\d)(?:{_OCTET}\.){{3}}{_OCTET}(?!\d)")
_IPV6_PIECE: Final = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_DIGITS: Final = re.compile(r"\d(?:[ .-]?\d){12,}")
"""Groups of digits that may be one number, or several beside one another."""
_ISSUERS: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|5\d\d)\d{12}|62\d{14,17}"
)
"""Numbers as long as the large card schemes have them behind their first digits (ISO/IEC 7812 ranges)."""
CARD_DIGITS_MIN: Final = 13
CARD_DIGITS_MAX: Final = 19
SECRET: Final = re.compile(r"(?:sk|pk|rk)[-_]\S{16,}|Bearer\b")
"""How the large providers' API keys begin: a key names who called, but must not let the reader call."""


def is_opaque(text: str) -> bool:
    """Whether a text is one word that gives nobody away. One that may have been cut is none: an address without its end is not recognised."""
    return len(text) < STRING_CHARS_MAX and not (any(map(str.isspace, text)) or is_personal(text))


def is_personal(text: str) -> bool:
    """Whether an e-mail address, a network address or a card number stands anywhere in it, in whichever of Unicode's digits."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if ("@" in text and _MAIL.search(text)) or _IPV4.search(text):
        return True
    return any(map(_is_address, _IPV6_PIECE.findall(text))) or any(map(_has_card, _DIGITS.findall(text)))


def _is_address(piece: str) -> bool:
    """Whether a piece is an IPv6 address, perhaps with a mark before or behind it that belongs to the sentence."""
    bare = piece.strip(".")
    for candidate in (bare, bare.removeprefix(":"), bare.removesuffix(":"), bare.strip(":")):
        try:
            ip_address(candidate)
        except ValueError:
            continue
        return True
    return False


def _has_card(text: str) -> bool:
    return any(map(_is_card, _joined(re.split(r"\D", text))))


def _joined(groups: list[str]) -> Iterator[str]:
    """Every run of groups that stand beside one another, as one number as long as a card's."""
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group
            if len(number) > CARD_DIGITS_MAX:
                break
            if len(number) >= CARD_DIGITS_MIN:
                yield number


def _is_card(digits: str) -> bool:
    return _ISSUERS.fullmatch(digits) is not None and _luhn_sum(digits) % 10 == 0


def _luhn_sum(digits: str) -> int:
    """The check sum of ISO/IEC 7812-1: every second digit from the right counts double, by its cross sum."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled)
