"""A model server in small: it answers every chat in the words of whichever SDK asks, and says in headers what it spent."""

import asyncio
from random import Random
from typing import Any, Final

from aiohttp import web

THINKING_SECONDS: Final = 0.05
TOKENS: Final = (200, 900)


class ModelServer:
    """Serves on a free port of 127.0.0.1 within a running event loop."""

    def __init__(self, seed: int) -> None:
        self.port = 0
        self._dice = Random(seed)
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen."""
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        asked = len(await request.read()) // 4
        await asyncio.sleep(THINKING_SECONDS)
        spent = self._dice.randint(*TOKENS)
        said = _anthropic(asked, spent) if request.path.endswith("/messages") else _openai(asked, spent)
        return web.json_response(said, headers={"x-model": "m-large", "x-input-tokens": str(asked), "x-output-tokens": str(spent)})


def _openai(asked: int, spent: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Here is an answer."}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-large",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": asked, "completion_tokens": spent, "total_tokens": asked + spent},
    }  # fmt: skip


def _anthropic(asked: int, spent: int) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-large", "content": [{"type": "text", "text": "Here is an answer."}],
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": asked, "output_tokens": spent},
    }  # fmt: skip
