"""Writing texts token by token: what is scored, what is chosen, when it ends."""

from tfaigc.generation.beams import search_beams
from tfaigc.generation.scoring import Sampling
from tfaigc.generation.settings import GenerationSettings, legacy_settings, read_settings
from tfaigc.generation.stopping import Stops
from tfaigc.generation.writing import Draws, Writer, begin, choose, draw_numbers, write

__all__ = [
    "Draws",
    "GenerationSettings",
    "Sampling",
    "Stops",
    "Writer",
    "begin",
    "choose",
    "draw_numbers",
    "legacy_settings",
    "read_settings",
    "search_beams",
    "write",
]
