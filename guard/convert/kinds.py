"""The registry of formats: a new one is a file with its table, and a line here."""

from typing import Any, Final

from guard.convert.azure2023 import AZURE2023
from guard.convert.gentd26 import GENTD26
from guard.convert.litellm import LITELLM
from guard.convert.mooncake import MOONCAKE
from guard.convert.otel_genai import OTEL_GENAI
from guard.convert.servegen import SERVEGEN
from guard.convert.table import Kind
from guard.convert.weka import WEKA
from guard.errors import UsageError

KINDS: Final[dict[str, Kind[Any]]] = {kind.name: kind for kind in (AZURE2023, WEKA, MOONCAKE, SERVEGEN, GENTD26, OTEL_GENAI, LITELLM)}


def kind_named(name: str) -> Kind[Any]:
    """The format of that name. Raises UsageError."""
    if name not in KINDS:
        raise UsageError(f"kind {name[:40]!a}; it should be one of {', '.join(KINDS)}")
    return KINDS[name]
