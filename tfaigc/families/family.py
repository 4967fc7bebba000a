"""What tfaigc knows of one architecture: its settings' keys, its weights' names, its heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.layers import SummarySettings, VocabularySettings
from tfaigc.models import TransformerConfig

Settings = Mapping[str, Any]

# none: no token. first: each text's first. question: all before the first separator.
# answer: all after the second of two separators that stand together.
GLOBAL_TOKENS = ("none", "first", "question", "answer")

# own: one of its own, which is an input. shifted: the encoder's, behind decoder_start_token_id.
# rotated: the encoder's, behind its last token.
DECODER_TEXTS = ("own", "shifted", "rotated")


@dataclass(frozen=True)
class ConfigKey:
    """One setting under both names.

    Args:
        ours: The field of ``TransformerConfig``.
        theirs: The key in ``config.json``.
        default: What an absent key means.
    """

    ours: str
    theirs: str
    default: Any


@dataclass(frozen=True)
class Head:
    """A task's layers on top of the backbone, as a checkpoint stores them.

    Args:
        architecture: The class that ``transformers`` loads such a checkpoint with.
        renames: Names of the head's layers. Those of a prediction head are ``summary/dense``,
            ``summary/norm``, ``classifier`` and ``distilled_classifier``; those of a language
            model ``transform/dense``, ``transform/norm``, and ``tied_output`` or ``output``.
        needs_pooler: Whether such a checkpoint's backbone has a pooler.
        global_tokens: One of ``GLOBAL_TOKENS``, for families with global attention.
        decoder_text: Which text the decoder of an encoder-decoder reads: one of
            ``DECODER_TEXTS``.
        start_token_id: For decoders with a text of their own: what it begins with in training where
            ``decoder_start_token_id`` is absent; None: always with its own last token.
        fresh_start: What a network without a checkpoint begins it with.
        read_summary: Takes ``config.json`` to what the head reads, and the layers before its last.
        num_outputs: Logits for each text or token; None: one for each label.
        output_bias: Whether a prediction head's last layer has a bias.
        distilled: Whether a prediction head has a second last layer; see ``PredictionHead``.
        takes_choices: Whether inputs have an axis of choices behind the batch's.
        read_vocabulary: Makes it a language model's head: takes ``config.json`` to how its last
            layer scores the vocabulary.
        ties: For language models, the names of tensors without the family's prefix that may stand
            for others, such as an output matrix for the table that it is tied to.
        states_tie: Whether ``tie_word_embeddings`` says if the output is tied.
        pools: Whether it has no weights, and pools tokens to one vector for each text.
    """

    architecture: str
    renames: tuple[Rename, ...] = ()
    needs_pooler: bool = False
    global_tokens: str = "none"
    decoder_text: str = "own"
    start_token_id: int | None = None
    fresh_start: str = "pad_token_id"
    read_summary: Callable[[Settings], SummarySettings] = lambda _: SummarySettings()
    num_outputs: int | None = None
    output_bias: bool = True
    distilled: bool = False
    takes_choices: bool = False
    read_vocabulary: Callable[[Settings], VocabularySettings] | None = None
    ties: tuple[tuple[str, str], ...] = ()
    states_tie: bool = True
    pools: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether each logit belongs to a label."""
        return self.num_outputs is None and self.read_vocabulary is None and not self.pools


