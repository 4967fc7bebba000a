"""A server as people write it: FastAPI in front of a pipeline of `transformers`.

Run as `python fastapi_pipeline.py MODEL_DIRECTORY`; it takes the requests of TensorFlow Serving,
and prints its address when it listens.
"""

import socket
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline


class Question(BaseModel):
    """The body of a request."""

    instances: list[str]


def make_app(directory: str) -> FastAPI:
    """Loads the model behind one route."""
    classify = pipeline("text-classification", model=directory)
    app = FastAPI()

    @app.post("/v1/models/reviews:predict")
    def predict(question: Question) -> dict:
        return {"predictions": classify(question.instances, truncation=True, max_length=128)}

    return app


def main() -> None:
    """Serves until it is ended."""
    app = make_app(sys.argv[1])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1/", flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        server.run([listener])


if __name__ == "__main__":
    main()
