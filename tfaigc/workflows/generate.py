"""``tfaigc generate``: prompts into texts."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tfaigc.errors import ConfigError
from tfaigc.workflows.kinds import NEXT_TOKENS, TEXTS_FOR_TEXTS, kind_of_model
from tfaigc.workflows.models import find_model, load_model
from tfaigc.workflows.screen import Screen


def generate(
    model: str,
    prompts: Sequence[str],
    *,
    chat: bool = False,
    settings: Mapping[str, Any],
    screen: Screen,
) -> None:
    """Has a model continue prompts, or write a text for each.

    One prompt's text is shown while it is written, unless beams are searched; of several prompts
    each gets a JSON line.

    Args:
        model: The model's source.
        prompts: The prompts.
        chat: Whether they are what a user says to an assistant.
        settings: Those of ``CausalLM.generate``.
        screen: Where remarks go.

    Raises:
        TfaigcError: The model or a prompt cannot be used.
    """
    if kind_of_model(find_model(model)) not in (NEXT_TOKENS, TEXTS_FOR_TEXTS):
        raise ConfigError(
            f"generate needs a model that writes, such as a CausalLM. Received: {model}, which "
            f"answers otherwise. Ask it with: tfaigc predict {model}"
        )
    loaded: Any = load_model(model, screen=screen)
    asked = [[{"role": "user", "content": each}] if chat else each for each in prompts]
    if len(asked) == 1 and settings.get("num_beams", 1) == 1:
        for piece in loaded.generate(asked, stream=True, **settings):
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")
    else:
        for prompt, text in zip(prompts, loaded.generate(asked, **settings), strict=True):
            line = {"prompt": prompt, loaded.output_name: text}
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    screen.next_command("export", model, "savedmodels/writer")
