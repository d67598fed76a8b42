"""Do published weights fill the model of the recipe that they are published under?"""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from mmpmg.evaluation.zoo.model_size import model_of_shapes
from mmpmg.evaluation.zoo.records import RECORDS, Published, is_url
from mmpmg.models.checkpoint_fit import check_fit, state_of
from mmpmg.models.weight_files import read_checkpoint


def weights_problem(root: Path, published: Published) -> str | None:
    """Compare the shapes of the files in the repository with the recipe's model.

    ``get_model(..., pretrained=True)`` would load them with a warning and go on with random
    weights in place of those that do not fit. Of a recognizer every weight must be there, of a
    pre-training those of the encoder at least.

    Args:
        root: Of the repository.
        published: A record; files with a URL are not fetched.

    Returns:
        A sentence; None where all fit.
    """
    files = [file.where for file in published.files if not is_url(file.where)]
    if not files:
        return None
    recipe = f"configs/{published.recipe}.py"
    config = Config.fromfile(str(root / recipe), import_custom_modules=False)
    model = model_of_shapes(config)
    for where in files:
        try:
            state = state_of(read_checkpoint(root / where), where)
            check_fit(model, state, where, whole="cls_head" in config.model)
        except ValueError as error:
            fault = str(error).partition("; ")[0].replace(f"{root}/", "")
            return (
                f"{RECORDS}: {where} is published under {published.recipe}, whose model it does "
                f"not fill: {fault}; name the recipe that trained it, or put what was changed on "
                "its command line into a recipe of its own"
            )
    return None
