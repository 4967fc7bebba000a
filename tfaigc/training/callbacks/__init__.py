"""Callbacks for `fit`; `tfaigc.callbacks` is this package."""

from tfaigc.training.callbacks.checkpoint import Checkpoint
from tfaigc.training.callbacks.early_stopping import EarlyStopping
from tfaigc.training.callbacks.history_log import HistoryLog, read_history
from tfaigc.training.callbacks.interruption import TrainingInterrupted
from tfaigc.training.callbacks.nan_guard import DivergenceError, NaNGuard
from tfaigc.training.callbacks.progress import ProgressLine
from tfaigc.training.callbacks.standard import attach, close, resume, standard, steps_done
from tfaigc.training.callbacks.steps import ResumePoint
from tfaigc.training.callbacks.tensorboard import TensorBoard
from tfaigc.training.callbacks.tracking import MLflow, TrackingLog, WeightsAndBiases, make_tracker

__all__ = [
    "Checkpoint",
    "DivergenceError",
    "EarlyStopping",
    "HistoryLog",
    "MLflow",
    "NaNGuard",
    "ProgressLine",
    "ResumePoint",
    "TensorBoard",
    "TrackingLog",
    "TrainingInterrupted",
    "WeightsAndBiases",
    "attach",
    "close",
    "make_tracker",
    "read_history",
    "resume",
    "standard",
    "steps_done",
]
