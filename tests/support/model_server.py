"""A model server that answers every chat at once, in the words of whichever client asks."""

from aiohttp import web

from guard.cli.demonstration.gateway import models

OPENAI = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}  # fmt: skip
ANTHROPIC = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "yes"}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
}  # fmt: skip


class ModelServer(models.ModelServer):
    """Serves on a free port of 127.0.0.1; `seen` are the headers of each request that came through."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.seen: list[dict[str, str]] = []
        self.says = {"x-model": "m-large", "x-input-tokens": "9", "x-output-tokens": "1", "x-stop-reason": "stop"}
        """Headers of each answer: what the gateway's access log knows of it."""

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        async for _ in request.content.iter_chunked(65_536):
            pass
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        return web.json_response(ANTHROPIC if request.path.endswith("/messages") else OPENAI, headers=self.says)
