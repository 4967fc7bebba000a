"""Which versions of which models are loaded, as the disk and the configuration want it."""

from __future__ import annotations

import enum
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tfaigc.serving.servable import Servable
from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.versions import ModelConfig, versions_on_disk

logger = logging.getLogger(__name__)

Load = Callable[[str, int, Path], Servable]


class State(enum.IntEnum):
    """Where a version is in its life, by the numbers of the server's protocol."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class ModelSpec:
    """What a request names.

    Attributes:
        name: The model.
        version: The version; None for the newest that is loaded.
        label: The version's label, instead of its number.
    """

    name: str
    version: int | None = None
    label: str | None = None


@dataclass
class VersionStatus:
    """What is known of a version.

    Attributes:
        state: Where it is in its life.
        code: OK, or why it could not be loaded.
        message: The same in words.
    """

    state: State = State.START
    code: Code = Code.OK
    message: str = ""


@dataclass
class _Model:
    config: ModelConfig
    is_removed: bool = False
    statuses: dict[int, VersionStatus] = field(default_factory=dict)
    servables: dict[int, Servable] = field(default_factory=dict)
    # A version that could not be loaded is tried again only when its files are others.
    failures: dict[int, object] = field(default_factory=dict)


class Manager:
    """Loads, lends and unloads versions.

    Args:
        load: Loads a version of a model from its directory, warmed up.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._models: dict[str, _Model] = {}
        # Guards the tables; never held while something loads.
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()

    def configure(self, configs: Iterable[ModelConfig]) -> None:
        """Says what is to be served; `refresh` then loads and unloads.

        Args:
            configs: All models.
        """
        wanted = {config.name: config for config in configs}
        with self._lock:
            for name, config in wanted.items():
                model = self._models.setdefault(name, _Model(config))
                model.config, model.is_removed = config, False
            for name in set(self._models) - set(wanted):
                self._models[name].is_removed = True

    def refresh(self) -> None:
        """Looks at the disk once; loads what is new and unloads what is not wanted any more."""
        with self._refreshing:
            for name in list(self._models):
                self._refresh_model(self._models[name])

    def close(self) -> None:
        """Unloads all."""
        self.configure([])
        self.refresh()

    def names(self) -> list[str]:
        """The names of all models, in alphabetical order."""
        with self._lock:
            return sorted(self._models)

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def statuses(self, spec: ModelSpec) -> dict[int, VersionStatus]:
        """Tells the states of a model's versions.

        Args:
            spec: The model, and maybe one version; as with the official server, a label plays no
                part here.

        Returns:
            Statuses by version, the highest first.

        Raises:
            RequestError: There is no such model or version.
        """
        with self._lock:
            model = self._models.get(spec.name)
            found = dict(model.statuses) if model else {}
        if spec.version is not None:
            if spec.version not in found:
                raise RequestError(
                    Code.NOT_FOUND, f"Could not find version {spec.version} of model {spec.name}"
                )
            return {spec.version: found[spec.version]}
        if not found:
            raise RequestError(Code.NOT_FOUND, f"Could not find any versions of model {spec.name}")
        return dict(sorted(found.items(), reverse=True))

    def acquire(self, spec: ModelSpec) -> Servable:
        """Finds a loaded version and keeps it loaded until it is released.

        Args:
            spec: What a request names.

        Returns:
            The version.

        Raises:
            RequestError: It is not there.
        """
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        with self._lock:
            model = self._models.get(spec.name)
            version = spec.version
            if spec.label is not None:
                labels = model.config.labels if model else {}
                if spec.label not in labels:
                    raise invalid(f"Unrecognized servable version label: {spec.label}")
                version = labels[spec.label]
            servables = model.servables if model else {}
            if version is None and servables:
                version = max(servables)
            if version is None or version not in servables:
                asked = f"Latest({spec.name})"
                if version is not None:
                    asked = f"Specific({spec.name}, {version})"
                raise RequestError(Code.NOT_FOUND, f"Servable not found for request: {asked}")
            servables[version].acquire()
            return servables[version]

    @contextmanager
    def lent(self, spec: ModelSpec) -> Iterator[Servable]:
        """Lends a loaded version; the arguments and refusals are those of `acquire`."""
        servable = self.acquire(spec)
        try:
            yield servable
        finally:
            servable.release()

    def _refresh_model(self, model: _Model) -> None:
        config = model.config
        removed = model.is_removed
        try:
            found = {} if removed else versions_on_disk(config.base_path)
        except OSError as error:
            logger.warning("%s: the versions cannot be listed: %s", config.name, error)
            return
        wanted = config.policy.choose(set(found))
        if not wanted and not removed:
            # What is empty may be a disk that went away: what is loaded stays.
            return
        moved = {
            version
            for version, servable in model.servables.items()
            if version in wanted and servable.directory != found[version]
        }
        for version in sorted(wanted - set(model.servables) | moved):
            self._load_version(model, version, found[version])
        # The old stays until there is something new; that may have failed to load.
        if removed or wanted & set(model.servables):
            for version in sorted(set(model.servables) - wanted):
                self._unload_version(model, version)
        if removed:
            with self._lock:
                self._models.pop(config.name, None)

    def _load_version(self, model: _Model, version: int, directory: Path) -> None:
        name, print_ = model.config.name, _fingerprint(directory)
        if model.failures.get(version) == print_:
            return
        # One that lies elsewhere now answers until it can be replaced.
        former = model.servables.get(version)
        if former is None:
            self._note(model, version, VersionStatus(State.LOADING))
        try:
            servable = self._load(name, version, directory)
        except Exception as error:
            # Whatever a version does, the others must go on.
            code = error.code if isinstance(error, RequestError) else Code.UNKNOWN
            model.failures[version] = print_
            state = State.END if former is None else State.AVAILABLE
            self._note(model, version, VersionStatus(state, code, str(error)))
            logger.error("%s, version %d: %s", name, version, error)
            return
        with self._lock:
            model.failures.pop(version, None)
            model.servables[version] = servable
            model.statuses[version] = VersionStatus(State.AVAILABLE)
        if former is not None:
            former.close()
        logger.info("%s, version %d is being served", name, version)

    def _unload_version(self, model: _Model, version: int) -> None:
        with self._lock:
            model.statuses[version] = VersionStatus(State.UNLOADING)
            servable = model.servables.pop(version)
        servable.close()
        self._note(model, version, VersionStatus(State.END))
        logger.info("%s, version %d is not served any more", model.config.name, version)

    def _note(self, model: _Model, version: int, status: VersionStatus) -> None:
        with self._lock:
            model.statuses[version] = status


def _fingerprint(directory: Path) -> object:
    """Changes when a version's files do."""
    try:
        return sorted(
            (str(path), path.stat().st_mtime_ns, path.stat().st_size)
            for path in directory.rglob("*")
        )
    except OSError as error:
        return str(error)
