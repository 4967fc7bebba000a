"""How texts are written, in Hugging Face's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from tfaigc.errors import ConfigError, suggestion

# What generation_config.json may say that changes nothing here: of other ways to compute the same,
# and of what else to return.
_WITHOUT_EFFECT = frozenset(
    [
        "_from_model_config",
        "transformers_version",
        "use_cache",
        "cache_implementation",
        "cache_config",
        "return_legacy_cache",
        "bos_token_id",
        "decoder_start_token_id",
        "max_length",
        "max_new_tokens",
        "output_attentions",
        "output_hidden_states",
        "output_scores",
        "output_logits",
        "return_dict_in_generate",
        "num_assistant_tokens",
        "num_assistant_tokens_schedule",
        "assistant_confidence_threshold",
        "assistant_lookbehind",
        "target_lookbehind",
        "prefill_chunk_size",
        "disable_compile",
        "low_memory",
        "is_assistant",
        "trust_remote_code",
        "pad_token_id",
        "remove_invalid_values",
        "max_time",
        "compile_config",
    ]
)
# What else it may say where that is what is done anyway.
_NEUTRAL: Mapping[str, Any] = {
    "min_length": 0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "encoder_repetition_penalty": 1.0,
    "encoder_no_repeat_ngram_size": 0,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "guidance_scale": 1.0,
    "token_healing": False,
    "begin_suppress_tokens": [],
}


@dataclass(frozen=True)
class GenerationSettings:
    """How texts are written.

    Attributes:
        max_new_tokens: Most tokens to write.
        min_new_tokens: Tokens to write before a text may end.
        do_sample: Whether tokens are drawn by their probabilities; if not, the likeliest is taken.
        temperature: Divides the logits, in sampling.
        top_k: Sampling is among so many tokens; 0: among all.
        top_p: Sampling is among the fewest tokens with this share of the probability (Holtzman et
            al., arXiv:1904.09751); 1: among all.
        min_p: Sampling is among tokens with at least this share of the likeliest one's
            probability (Nguyen et al., arXiv:2407.01082); 0: among all.
        repetition_penalty: Divides the logits of tokens that the text has, where they are above
            0, and multiplies them below (Keskar et al., arXiv:1909.05858, section 4.1); 1: none.
        no_repeat_ngram_size: Length of runs of tokens that may not come up twice; 0: any may.
        num_beams: Number of beams; 1: no beam search.
        length_penalty: Exponent of a text's length, by which its score in beam search is divided.
        early_stopping: Whether beam search ends when there are as many texts as beams; "never":
            only where none can become better.
        num_return_sequences: Texts for each prompt.
        stop_strings: Strings that end a text.
        seed: Seed of sampling.
        eos_token_ids: Tokens that end a text.
        forced_bos_token_id: The token that is written first in any case; None: any.
        forced_eos_token_id: The token that is written last where there is room for one only;
            None: any.
        suppress_tokens: Tokens that are never written.
        renormalize_logits: Whether probabilities sum to 1 again, in beam search, after the rules
            above have changed them.

    Raises:
        ConfigError: A value is out of its range, or two do not go together.
    """

    max_new_tokens: int = 128
    min_new_tokens: int = 0
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    num_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | str = False
    num_return_sequences: int = 1
    stop_strings: tuple[str, ...] = ()
    seed: int = 0
    eos_token_ids: tuple[int, ...] = ()
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | None = None
    suppress_tokens: tuple[int, ...] = ()
    renormalize_logits: bool = False

    def __post_init__(self) -> None:
        """Checks the values."""
        rules = (
            ("max_new_tokens", self.max_new_tokens >= 1, "at least 1"),
            ("min_new_tokens", self.min_new_tokens >= 0, "at least 0"),
            ("temperature", self.temperature > 0, "above 0; for no sampling, do_sample=False"),
            ("top_k", self.top_k >= 0, "at least 0"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("min_p", 0 <= self.min_p <= 1, "from 0 to 1"),
            ("repetition_penalty", self.repetition_penalty > 0, "above 0"),
            ("no_repeat_ngram_size", self.no_repeat_ngram_size >= 0, "at least 0"),
            ("num_beams", self.num_beams >= 1, "at least 1"),
            ("early_stopping", self.early_stopping in (True, False, "never"), "a bool or 'never'"),
            ("num_return_sequences", self.num_return_sequences >= 1, "at least 1"),
            ("stop_strings", all(self.stop_strings), "strings that are not empty"),
            ("seed", self.seed >= 0, "at least 0"),
        )
        for name, holds, rule in rules:
            if not holds:
                raise ConfigError(f"{name} must be {rule}. Received: {getattr(self, name)!r}.")
        most = self.num_beams if self.num_beams > 1 else None
        if not self.do_sample and self.num_return_sequences > (most or 1):
            raise ConfigError(
                f"num_return_sequences must be at most num_beams, {self.num_beams}, without "
                f"sampling. Received: {self.num_return_sequences}. Pass do_sample=True, or more "
                "beams."
            )
        if self.stop_strings and self.num_beams > 1:
            raise ConfigError(
                "Beam search knows no stop_strings. Received: both. Leave one of them out."
            )
        if self.do_sample and self.num_beams > 1:
            raise ConfigError(
                "Beam search takes the likeliest tokens, so do_sample must be False. Received: "
                f"do_sample=True with num_beams={self.num_beams}. Leave one of them out."
            )

    def changed(self, changes: Mapping[str, Any]) -> GenerationSettings:
        """Returns settings with other values.

        Raises:
            ConfigError: A name is not known, or a value is out of its range.
        """
        known = [each.name for each in fields(self)]
        for name in changes:
            if name not in known:
                raise ConfigError(
                    f"generate takes {', '.join(known)}. Received: {name}={changes[name]!r}."
                    f"{suggestion(name, known)}"
                )
        given = dict(changes)
        lists = (("stop_strings", str), ("eos_token_ids", int), ("suppress_tokens", int))
        for name, single in lists:
            if name in given:
                listed = [given[name]] if isinstance(given[name], single) else given[name] or ()
                given[name] = tuple(listed)
        return replace(self, **given)


def legacy_settings(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Finds what ``config.json`` says of how texts are written, as older checkpoints' does.

    ``transformers`` reads it where there is no ``generation_config.json``.

    Args:
        stated: ``config.json``, parsed.

    Returns:
        The entries, as in ``generation_config.json``; those of tokens are read elsewhere.

    Example:
        >>> legacy_settings({"model_type": "bart", "num_beams": 4, "max_length": 142})
        {'max_length': 142, 'num_beams': 4}
    """
    own = {"seed", "stop_strings", "eos_token_ids"}
    names = {each.name for each in fields(GenerationSettings)} - own
    names |= {"max_length", "bad_words_ids", *_NEUTRAL}
    found = {name: stated.get(name) for name in sorted(names)}
    return {name: value for name, value in found.items() if value is not None}


