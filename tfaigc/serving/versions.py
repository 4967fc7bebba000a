"""Models and their versions, as they lie on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tfaigc.errors import ServingError

_LARGEST_VERSION = 2**63 - 1


@dataclass(frozen=True)
class VersionPolicy:
    """Which of the versions on disk are served.

    Attributes:
        latest: So many of the highest numbers; None for all.
        specific: Only these numbers, whatever `latest` says.
    """

    latest: int | None = 1
    specific: tuple[int, ...] = ()

    def choose(self, versions: set[int]) -> set[int]:
        """Chooses versions.

        Args:
            versions: Those on disk.

        Returns:
            Those to serve.

        Example:
            >>> sorted(VersionPolicy(latest=2).choose({1, 2, 3}))
            [2, 3]
        """
        if self.specific:
            return versions & set(self.specific)
        return set(sorted(versions, reverse=True)[: self.latest])


@dataclass(frozen=True)
class ModelConfig:
    """A model that is to be served.

    Attributes:
        name: Its name in requests.
        base_path: The directory of its versions.
        policy: Which of them are served.
        labels: Names of versions.
    """

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: dict[str, int] = field(default_factory=dict)


def versions_on_disk(base_path: Path) -> dict[int, Path]:
    """Lists a model's versions: the directories whose names are whole numbers.

    Args:
        base_path: The model's directory.

    Returns:
        Directories by number.

    Raises:
        OSError: The directory cannot be read.
    """
    found = {}
    for path in base_path.iterdir():
        if path.name.isascii() and path.name.isdigit() and path.is_dir():
            number = int(path.name) if len(path.name) < 20 else _LARGEST_VERSION + 1
            if number <= _LARGEST_VERSION:
                found[number] = path
    return found


def models_in(directory: Path, name: str | None = None) -> list[ModelConfig]:
    """Finds the models that a directory holds.

    Args:
        directory: One that holds versions, which is one model; or models, which are directories
            with versions.
        name: What to call a single model; otherwise it has its directory's name.

    Returns:
        The models, each with its newest version; the names are those of the directories.

    Raises:
        ServingError: There is no model, or more than one has to share a name.
    """
    if not directory.is_dir():
        raise ServingError(
            f"The directory of models must exist. Received: {directory}. "
            "Pass the directory that `tfaigc export` wrote to, or the one around it."
        )
    if versions_on_disk(directory):
        return [ModelConfig(name or directory.absolute().name, directory.absolute())]
    models = [
        ModelConfig(path.name, path.absolute())
        for path in sorted(directory.iterdir())
        if path.is_dir() and not path.name.startswith(".") and versions_on_disk(path)
    ]
    if not models:
        raise ServingError(
            "A directory of models must hold versions (1/, 2/ ...), or directories that do. "
            f"Received: {directory}, which holds neither. "
            "Pass the directory that `tfaigc export` wrote to, or the one around it."
        )
    if name is not None:
        if len(models) > 1:
            raise ServingError(
                f"One name must be for one model. Received: {name!r} for {len(models)} models "
                f"in {directory}. Pass the directory of one of them."
            )
        models = [ModelConfig(name, models[0].base_path)]
    return models
