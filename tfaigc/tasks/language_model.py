"""What tasks share whose model scores the tokens of its vocabulary."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tfaigc.data import (
    BatchOrder,
    EncodedTexts,
    Table,
    check_texts,
    cut_windows,
    tokenize_cached,
)
from tfaigc.evaluation import TokenScores
from tfaigc.families import Backbone
from tfaigc.layers import VocabularySettings
from tfaigc.tasks.checkpoint import Checkpoint
from tfaigc.tasks.examples import Examples
from tfaigc.tasks.fine_tuning import is_raw
from tfaigc.tasks.unlabelled_task import UnlabelledTask
from tfaigc.tasks.written_texts import with_ends
from tfaigc.tokenizers import Tokenizer
from tfaigc.training.token_losses import (
    Perplexity,
    TokenAccuracy,
    TokenCrossEntropy,
    count_targets,
)


class LanguageModel(UnlabelledTask):
    """A Transformer with a language model's head, as its family's checkpoints have it.

    Calling the model on the backbone's inputs gives logits, float32, (batch, length, vocabulary).
    With ``positions`` among the inputs, int32, (batch, picked), only the tokens in these columns
    are scored: (batch, picked, vocabulary).

    Args:
        backbone: A backbone.
        tokenizer: The checkpoint's tokenizer.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
        vocabulary: How the head scores the vocabulary; None: as ``config.json`` says.
        **head: What ``make_network`` takes besides.
    """

    head_title: ClassVar[str] = "language model's head"
    # What the names of the inputs begin with whose tokens are scored.
    inputs_prefix: ClassVar[str] = ""

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        max_length: int | None = None,
        vocabulary: VocabularySettings | None = None,
        name: str | None = None,
        **head: Any,
    ) -> None:
        super().__init__(
            backbone, tokenizer, max_length=max_length, name=name, vocabulary=vocabulary, **head
        )

    @classmethod
    def stored_head(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        """Reads what the class takes for the head from a checkpoint."""
        return {"vocabulary": checkpoint.vocabulary()}

    def own_head(self) -> dict[str, Any]:
        """Returns what the class takes for a head like the model's own."""
        return {"vocabulary": self.network.head.settings}

    @property
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""
        return "perplexity"

    def default_loss(self) -> keras.losses.Loss:
        """Returns cross-entropy, the mean over the tokens that count."""
        return TokenCrossEntropy()

    def default_metrics(self) -> list[Any]:
        """Returns perplexity and accuracy over the same tokens."""
        return [Perplexity(), TokenAccuracy()]

    def loss_weight(self, y: Any, sample_weight: Any) -> Any:
        """Counts the tokens that the mean is over."""
        return count_targets(self.of_tokens(y))

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have a ``text``; a second one is not looked at."""
        table = super().read(records, columns=columns)
        self.takes_pairs = False
        return table

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records without a text."""
        check_texts(table, "text")

    def targets(self, table: Table) -> None:
        """Returns nothing: batches make their targets of their own tokens."""

    def whole_examples(self, table: Table) -> Examples:
        """Takes records to examples, one each."""
        return Examples(self._encode_whole(table.column("text")))

    def predict(self, x: Any, batch_size: int | None = None, **keras_arguments: Any) -> Any:
        """Computes logits, as ``keras.Model.predict`` does; takes raw records too.

        Returns:
            For raw records a list: float32, (tokens, vocabulary), for each record, whose text is
            cut at ``max_length``; where an encoder reads it, for each record's target.
        """
        if not is_raw(x):
            return keras.Model.predict(self, x, batch_size=batch_size, **keras_arguments)
        whole = self.whole_examples(self.read(x))
        found: list[Any] = [None] * len(whole.lengths)
        order = BatchOrder(whole.lengths, batch_size or 64)
        for rows, batch in self.numbered_batches(whole, order):
            inputs = batch[0] if whole.targets else batch
            logits = self.of_tokens(self.predict_on_batch(inputs))
            masks = inputs[f"{self.inputs_prefix}padding_mask"]
            for row, scores, mask in zip(rows, logits, masks, strict=True):
                found[row] = scores[: int(np.sum(mask))]
        return found

    def score(self, batches: tf.data.Dataset) -> TokenScores:
        """Scores the targets of a dataset that keeps its records' order.

        Args:
            batches: What ``dataset`` made, without ``shuffle``.

        Returns:
            One entry for each token that counts.
        """
        score = tf.function(self._score_batch, autograph=False, reduce_retracing=True)
        parts: list[list[np.ndarray]] = []
        done = 0
        for inputs, all_targets in batches:
            targets = self.of_tokens(all_targets)
            found = [np.asarray(part) for part in score(inputs, targets)]
            counted = np.asarray(targets) >= 0
            examples = done + np.nonzero(counted)[0]
            parts.append([examples, *(part[counted] for part in found)])
            done += len(counted)
        return TokenScores(*map(np.concatenate, zip(*parts, strict=True)))

    def of_tokens(self, outputs: Any) -> Any:
        """Takes what the network gives, or what it is compared with, to the part on tokens."""
        return outputs["tokens"] if isinstance(outputs, Mapping) else outputs

    @abstractmethod
    def target_columns(self, inputs: Mapping[str, Any], targets: Any) -> Any:
        """Says in which columns the targets stand, int32, as the targets."""

    def _score_batch(self, inputs: Mapping[str, Any], targets: Any) -> tuple[Any, ...]:
        """Computes what ``TokenScores`` holds of each target, but for its example."""
        logits = self.of_tokens(self(inputs, training=False))
        log_probabilities = tf.nn.log_softmax(logits)
        right = tf.maximum(targets, 0)
        columns = self.target_columns(inputs, targets)
        return (
            targets,
            tf.gather(log_probabilities, right, batch_dims=2),
            tf.reduce_sum(
                tf.cast(logits > tf.gather(logits, right, batch_dims=2)[..., None], tf.int32), -1
            ),
            tf.argmax(logits, axis=-1, output_type=tf.int32),
            tf.exp(tf.reduce_max(log_probabilities, axis=-1)),
            columns,
            tf.gather(inputs[f"{self.inputs_prefix}token_ids"], columns, batch_dims=1),
        )

    def _encode_whole(self, texts: Any) -> EncodedTexts:
        """Tokenizes texts, each as one example."""
        strings = [str(text) for text in texts]
        return EncodedTexts(*self.tokenizer.encode_arrays(strings, max_length=self.max_length))

    def _encode_windows(self, texts: Any, *, cache: bool, end: int | None = None) -> EncodedTexts:
        """Tokenizes texts, long ones as several examples; see ``cut_windows``."""
        strings = [str(text) for text in texts]
        encoded = tokenize_cached(self.tokenizer, strings, max_length=None, enabled=cache)
        encoded = with_ends(encoded, end)
        affixes = self.tokenizer.affixes
        return cut_windows(encoded, max_length=self.max_length, affixes=affixes)[0]
