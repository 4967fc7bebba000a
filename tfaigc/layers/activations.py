"""Activation functions under the names that ``config.json`` uses for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from tfaigc.errors import ConfigError, suggestion
from tfaigc.layers.gradients import with_gradient

Activation = Callable[[Any], Any]


def gelu(x: Any) -> Any:
    """The exact GELU, by the error function (Hendrycks and Gimpel, arXiv:1606.08415)."""
    return ops.gelu(x, approximate=False)


@with_gradient
def _gelu_with_gradient(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """GELU whose gradient takes few passes; in float32, where the error function is fast."""
    exact = ops.cast(x, "float32")
    share = 0.5 * ops.erfc(exact * -math.sqrt(0.5))

    def gradient(upstream: Any) -> Any:
        density = ops.exp(-0.5 * ops.square(exact) - 0.5 * math.log(2.0 * math.pi))
        return upstream * ops.cast(share + exact * density, upstream.dtype)

    return x * ops.cast(share, x.dtype), gradient


def gelu_tanh(x: Any) -> Any:
    """The tanh approximation of GELU (arXiv:1606.08415, section 2)."""
    return ops.gelu(x, approximate=True)


def gelu_sigmoid(x: Any) -> Any:
    """The sigmoid approximation of GELU (arXiv:1606.08415, section 2)."""
    return x * ops.sigmoid(1.702 * x)


def gelu_clipped(x: Any) -> Any:
    """The exact GELU, clipped to [-10, 10] (Wu et al., arXiv:2004.09602)."""
    return ops.clip(gelu(x), -10.0, 10.0)


def mish(x: Any) -> Any:
    """Mish (Misra, arXiv:1908.08681)."""
    return x * ops.tanh(ops.softplus(x))


def relu_squared(x: Any) -> Any:
    """The square of ReLU (So et al., arXiv:2109.08668)."""
    return ops.square(ops.relu(x))


def laplace(x: Any) -> Any:
    """The Laplace distribution function of Mega (Ma et al., arXiv:2209.10655)."""
    mean, deviation = math.sqrt(0.5), math.sqrt(0.25 / math.pi)
    return 0.5 * (1.0 + ops.erf((x - mean) / (deviation * math.sqrt(2.0))))


def hard_swish(x: Any) -> Any:
    """Hard swish (Howard et al., arXiv:1905.02244)."""
    return x * ops.relu6(x + 3.0) / 6.0


def leaky_relu(x: Any) -> Any:
    """ReLU with a slope of 0.01 below zero."""
    return ops.leaky_relu(x, negative_slope=0.01)


def linear(x: Any) -> Any:
    """The identity."""
    return x


ACTIVATIONS: dict[str, Activation] = {
    "gelu": gelu,
    "gelu_10": gelu_clipped,
    "gelu_accurate": gelu_tanh,
    "gelu_fast": gelu_tanh,
    "gelu_new": gelu_tanh,
    "gelu_python": gelu,
    "gelu_python_tanh": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "hardswish": hard_swish,
    "laplace": laplace,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "mish": mish,
    "quick_gelu": gelu_sigmoid,
    "relu": ops.relu,
    "relu2": relu_squared,
    "relu6": ops.relu6,
    "sigmoid": ops.sigmoid,
    "silu": ops.silu,
    "swish": ops.silu,
    "tanh": ops.tanh,
}


_WITH_GRADIENTS: dict[Activation, Activation] = {gelu: _gelu_with_gradient}


def activation(name: str, *, training: bool = False) -> Activation:
    """Looks an activation up by the name that ``config.json`` gives it.

    Args:
        name: The name, such as ``"gelu"`` or ``"gelu_new"``.
        training: Whether a gradient will follow: the value is the same up to rounding, the
            gradient cheaper; without it, TensorFlow can fuse the activation into a product.

    Returns:
        A function from a tensor to a tensor of the same shape.

    Raises:
        ConfigError: The name is not known.

    Example:
        >>> float(activation("relu")(-1.0))
        0.0
    """
    if name not in ACTIVATIONS:
        raise ConfigError(
            f"The activation must be one of {', '.join(ACTIVATIONS)}. Received: {name!r}."
            f"{suggestion(name, ACTIVATIONS)}"
        )
    found = ACTIVATIONS[name]
    return _WITH_GRADIENTS.get(found, found) if training else found
