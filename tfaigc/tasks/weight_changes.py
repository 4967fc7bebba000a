"""What a model answers otherwise once its weights have fewer bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.export.weights import EXACT

if TYPE_CHECKING:
    from tfaigc.tasks.headed_model import HeadedModel


def measure_change(
    exact: HeadedModel,
    compact: HeadedModel,
    *,
    dtype: str,
    examples: Sequence[Mapping[str, Any]],
    records: Any = None,
) -> dict[str, Any]:
    """Compares a model with itself in fewer bits.

    Args:
        exact: The model.
        compact: The same with the weights that its export has.
        dtype: The name of these.
        examples: Questions, for want of records.
        records: Anything that ``report`` takes.

    Returns:
        ``measured_on``, and either ``metrics``, with the value for each dtype, or
        ``largest_changes`` of floats and the number of ``changed_rows`` of others, by output.
    """
    if records is not None:
        reports = [(EXACT, exact.report(records)), (dtype, compact.report(records))]
        count = f"{len(records):,} records" if hasattr(records, "__len__") else "the given records"
        names = reports[0][1].headline
        return {
            "measured_on": count,
            "metrics": {
                name: {each: report.metrics[name] for each, report in reports} for name in names
            },
        }
    inputs = exact.tokenize_strings(exact.stack_questions(examples))
    before, after = (model.serve_inputs(inputs) for model in (exact, compact))
    pairs = {name: (np.asarray(before[name]), np.asarray(after[name])) for name in before}
    floats = {name for name, (values, _) in pairs.items() if values.dtype.kind == "f"}
    return {
        "measured_on": f"{len(examples)} questions",
        "largest_changes": {
            name: float(np.max(np.abs(pairs[name][0] - pairs[name][1]))) for name in sorted(floats)
        },
        "changed_rows": {
            name: sum(not np.array_equal(*rows) for rows in zip(*pairs[name], strict=True))
            for name in sorted(set(pairs) - floats)
        },
    }
