"""What tasks share that write texts: settings, prompts, and the graph that writes."""

from __future__ import annotations

import functools
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tfaigc.data import Table, parse_messages
from tfaigc.errors import ConfigError, DataError
from tfaigc.export import SignatureCheck
from tfaigc.families import Backbone, read_config_file
from tfaigc.generation import GenerationSettings, legacy_settings, read_settings
from tfaigc.layers import VocabularySettings
from tfaigc.sources import resolve
from tfaigc.tasks.language_model import LanguageModel
from tfaigc.tasks.served_writing import ServedWriter
from tfaigc.tasks.text_generator import TextGenerator
from tfaigc.tokenizers import Tokenizer
from tfaigc.tokenizers.chat import ChatTemplate

if TYPE_CHECKING:
    from typing_extensions import Self

_GENERATION_FILE = "generation_config.json"


class GenerativeModel(LanguageModel):
    """A Transformer that writes texts token by token.

    Args:
        backbone: A backbone that can write.
        tokenizer: The checkpoint's tokenizer.
        generation_config: ``generation_config.json``, parsed: how texts are written unless
            ``generate`` is told otherwise.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
        vocabulary: How the head scores the vocabulary; None: as ``config.json`` says.
    """

    # What an answer calls a text that was written.
    output_name: ClassVar[str] = "response"

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        generation_config: Mapping[str, Any] | None = None,
        max_length: int | None = None,
        vocabulary: VocabularySettings | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            backbone, tokenizer, max_length=max_length, vocabulary=vocabulary, name=name
        )
        # As text: Keras would watch a dict.
        self._generation_config = json.dumps(dict(generation_config or {}))
        self._served = GenerationSettings()

    @classmethod
    def load_writer(cls, source: str | Path, **arguments: Any) -> Self:
        """Loads a checkpoint, and how its texts are written; see ``load``."""
        directory = resolve(source)
        model = cls.load(directory, **arguments)
        model._generation_config = json.dumps(_read_generation_config(directory))
        return model

    @property
    def generation(self) -> GenerationSettings:
        """How texts are written, unless ``generate`` is told otherwise."""
        return self._read_generation()

    @property
    def _stored_generation(self) -> dict[str, Any]:
        return dict(json.loads(self._generation_config))

    def _read_generation(self, *, begun: int | None = None, **usual: Any) -> GenerationSettings:
        """Reads the stored settings, or usual ones where there are none; see ``read_settings``."""
        ends = self.backbone.stated("eos_token_id")
        ends = self.tokenizer.eos_token_id if ends is None else ends
        stored = usual | self._stored_generation
        return read_settings(stored, eos_token_id=ends, begun=begun)

    def generate(
        self,
        prompts: Sequence[str | Sequence[Mapping[str, Any]]],
        *,
        stream: bool = False,
        batch_size: int = 16,
        max_new_tokens: int | None = None,
        **settings: Any,
    ) -> Any:
        """Continues prompts.

        Prompts of different lengths may stand in one batch: greedy and beam search write behind
        each what they write behind it alone.

        Args:
            prompts: Texts, or conversations for the checkpoint's chat template.
            stream: Whether to return an iterator over the pieces of one prompt's text.
            batch_size: Prompts in a batch.
            max_new_tokens: Most tokens to write; None: 128, or as many as there is room for.
            **settings: Those of ``tfaigc.generation.GenerationSettings``, such as ``do_sample``,
                ``temperature``, ``top_k``, ``top_p``, ``num_beams`` and ``stop_strings``; the
                others are as ``generation_config.json`` says.

        Returns:
            What was written behind each prompt: a list of strings; of lists of them, the best
            first, with ``num_return_sequences``. With ``stream``, an iterator over strings.

        Raises:
            ConfigError: A setting is not known or out of its range, or a prompt leaves no room.
            DataError: A prompt is empty or no text, or ``stream`` has more than one prompt.
            TokenizerError: There is no chat template, or tokens cannot be put together.
        """
        chosen = self.generation.changed(
            settings if max_new_tokens is None else {**settings, "max_new_tokens": max_new_tokens}
        )
        ids = self._encode_prompts(prompts)
        if stream:
            if len(ids) != 1 or chosen.num_beams > 1 or chosen.num_return_sequences > 1:
                raise DataError(
                    "A stream is of one text. Received: "
                    f"{len(ids)} prompts, num_beams={chosen.num_beams}, "
                    f"num_return_sequences={chosen.num_return_sequences}. Call it for each."
                )
            return self.generator.stream(ids[0], chosen, room=max_new_tokens)
        if not ids:
            return []
        found = self.generator.generate(ids, chosen, batch_size=batch_size, room=max_new_tokens)
        texts = [[self.generator.text(row) for row in rows] for rows in found]
        return texts if chosen.num_return_sequences > 1 else [rows[0] for rows in texts]

    @abstractmethod
    def prompts(self, table: Table) -> list[Any]:
        """Takes records to what ``generate`` takes.

        Args:
            table: What ``read`` returned.
        """

    def infer(
        self,
        records: Any,
        *,
        batch_size: int = 16,
        columns: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> list[dict[str, Any]]:
        """Writes for each record; see ``generate``.

        Args:
            records: A list of strings, or anything that ``dataset`` takes; what a record says that
                the model should write is not looked at.
            batch_size: Prompts in a batch.
            columns: Our field names to the source's column names.
            **settings: Those of ``generate``.

        Returns:
            One dict a record, in the records' order, with what was written as ``response``, or as
            ``target`` where an encoder reads the records.
        """
        if isinstance(records, list) and not records:
            return []
        prompts = self.prompts(self.read(records, columns=columns))
        written = self.generate(prompts, batch_size=batch_size, **settings)
        return [{self.output_name: text} for text in written]

    @functools.cached_property
    def chat(self) -> ChatTemplate:
        """The checkpoint's chat template."""
        return ChatTemplate(self.tokenizer.config)

    @functools.cached_property
    def generator(self) -> TextGenerator:
        """What writes texts."""
        limit = self.backbone.config.max_length
        return TextGenerator(self.network, self.tokenizer, max_length=limit)

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the model in Hugging Face layout, which ``transformers`` loads too.

        Args:
            directory: Where to; made if need be.
        """
        super().save_pretrained(directory)
        stored = self._stored_generation
        if stored:
            text = json.dumps(stored, indent=2, ensure_ascii=False)
            (Path(directory) / _GENERATION_FILE).write_text(text + "\n", encoding="utf-8")

    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""
        copy = super().copy_with_dtype(dtype)
        copy._generation_config, copy._served = self._generation_config, self._served
        return copy

    @property
    def served_length(self) -> int | None:
        """None: of long prompts the ends matter; see ``serve_inputs``."""
        return None

    def serve_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Writes for texts in the SavedModel's graph.

        Args:
            inputs: ``token_ids`` and ``padding_mask``: int32, (batch, length), padded behind the
                texts. Of texts that leave no room only the last tokens are read.

        Returns:
            string, (batch,), under ``output_name``: what is written for each text.
        """
        return self._served_writer.answer(inputs)

    def further_signatures(
        self, tokenize: Callable[..., Any], weights: Callable[[], AbstractContextManager[None]]
    ) -> dict[str, Any]:
        """Returns ``generate``, which is also told how each text is written."""
        return {"generate": self._served_writer.signature(tokenize, weights)}

    def further_checks(
        self, texts: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> list[SignatureCheck]:
        """Asks ``generate``."""
        return self._served_writer.checks("generate", texts, inputs)

    @functools.cached_property
    def _served_writer(self) -> ServedWriter:
        return ServedWriter(
            self.generator,
            self._served,
            first=(self._first_token() or [0])[0],
            limit=self._most_read(self._served.max_new_tokens),
            output_name=self.output_name,
        )

    def export(
        self,
        directory: str | Path,
        *,
        dtype: str = "float32",
        records: Any = None,
        **settings: Any,
    ) -> Path:
        """Exports a SavedModel that continues raw strings, verified in a fresh process.

        Args:
            directory: The served model's directory; the export becomes its next version.
            dtype: How large weights are stored; see ``TextClassifier.export``.
            records: With texts, to measure what that changes.
            **settings: Those of ``generate``, which the export keeps; ``max_new_tokens`` is 64
                where it is not given, or half of what the checkpoint allows.

        Returns:
            The version's directory.

        Raises:
            ConfigError: A setting is not known or out of its range.
            ExportError: The SavedModel does not answer as the model does, or cannot be written.
            TokenizerError: The tokenizer has a part that cannot be compiled.
        """
        most, usual = self._room_for_exports()
        served = self.generation.changed({"max_new_tokens": usual, **settings})
        if served.num_return_sequences > 1 or served.max_new_tokens > most:
            raise ConfigError(
                f"An export writes one text, of at most {most} tokens. Received: "
                f"num_return_sequences={served.num_return_sequences}, "
                f"max_new_tokens={served.max_new_tokens}. Ask for less."
            )
        self._served = served
        self.__dict__.pop("_served_writer", None)
        return super().export(directory, dtype=dtype, records=records)

    def _room_for_exports(self) -> tuple[int, int]:
        """Says how many tokens an export may write, and how many it does unless it is told."""
        return self.max_length - 1, min(64, max(1, self.backbone.config.max_length // 2))

    def _most_read(self, room: int) -> int:
        """Says how many tokens of a text are read where so many are written."""
        return self.backbone.config.max_length - room

    def _encode_prompts(self, prompts: Any) -> list[list[int]]:
        """Takes texts and conversations to token ids, special tokens included."""
        if isinstance(prompts, str | Mapping) or not isinstance(prompts, Sequence):
            raise DataError(
                "prompts must be a list of strings or conversations. Received: one "
                f"{type(prompts).__name__}. Pass [prompt]."
            )
        plain = [index for index, prompt in enumerate(prompts) if isinstance(prompt, str)]
        found: list[list[int]] = [[] for _ in prompts]
        for index, ids in zip(
            plain, self.tokenizer.encode([prompts[index] for index in plain]), strict=True
        ):
            found[index] = ids or self._first_token()
        for index in set(range(len(prompts))) - set(plain):
            messages = parse_messages(prompts[index])
            if messages is None:
                raise DataError(
                    f"prompts[{index}] must be a string, or a list of messages with role and "
                    f"content. Received: {prompts[index]!r:.60}."
                )
            text = self.chat.prompt(messages)
            found[index] = self.tokenizer.encode_rendered([text]).token_ids.tolist()
        return found

    def _first_token(self) -> list[int]:
        """Begins a text that has no token, as texts of the checkpoint begin."""
        first = self.tokenizer.bos_token_id
        first = self.tokenizer.eos_token_id if first is None else first
        return [] if first is None else [first]


def _read_generation_config(directory: Path) -> dict[str, Any]:
    path = directory / _GENERATION_FILE
    if not path.exists():
        return legacy_settings(read_config_file(directory))
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} must hold a JSON object. Received: {error}.") from error
