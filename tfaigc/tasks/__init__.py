"""One file per task: its records, head, loss, metrics and answers."""

from tfaigc.tasks.causal_lm import CausalLM
from tfaigc.tasks.image_classifier import ImageClassifier
from tfaigc.tasks.masked_lm import MaskedLM
from tfaigc.tasks.multiple_choice import MultipleChoice
from tfaigc.tasks.question_answerer import QuestionAnswerer
from tfaigc.tasks.seq2seq_lm import Seq2SeqLM
from tfaigc.tasks.task import Task
from tfaigc.tasks.text_classifier import TextClassifier
from tfaigc.tasks.text_embedder import TextEmbedder
from tfaigc.tasks.text_regressor import TextRegressor
from tfaigc.tasks.token_classifier import TokenClassifier

__all__ = [
    "CausalLM",
    "ImageClassifier",
    "MaskedLM",
    "MultipleChoice",
    "QuestionAnswerer",
    "Seq2SeqLM",
    "Task",
    "TextClassifier",
    "TextEmbedder",
    "TextRegressor",
    "TokenClassifier",
]
