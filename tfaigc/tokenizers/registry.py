"""Tables of the parts that a tokenizer.json may be made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from tfaigc.errors import TokenizerError, suggestion

Part = TypeVar("Part")
Spec = Mapping[str, Any]


class Registry(Generic[Part]):
    """The parts of one stage that can be compiled, by the "type" that tokenizer.json gives them.

    Args:
        stage: The stage's name, for the messages.

    Example:
        >>> registry = Registry("normalizer")
        >>> @registry.register("Lowercase")
        ... def lowercase(spec):
        ...     return str.lower
        >>> registry.build({"type": "Lowercase"})("A")
        'a'
        >>> registry.build({"type": "Lowercase", "locale": "tr"})
        Traceback (most recent call last):
        tfaigc.errors.TokenizerError: A normalizer of type 'Lowercase' must have no options to run
        in the graph. Received: locale. Use encode, or a checkpoint without it.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self._builders: dict[str, tuple[Callable[[Spec], Part], frozenset[str]]] = {}

    def register(
        self, name: str, *options: str
    ) -> Callable[[Callable[[Spec], Part]], Callable[[Spec], Part]]:
        """Adds the function that builds one type of part.

        Args:
            name: The "type" in tokenizer.json.
            *options: The other keys that the function honours.

        Returns:
            A decorator.
        """

        def add(builder: Callable[[Spec], Part]) -> Callable[[Spec], Part]:
            self._builders[name] = (builder, frozenset(options))
            return builder

        return add

    def build(self, spec: Spec) -> Part:
        """Builds a part.

        Args:
            spec: The part's object in tokenizer.json.

        Returns:
            What the registered function returns.

        Raises:
            TokenizerError: The type, or one of its options, is not known.
        """
        name = str(spec.get("type"))
        if name not in self._builders:
            known = ", ".join(sorted(self._builders))
            raise TokenizerError(
                f"A {self.stage} must be of a type that can run in the graph ({known}). "
                f"Received: {name!r}.{suggestion(name, self._builders)} "
                "Use encode, or a checkpoint with another tokenizer."
            )
        builder, options = self._builders[name]
        unknown = sorted(set(spec) - options - {"type"})
        if unknown:
            most = f"no options but {', '.join(sorted(options))}" if options else "no options"
            raise TokenizerError(
                f"A {self.stage} of type {name!r} must have {most} to run in the graph. "
                f"Received: {', '.join(unknown)}. Use encode, or a checkpoint without it."
            )
        return builder(spec)
