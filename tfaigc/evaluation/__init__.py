"""Metrics, plots and reports about a model's answers."""

from tfaigc.evaluation.answers import AnsweredQuestions, answer_metrics, answer_report
from tfaigc.evaluation.choices import ChosenTexts, choice_report
from tfaigc.evaluation.classification import classification_report
from tfaigc.evaluation.embeddings import (
    match_report,
    neighbour_report,
    pair_report,
    similarity_report,
)
from tfaigc.evaluation.entities import entity_metrics, entity_report
from tfaigc.evaluation.language_models import (
    TokenScores,
    by_kind,
    language_model_report,
    token_metrics,
)
from tfaigc.evaluation.metrics import classification_metrics, metric_title
from tfaigc.evaluation.multi_label import multi_label_report
from tfaigc.evaluation.regression import regression_report
from tfaigc.evaluation.report import Report
from tfaigc.evaluation.sections import Figure, Section, Table, Text
from tfaigc.evaluation.sentences import TaggedSentences
from tfaigc.evaluation.tags import tag_report
from tfaigc.evaluation.written_texts import WrittenTexts, written_metrics, written_report

__all__ = [
    "AnsweredQuestions",
    "ChosenTexts",
    "Figure",
    "Report",
    "Section",
    "Table",
    "TaggedSentences",
    "Text",
    "TokenScores",
    "WrittenTexts",
    "answer_metrics",
    "answer_report",
    "by_kind",
    "choice_report",
    "classification_metrics",
    "classification_report",
    "entity_metrics",
    "entity_report",
    "language_model_report",
    "match_report",
    "metric_title",
    "multi_label_report",
    "neighbour_report",
    "pair_report",
    "regression_report",
    "similarity_report",
    "tag_report",
    "token_metrics",
    "written_metrics",
    "written_report",
]
