"""One small file per architecture, and the backbone that they all load into."""

from tfaigc.families.backbone import Backbone
from tfaigc.families.family import Family, Head
from tfaigc.families.registry import FAMILIES, family_of, read_config_file

__all__ = ["FAMILIES", "Backbone", "Family", "Head", "family_of", "read_config_file"]
