"""One small file per architecture, and the backbone that they all load into."""

from tfaigc.families.backbone import Backbone
from tfaigc.families.family import Family, Head
from tfaigc.families.headed import HeadedBackbone
from tfaigc.families.held_heads import held_heads, stored_labels
from tfaigc.families.registry import FAMILIES, family_of, read_config_file
from tfaigc.families.sentence_modules import (
    SentenceModules,
    read_sentence_modules,
    write_sentence_modules,
)

__all__ = [
    "FAMILIES",
    "Backbone",
    "Family",
    "Head",
    "HeadedBackbone",
    "SentenceModules",
    "family_of",
    "held_heads",
    "read_config_file",
    "read_sentence_modules",
    "stored_labels",
    "write_sentence_modules",
]