@dataclass(frozen=True)
class Family:
    """One architecture.

    Args:
        model_type: The value of ``model_type`` in ``config.json``.
        prefix: What stands before the backbone's tensor names in a checkpoint that has a head.
        architecture: The class that ``transformers`` loads a bare backbone with.
        config_keys: The settings, under both names.
        check_config: Raises ConfigError for settings that cannot be honoured, and returns the
            fields of ``TransformerConfig`` that are not a plain copy of one key.
        backbone: Names of the backbone's layers.
        heads: The heads by task name.
        sentence_heads: Heads that judge pairs of texts beside a masked language model's, by the
            name of what they judge; the architecture is that of both together.
        other_heads: Beginnings of tensor names that belong to heads that no task here reads.
        buffers: Ends of tensor names that hold no weights, in whole words.
        copies: Pairs of tensors' names: the first may repeat, or stand for, the second.
        read_decoder: Takes the settings and ``config.json`` to the settings of the decoder; None:
            there is no decoder behind the stack.
        fresh_factor: Takes a fresh weight's path and ``config.json`` to what its standard deviation
            is multiplied by.
        adapt: Takes the family and ``config.json`` to the family of that checkpoint, where names
            depend on settings.
    """

    model_type: str
    prefix: str
    architecture: str
    config_keys: tuple[ConfigKey, ...]
    check_config: Callable[[Settings], Settings]
    backbone: tuple[Rename, ...]
    heads: Mapping[str, Head]
    sentence_heads: Mapping[str, Head] = field(default_factory=dict)
    other_heads: tuple[str, ...] = ()
    buffers: tuple[str, ...] = field(default=("position_ids", "token_type_ids"))
    copies: tuple[tuple[str, str], ...] = ()
    read_decoder: Callable[[TransformerConfig, Settings], TransformerConfig] | None = None
    fresh_factor: Callable[[str, Settings], float] = lambda path, stated: 1.0
    adapt: Callable[[Family, Settings], Family] = lambda family, _: family

    def read_config(self, stated: Mapping[str, Any]) -> TransformerConfig:
        """Takes ``config.json`` to our settings.

        Args:
            stated: The parsed file.

        Returns:
            The settings; absent keys have the family's defaults.

        Raises:
            ConfigError: A value has the wrong type or cannot be honoured.
        """
        settings = {
            key.ours: read_value(stated, key.theirs, key.default) for key in self.config_keys
        }
        config = TransformerConfig(**settings, **self.check_config(stated))
        if self.read_decoder is None:
            return config
        return replace(config, decoder=self.read_decoder(config, stated))

    @property
    def pooler(self) -> str | None:
        """The pooler's name in a checkpoint, or None where the architecture has none."""
        return next((rename.theirs for rename in self.backbone if rename.ours == "pooler"), None)

    @property
    def ties(self) -> tuple[tuple[str, str], ...]:
        """The tied tensors of all heads; see ``Head``."""
        return tuple(dict.fromkeys(pair for head in self.heads.values() for pair in head.ties))

    @property
    def head_tensors(self) -> tuple[str, ...]:
        """Beginnings of the names of heads' tensors."""
        renames = [rename for head in self.heads.values() for rename in head.renames]
        return (*(f"{rename.theirs}." for rename in renames), *self.other_heads)

    def write_config(self, config: TransformerConfig) -> dict[str, Any]:
        """Takes our settings to the keys of ``config.json`` that state them."""
        stated: dict[str, Any] = {"model_type": self.model_type}
        stated |= {key.theirs: getattr(config, key.ours) for key in self.config_keys}
        return stated

    def sentence_head(self, task: str) -> Head:
        """Returns a head that stands beside a masked language model's.

        Raises:
            ConfigError: The family has none of that name.
        """
        if task not in self.sentence_heads:
            known = ", ".join(self.sentence_heads) or "none"
            raise ConfigError(
                f"sentence_task of a {self.model_type} must be one that its checkpoints have: "
                f"{known}. Received: {task!r}. Leave it out."
            )
        return self.sentence_heads[task]

    def head(self, task: str) -> Head:
        """Returns a task's head; tokens can be pooled in every family with one stack.

        Raises:
            ConfigError: The family has none.
        """
        if task == "text_embedding" and self.read_decoder is None:
            return Head(self.architecture, pools=True)
        if task not in self.heads:
            raise ConfigError(
                f"A {self.model_type} checkpoint can be used for {', '.join(sorted(self.heads))}. "
                f"Received: {task}. Take a checkpoint of another family."
            )
        return self.heads[task]


def read_value(stated: Settings, name: str, default: Any) -> Any:
    """Reads one value of ``config.json``.

    Args:
        stated: The parsed file.
        name: The key.
        default: What an absent key means; a value must be of its type.

    Returns:
        The value.

    Raises:
        ConfigError: The value is of another type.
    """
    value = stated.get(name, default)
    kind = type(default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(
            f"{name} in config.json must be of type {kind.__name__}. Received: {value!r}. "
            "Correct the checkpoint's config.json."
        )
    return value
