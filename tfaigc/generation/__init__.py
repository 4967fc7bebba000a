"""Writing texts token by token: what is scored, what is chosen, when it ends."""

from tfaigc.generation.beams import search_beams
from tfaigc.generation.settings import GenerationSettings, legacy_settings, read_settings
from tfaigc.generation.stopping import Stops
from tfaigc.generation.writing import Writer, begin, choose, write

__all__ = [
    "GenerationSettings",
    "Stops",
    "Writer",
    "begin",
    "choose",
    "legacy_settings",
    "read_settings",
    "search_beams",
    "write",
]
