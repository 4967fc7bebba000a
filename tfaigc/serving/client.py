"""Asks a server, ours or TensorFlow Serving, with plain Python lists."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from tfaigc.errors import ServingError
from tfaigc.serving.connection import Connection
from tfaigc.serving.rest_client import RestClient

Version = int | str | None


class Client:
    """A connection to a server; any number of threads may use it.

    Calls that find the server busy (429, 503) or out of reach are tried again after pauses that
    grow.

    Args:
        url: Of the server: ``http://HOST:PORT``, or ``grpc://HOST:PORT``, which takes the extra
            `serving`; with TLS, https and grpcs.
        timeout: Seconds for a call with its retries; None for no limit. Over REST, an answer
            that has begun may take longer, as long as its parts come no further apart.
        retries: How often a call is tried again.
        token: Sent as a bearer token, for servers that ask for one.
        certificates: A PEM file of the authorities to trust; None for the usual ones.

    Raises:
        ServingError: The URL is of no known kind.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float | None = 60.0,
        retries: int = 5,
        token: str | None = None,
        certificates: str | Path | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        settings = {
            "timeout": timeout,
            "retries": retries,
            "headers": headers,
            "certificates": certificates,
        }
        self._server = _connect(url, settings)

    def predict(
        self,
        model: str,
        instances: Sequence[Any],
        *,
        version: Version = None,
        signature: str = "",
    ) -> list[Any]:
        """Asks about rows.

        Args:
            model: The model's name.
            instances: A value for each row; or a dict by input name, where there are several.
            version: A version's number or label; None for the newest.
            signature: The signature's name; empty for the default.

        Returns:
            An answer for each row: a value, or a dict where there are several outputs.

        Raises:
            RequestError: The server refuses, or is out of reach.
        """
        body = _body(signature, instances=instances)
        return self._server.call(model, "predict", version, body)["predictions"]

    def predict_columns(
        self,
        model: str,
        inputs: Mapping[str, Any] | Sequence[Any],
        *,
        version: Version = None,
        signature: str = "",
    ) -> Any:
        """Asks with whole inputs, which need not have rows.

        Args:
            model: The model's name.
            inputs: Values by input name, or those of the only input.
            version: A version's number or label; None for the newest.
            signature: The signature's name; empty for the default.

        Returns:
            Values by output name, or those of the only output.

        Raises:
            RequestError: The server refuses, or is out of reach.
        """
        body = _body(signature, inputs=inputs)
        return self._server.call(model, "predict", version, body)["outputs"]

    def stream(
        self,
        model: str,
        instances: Iterable[Any],
        *,
        version: Version = None,
        signature: str = "",
        batch_size: int = 32,
        concurrency: int = 4,
    ) -> Iterator[Any]:
        """Asks about any number of rows, a few requests at a time.

        The rows are read no faster than answers come, so that they need not fit into memory.

        Args:
            model: The model's name.
            instances: As for `predict`.
            version: A version's number or label; None for the newest.
            signature: The signature's name; empty for the default.
            batch_size: Rows in a request.
            concurrency: Requests under way at the same time.

        Yields:
            The answers, in the order of the rows.

        Raises:
            RequestError: The server refuses a request, or is out of reach.
        """
        rows = iter(instances)
        waiting: deque[Future[list[Any]]] = deque()
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="tfaigc-client")
        try:
            while True:
                while len(waiting) < concurrency and (part := list(islice(rows, batch_size))):
                    waiting.append(
                        pool.submit(self.predict, model, part, version=version, signature=signature)
                    )
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def classify(
        self,
        model: str,
        examples: Sequence[Mapping[str, Any]],
        *,
        context: Mapping[str, Any] | None = None,
        version: Version = None,
        signature: str = "",
    ) -> list[list[list[Any]]]:
        """Asks for classes of examples.

        Args:
            model: The model's name.
            examples: Features by name: a value or a list of values each.
            context: Features of all examples.
            version: A version's number or label; None for the newest.
            signature: The signature's name; empty for the default.

        Returns:
            For each example a list of pairs ``[label, score]``.

        Raises:
            RequestError: The server refuses, or is out of reach.
        """
        body = _body(signature, examples=examples, context=context)
        return self._server.call(model, "classify", version, body)["results"]

    def regress(
        self,
        model: str,
        examples: Sequence[Mapping[str, Any]],
        *,
        context: Mapping[str, Any] | None = None,
        version: Version = None,
        signature: str = "",
    ) -> list[float]:
        """Asks for a number for each example; the arguments are those of `classify`.

        Returns:
            The numbers.

        Raises:
            RequestError: The server refuses, or is out of reach.
        """
        body = _body(signature, examples=examples, context=context)
        return self._server.call(model, "regress", version, body)["results"]

    def status(self, model: str, *, version: Version = None) -> dict[int, dict[str, Any]]:
        """Asks for the states of a model's versions.

        Args:
            model: The model's name.
            version: One version's number; None for all.

        Returns:
            By version: its `state`, such as AVAILABLE, and the `error` that it failed with.

        Raises:
            RequestError: There is no such model, or the server is out of reach.
        """
        found = self._server.describe(model, version)["model_version_status"]
        return {
            int(each["version"]): {
                "state": each["state"],
                "error": each.get("status", {}).get("error_message", ""),
            }
            for each in found
        }

    def metadata(self, model: str, *, version: Version = None) -> dict[str, Any]:
        """Asks for a version's signatures.

        Args:
            model: The model's name.
            version: A version's number or label; None for the newest.

        Returns:
            Signatures by name, each with `inputs` and `outputs`.

        Raises:
            RequestError: There is no such version, or the server is out of reach.
        """
        found = self._server.describe(model, version, "/metadata")
        return found["metadata"]["signature_def"]["signature_def"]

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _connect(url: str, settings: dict[str, Any]) -> Connection:
    if url.startswith(("http://", "https://")):
        return RestClient(url, **settings)
    if url.startswith(("grpc://", "grpcs://")):
        # What gRPC needs is large; who asks over HTTP does without.
        from tfaigc.serving.grpc_client import GrpcClient

        return GrpcClient(url, **settings)
    raise ServingError(
        "A server's URL must begin with http://, https://, grpc:// or grpcs://. "
        f"Received: {url!r}. Write it like http://localhost:8501."
    )


def _body(signature: str, **parts: Any) -> dict[str, Any]:
    """A request of those parts that there are."""
    body = {name: part for name, part in parts.items() if part is not None}
    return {"signature_name": signature, **body} if signature else body
