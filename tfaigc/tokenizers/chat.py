"""Conversations as texts, by a checkpoint's chat template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tfaigc.errors import DataError, TokenizerError

Message = Mapping[str, Any]
Span = tuple[int, int]

ASSISTANT = "assistant"
# With these marks a template says itself what the assistant writes.
_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")


class ChatTemplate:
    """Writes conversations as a checkpoint was taught to read them.

    Templates run in the sandbox of ``transformers``, which lets them write text and nothing else.

    Args:
        config: tokenizer_config.json, parsed: ``chat_template``, a text or a list of named ones,
            and the special tokens that templates may name.

    Raises:
        TokenizerError: There is no template.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._template = _find(config)
        self._tokens = {
            name: token if isinstance(token, str) else token.get("content")
            for name, token in config.items()
            if name.endswith("_token") and isinstance(token, str | Mapping)
        }

    def prompt(self, messages: Sequence[Message]) -> str:
        """Writes a conversation up to where the assistant's answer begins.

        Args:
            messages: Dicts with ``role`` and ``content``.

        Returns:
            The text, special tokens included.

        Raises:
            DataError: The template refuses the conversation.
        """
        return self._render(messages, add_generation_prompt=True)[0]

    def example(self, messages: Sequence[Message]) -> tuple[str, list[Span]]:
        """Writes a whole conversation, and tells what of it the assistant writes.

        Args:
            messages: Dicts with ``role`` and ``content``.

        Returns:
            The text, special tokens included, and where each of the assistant's parts begins and
            ends, in characters. What ends an answer belongs to it.

        Raises:
            DataError: The template refuses the conversation, or does not tell the answers apart.
        """
        if _MARKS.search(self._template):
            text, spans = self._render(messages, return_assistant_tokens_mask=True)
            return text, [(int(begin), int(end)) for begin, end in spans]
        text = self._render(messages)[0]
        spans = []
        for index, message in enumerate(messages):
            if message.get("role") != ASSISTANT:
                continue
            before = self.prompt(messages[:index])
            until = self._render(messages[: index + 1])[0]
            if not (until.startswith(before) and text.startswith(until)):
                raise DataError(
                    "A chat template must write a conversation as it writes its beginnings, or "
                    "mark answers with {% generation %}. Received: one that writes message "
                    f"{index} otherwise when others follow. Give each answer in a record of its "
                    "own, with the messages before it."
                )
            spans.append((len(before), len(until)))
        return text, spans

    def _render(self, messages: Sequence[Message], **options: Any) -> tuple[str, Any]:
        from jinja2.exceptions import TemplateError
        from transformers.utils.chat_template_utils import render_jinja_template

        try:
            texts, spans = render_jinja_template(
                conversations=[[dict(message) for message in messages]],
                chat_template=self._template,
                **options,
                **self._tokens,
            )
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            raise DataError(
                "The checkpoint's chat template must take a conversation. Received, from the "
                f"template: {error}. Correct the messages' roles and contents."
            ) from error
        return texts[0], spans[0] if spans else []


def _find(config: Mapping[str, Any]) -> str:
    """Finds the template that is for plain conversations."""
    found = config.get("chat_template")
    if isinstance(found, list):
        named = {each.get("name"): each.get("template") for each in found}
        found = named.get("default")
    if not isinstance(found, str) or not found:
        raise TokenizerError(
            "A checkpoint must have a chat template where records are conversations. Received: "
            "none. Take a checkpoint that was taught to chat, or give prompt and response."
        )
    return found