def read_settings(
    stored: Mapping[str, Any],
    *,
    eos_token_id: int | Sequence[int] | None,
    begun: int | None = None,
) -> GenerationSettings:
    """Reads how a checkpoint's texts are written, unless its user says otherwise.

    Args:
        stored: Its ``generation_config.json``, parsed; empty where there is none.
        eos_token_id: The tokens that end a text, where the file does not name them.
        begun: With how many tokens a text begins that is written beside an encoder: the file's
            ``min_length`` and ``max_length`` count them. None: texts continue prompts, of which
            the file knows nothing.

    Returns:
        The settings.

    Raises:
        ConfigError: The file asks for something that cannot be honoured.
    """
    found = {key: value for key, value in stored.items() if value is not None}
    ends = found.pop("eos_token_id", eos_token_id)
    found |= _read_suppressed(found.pop("bad_words_ids", None), found, ends)
    if begun is not None:
        found |= _read_lengths(found, begun)
        found.pop("min_length", None)
    known = {each.name for each in fields(GenerationSettings)} - (
        {"max_new_tokens"} if begun is None else set()
    )
    for key, value in found.items():
        is_neutral = key in _NEUTRAL and value == _NEUTRAL[key]
        if key not in known and key not in _WITHOUT_EFFECT and not is_neutral:
            raise ConfigError(
                f"{key} in generation_config.json cannot be honoured. Received: {value!r}. Remove "
                "it from the checkpoint's file."
            )
    given = {key: value for key, value in found.items() if key in known}
    return GenerationSettings().changed({**given, "eos_token_ids": ends})


def _read_suppressed(words: Any, found: Mapping[str, Any], ends: Any) -> dict[str, Any]:
    """Adds words that may not be written to the tokens that may not be; texts may always end."""
    if words is None:
        return {}
    if any(len(word) != 1 for word in words):
        raise ConfigError(
            "bad_words_ids in generation_config.json can be honoured where each word is one token. "
            f"Received: {words!r:.80}. Remove it from the checkpoint's file."
        )
    kept = {word[0] for word in words} - set([ends] if isinstance(ends, int) else ends or ())
    return {"suppress_tokens": [*found.get("suppress_tokens", ()), *sorted(kept)]}


def _read_lengths(found: Mapping[str, Any], begun: int) -> dict[str, int]:
    """Takes the lengths of whole texts to numbers of tokens that are written."""
    lengths = {"min_new_tokens": max(found.get("min_length", 0) - begun, 0)}
    lengths["min_new_tokens"] = max(lengths["min_new_tokens"], found.get("min_new_tokens", 0))
    if "max_new_tokens" not in found and "max_length" in found:
        lengths["max_new_tokens"] = max(found["max_length"] - begun, 1)
    return lengths
