"""``tfaigc evaluate --compare``: two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfaigc.errors import DataError
from tfaigc.workflows.screen import Screen

_METRICS, _HEADLINE = "metrics.json", "headline.json"
_SURE = 0.05


def compare(one: str, other: str, *, screen: Screen) -> float:
    """Prints the metrics of two reports, and whether the models differ.

    Args:
        one: A run's directory, or one that ``evaluate`` wrote a report to.
        other: Another one, whose report is on the same examples.
        screen: Where results go.

    Returns:
        The probability that models which do not differ would be so different.

    Raises:
        DataError: There is no such report, or the two are not on the same examples.
    """
    from tfaigc.evaluation.example_scores import ExampleScores, p_value

    metrics = [_read(Path(each), _METRICS) for each in (one, other)]
    headlines = [_read(Path(each), _HEADLINE) for each in (one, other)]
    for key, what in (("metric", "measured alike"), ("fingerprint", "on the same examples")):
        found = [each[key] for each in headlines]
        if found[0] != found[1]:
            shown = " and ".join(found) if key == "metric" else "different ones"
            raise DataError(
                f"Two reports must be {what}. Received: {shown}. Run tfaigc evaluate for both "
                "models on one file, with --output-dir."
            )
    names = [name for name in metrics[0] if name in metrics[1]]
    rows = [
        (name, f"{a:.4f}", f"{b:.4f}", f"{b - a:+.4f}")
        for name in names
        for a, b in [(metrics[0][name], metrics[1][name])]
    ]
    screen.table(("metric", one, other, "difference"), rows)
    scores = [ExampleScores.from_json(each) for each in headlines]
    probability = p_value(*scores)
    first, second = (scores[index].value for index in (0, 1))
    is_better = (second < first) == scores[0].lower_is_better
    verdict = (
        f"{other if is_better else one} is better"
        if probability < _SURE
        else "the difference may be chance"
    )
    screen.result(
        f"{scores[0].metric}: {first:.4f} and {second:.4f} on {len(scores[0].numerators):,} "
        f"examples; p = {probability:.4f} (paired randomization): {verdict}"
    )
    return probability


def _read(directory: Path, name: str) -> dict[str, Any]:
    path = directory / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{directory} must hold a report. Received: {error}. Name the directory of a run, or "
            "the --output-dir of tfaigc evaluate."
        ) from error
    return dict(content)
