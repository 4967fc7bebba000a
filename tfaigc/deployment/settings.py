"""What a deployment is to be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tfaigc.errors import ConfigError

_MODEL_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]*")
_LABEL = re.compile("[A-Za-z][A-Za-z0-9_-]*")
# What Kubernetes takes as the name of a service: RFC 1035.
_DNS_NAME = re.compile("[a-z]([a-z0-9-]{0,48}[a-z0-9])?")
_IMAGE = re.compile("[a-z0-9][a-z0-9._/:-]*[A-Za-z0-9._:@-]*")
_STORAGE = re.compile("[a-z][a-z0-9+]*://[A-Za-z0-9._~/:@%+=-]+")
_MEMORY = re.compile("[1-9][0-9]*(Mi|Gi)")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")

_MIB = 1024 * 1024
# What the server takes without any model, and the step in which memory is asked for.
_BARE_MIB, _STEP_MIB = 1024, 256


@dataclass(frozen=True)
class ServedModel:
    """A model to deploy.

    Attributes:
        name: Its name in requests.
        path: The absolute directory of its versions.
        versions: The numbers to serve, rising: those that labels name, or the newest.
        labels: Names of versions, such as stable and canary.
        size: Bytes of the served versions.

    Raises:
        ConfigError: A name cannot stand in the files, or a label's version is not served.
    """

    name: str
    path: Path
    versions: tuple[int, ...]
    labels: Mapping[str, int] = field(default_factory=dict)
    size: int = 0

    def __post_init__(self) -> None:
        _match(_MODEL_NAME, self.name, "A model's name", "Rename its directory, or pass --name.")
        for label in self.labels:
            _match(_LABEL, label, "A version's label", "Pass --label stable=1, say.")


@dataclass(frozen=True)
class Batching:
    """How requests share runs, under the names of TensorFlow Serving's batching parameters.

    Attributes:
        max_batch_size: The most rows in a run; 1 for a run for each request.
        batch_timeout_micros: How long a row waits for others when a thread is free.
        max_enqueued_batches: How many full batches may wait; the rest is refused at once.
        num_batch_threads: Runs at the same time.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 1000
    max_enqueued_batches: int = 64
    num_batch_threads: int = 2

    @property
    def allowed_batch_sizes(self) -> list[int]:
        """Powers of two up to the largest, so that a model meets few shapes."""
        sizes = [1 << power for power in range((self.max_batch_size - 1).bit_length())]
        return [*sizes, self.max_batch_size]


@dataclass(frozen=True)
class Deployment:
    """Models, where they run, and what they may cost.

    Attributes:
        name: What the deployment is called; a name that DNS takes.
        target: `docker`, `kubernetes` or `kserve`.
        models: The models.
        server_version: The version of TensorFlow Serving, which is its image's tag.
        image: For Kubernetes: the image with the models in it; empty for one of this name.
        storage_uri: For KServe: the directory that holds the models' directories.
        latest: How many of the newest versions are served where no label chooses.
        batching: How requests share runs.
        max_body_bytes: The largest request.
        timeout: Seconds until a request is given up.
        min_replicas: Servers at the least, in a cluster.
        max_replicas: Servers at the most.
        cpus: Cores for each server.
        memory: Memory for each server, such as 4Gi; empty: after the models' sizes.

    Raises:
        ConfigError: Something cannot be.
    """

    name: str
    target: str
    models: tuple[ServedModel, ...]
    server_version: str
    image: str = ""
    storage_uri: str = ""
    latest: int = 1
    batching: Batching = field(default_factory=Batching)
    max_body_bytes: int = 64 * _MIB
    timeout: int = 30
    min_replicas: int = 2
    max_replicas: int = 10
    cpus: int = 2
    memory: str = ""

    def __post_init__(self) -> None:
        repeated = [name for name, n in Counter(m.name for m in self.models).items() if n > 1]
        if repeated:
            raise ConfigError(
                "Each model must have a name of its own. Received: "
                f"{repeated[0]!r} twice. Rename one of the directories."
            )
        _match(_DNS_NAME, self.name, "The deployment's name", "Pass --name sentiment, say.")
        _match(_VERSION, self.server_version, "The server's version", "Pass 2.21.0, say.")
        if self.image:
            _match(_IMAGE, self.image, "image", "Pass registry.example.com/team/sentiment:1, say.")
        if self.memory:
            _match(_MEMORY, self.memory, "memory", "Pass 4Gi, say.")
        if self.min_replicas > self.max_replicas:
            raise ConfigError(
                "max_replicas must be at least min_replicas. Received: "
                f"{self.max_replicas} < {self.min_replicas}. Change one of them."
            )
        if self.target == "kserve":
            self._check_kserve()

    @property
    def served_image(self) -> str:
        """The image with the models in it."""
        newest = "-".join(str(max(model.versions)) for model in self.models)
        return self.image or f"{self.name}:{newest}"

    @property
    def needed_memory(self) -> str:
        """What each server may take: a new version is loaded before the old one goes."""
        mib = _BARE_MIB + 3 * sum(model.size for model in self.models) // _MIB
        return self.memory or f"{-(-mib // _STEP_MIB) * _STEP_MIB}Mi"

    @property
    def has_labels(self) -> bool:
        """Whether any version has a label."""
        return any(model.labels for model in self.models)

    def _check_kserve(self) -> None:
        for model in self.models:
            _match(
                _DNS_NAME, model.name, "A model's name in KServe", "Rename the model's directory."
            )
        if not self.storage_uri:
            raise ConfigError(
                "KServe must be told where the models are stored. Received: no storage_uri. Copy "
                "the models there, and pass --storage-uri gs://BUCKET/MODELS, s3://... or "
                "pvc://CLAIM/MODELS."
            )
        _match(_STORAGE, self.storage_uri, "storage_uri", "Pass gs://BUCKET/MODELS, say.")
        if self.has_labels:
            raise ConfigError(
                "Labels must be for docker or kubernetes: KServe divides traffic itself. "
                "Received: --label with kserve. Leave it out, and set canaryTrafficPercent there."
            )


def _match(pattern: re.Pattern[str], text: str, what: str, move: str) -> None:
    if not pattern.fullmatch(text):
        raise ConfigError(f"{what} must match {pattern.pattern}. Received: {text!r}. {move}")
