"""Production files for exported models: what TensorFlow Serving, a proxy and monitors read."""

from tfaigc.deployment.files import deployment_files
from tfaigc.deployment.settings import Batching, Deployment, ServedModel
from tfaigc.deployment.writing import refuse_what_is_there, write_files

__all__ = [
    "Batching",
    "Deployment",
    "ServedModel",
    "deployment_files",
    "refuse_what_is_there",
    "write_files",
]
