"""What a network must be like for ways of training that are exact for some only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfaigc.errors import ConfigError
from tfaigc.layers import PredictionHead

if TYPE_CHECKING:
    from tfaigc.families.headed import HeadedBackbone


def check_packs(network: HeadedBackbone) -> None:
    """Refuses texts that share rows, where that would not be exact.

    Args:
        network: A backbone with a head.

    Raises:
        ConfigError: The network or the head needs each text in a row of its own.
    """
    family = network.backbone.family.model_type
    if not network.backbone.takes_packs:
        reason = f"the network of a {family} keeps no texts apart"
    elif network.row.takes_choices or network.row.pools:
        reason = "the texts of an example are rows of their own"
    elif network.row.global_tokens not in ("none", "first"):
        reason = "its global tokens are found by separators, which each text has"
    else:
        return
    raise ConfigError(
        "Texts can share rows where no text sees another. Received: "
        f"{network.head_name} of a {family}: {reason}. Leave packed=True out."
    )


def check_features(network: HeadedBackbone) -> None:
    """Refuses to have a head trained on features that may not stay what they are.

    Args:
        network: A backbone with a head.

    Raises:
        ConfigError: The backbone is not frozen, or the head reads more than a row of a text.
    """
    if network.backbone.config.image is not None:
        raise ConfigError(
            "Features are kept of texts. Received: a network of images. "
            "Leave cache_features=True out."
        )
    if not network.backbone.is_frozen:
        raise ConfigError(
            "The features of texts stay the same where the whole backbone is frozen. "
            "Received: one that is trained. Call model.freeze() before."
        )
    if (
        not isinstance(network.head, PredictionHead)
        or network.head.summary.settings.source == "tokens"
        or network.row.takes_choices
    ):
        raise ConfigError(
            "Features are kept for heads that read a row of each text. Received: "
            f"{network.head_name}. Leave cache_features=True out."
        )
