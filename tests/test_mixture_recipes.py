"""Tables 8 and 9 of the paper: what a mixture recipe adds to the recipes it mixes."""

from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).parent.parent / "configs/pmg"
VIDEOS = "vit-b_hmdb51-videos_aug"
MIXTURE = f"{VIDEOS}_pass-shaders1k"


def load(name):
    return Config.fromfile(ROOT / f"{name}.py", import_custom_modules=False).to_dict()


def test_videos_and_images_are_treated_as_in_their_own_recipes():
    mixture, videos, images = load(MIXTURE), load(VIDEOS), load("vit-b_shaders1k")
    parts = mixture["train_dataloader"]["dataset"].pop("parts")
    own = videos["train_dataloader"].pop("dataset")
    assert {**parts["videos"], "hint": None} == {**own, "hint": None}
    assert parts["videos"]["pipeline"]["motion"] == dict(type="PMGAug", prob=1 / 3, deferred="auto")
    pipeline = images["train_dataloader"]["dataset"]["pipeline"]
    assert list(parts["images"]["pipeline"].items()) == list(pipeline.items())
    assert mixture["train_dataloader"].pop("dataset") == dict(type="MixedDatasets")
    assert mixture == videos, "model, schedule and all else are those of the videos' recipe"


@pytest.mark.parametrize(
    ("name", "roots"),
    [
        (MIXTURE, ["data/PASS_dataset", "data/shaders1k"]),
        (f"{VIDEOS}_pass", ["data/PASS_dataset"]),
        (f"{VIDEOS}_shaders1k", ["data/shaders1k"]),
    ],
)
def test_the_images_are_10_000_of_each_source(name, roots):
    """Table 9: "we randomly sampled 10k images"; every one comes once an epoch."""
    dataset = load(name)["train_dataloader"]["dataset"]
    assert "weights" not in dataset and "num_samples" not in dataset
    images = dataset["parts"]["images"]["images"]
    sources = {key: one for key, one in images["sources"].items() if one is not None}
    assert [source["root"] for source in sources.values()] == roots
    assert images["num_images"] == 10_000 * len(roots)
    assert {images["weights"][key] for key in sources} == {1}
    assert "subset" not in images, "a random draw is the default of MixedImages"
