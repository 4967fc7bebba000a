"""Source strings to local files: directories, the hub, and packages of a package index."""

from tfaigc.sources.cache import cache_directory
from tfaigc.sources.progress import Progress, show_progress
from tfaigc.sources.resolving import MODEL_FILES, is_remote, resolve, resolve_file

__all__ = [
    "MODEL_FILES",
    "Progress",
    "cache_directory",
    "is_remote",
    "resolve",
    "resolve_file",
    "show_progress",
]
