"""Which text of an example is cut when there are too many tokens."""

from __future__ import annotations

from tfaigc.errors import ConfigError, suggestion

STRATEGIES = ("longest_first", "only_first", "only_second")
"""Which text of an example is cut: the longer one, the first or the second."""


def check(truncation: str, *, pair: bool) -> None:
    """Checks a truncation strategy.

    Args:
        truncation: The strategy.
        pair: Whether texts come in pairs.

    Raises:
        ConfigError: There is no such strategy, or it needs pairs.

    Example:
        >>> check("only_second", pair=True)
        >>> check("only_second", pair=False)
        Traceback (most recent call last):
        tfaigc.errors.ConfigError: truncation='only_second' must come with pairs. Received: texts
        alone. Pass pairs, or truncation='longest_first'.
    """
    if truncation not in STRATEGIES:
        raise ConfigError(
            f"truncation must be one of {', '.join(STRATEGIES)}. Received: {truncation!r}."
            f"{suggestion(str(truncation), STRATEGIES)} Pass one of them."
        )
    if truncation == "only_second" and not pair:
        raise ConfigError(
            "truncation='only_second' must come with pairs. Received: texts alone. "
            "Pass pairs, or truncation='longest_first'."
        )
