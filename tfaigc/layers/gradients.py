"""Functions that state their own gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops


def with_gradient(function: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """Lets a function state its gradient.

    Args:
        function: Returns its value, and a function that takes the gradient with respect to the
            value to the gradients with respect to the arguments.

    Returns:
        A function that returns the value alone.

    Example:
        >>> @with_gradient
        ... def double(x):
        ...     return 2 * x, lambda upstream: 2 * upstream
        >>> float(double(ops.array(3.0)))
        6.0
    """
    stated: Callable[..., Any] = ops.custom_gradient(function)
    return stated
