"""Class numbers that disagree are named before the first epoch."""

from types import SimpleNamespace

import pytest
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn

from mmpmg.engine.hooks import ClassCountHook
from mmpmg.models.data_preprocessors import MixupOrCutmix


class Videos:
    """As much of a dataset as the hook looks at."""

    ann_file = "lists/some.txt"

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, number):
        return dict(filename=f"{number}.mp4", label=self.labels[number])


def run(classes, train=(0, 1, 2), val=(0, 1, 2), test=(0, 1, 2), blending=None, **options):
    model = nn.Module()
    model.cls_head = SimpleNamespace(num_classes=classes)
    model.data_preprocessor = SimpleNamespace(blending=blending)
    loops = {
        f"_{name}_loop": SimpleNamespace(dataloader=SimpleNamespace(dataset=labels))
        if not isinstance(labels, (tuple, list))
        else SimpleNamespace(dataloader=SimpleNamespace(dataset=Videos(labels)))
        for name, labels in (("train", train), ("val", val), ("test", test))
        if labels is not None
    }
    loops.setdefault("_test_loop", dict(type="TestLoop"))  # a loop that was not built
    runner = SimpleNamespace(model=model, **loops)
    ClassCountHook(**options).before_run(runner)


def test_what_agrees_passes():
    run(3, blending=MixupOrCutmix(3))
    run(3, train=[[0, 1], [2]], val=[0])  # several labels; a validation list may lack classes
    run(3, val=SimpleNamespace(dataset=Videos([0, 1])))  # a wrapper
    run(3, test=None)
    run(3, val=object())  # a dataset without labels of its own is not our business


def test_another_number_in_the_mixing_is_named_with_the_change_that_mends_it():
    with pytest.raises(ValueError, match="must be the same") as error:
        run(3, blending=MixupOrCutmix(4))
    key = "model.data_preprocessor.blending.num_classes"
    for words in ("model.cls_head.num_classes=3", f"{key}=4", f"--cfg-options {key}=3"):
        assert words in str(error.value)


def test_mmaction_s_own_list_of_mixings_is_looked_at_too():
    init_default_scope("mmaction")
    mixings = MODELS.build(
        dict(
            type="RandomBatchAugment",
            augments=[
                dict(type="MixupBlending", num_classes=3),
                dict(type="CutmixBlending", num_classes=5),
            ],
            probs=[0.5, 0.3],
        )
    )
    with pytest.raises(ValueError, match=r"blending\.augments\.1\.num_classes=5"):
        run(3, blending=mixings)


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_label_out_of_range_names_list_video_and_remedy(part):
    labels = {"train": [0, 1, 2], "val": [0, 1, 2]} | {part: [0, 1, 2, 7, 2]}
    with pytest.raises(ValueError, match="has label 7") as error:
        run(3, blending=MixupOrCutmix(3), **labels)
    for words in (
        "lists/some.txt", f"{part}_dataloader.dataset.ann_file", "label 7", "3.mp4", "0 to 2",
        "--cfg-options model.cls_head.num_classes=8 "
        "model.data_preprocessor.blending.num_classes=8",
    ):  # fmt: skip
        assert words in str(error.value)


def test_a_video_without_a_label_is_named():
    with pytest.raises(ValueError, match=r"1 of 4 videos no label, for example 2\.mp4.*path label"):
        run(3, train=[0, 1, -1, 2])


def test_a_class_without_a_training_video_is_an_error_that_can_be_allowed():
    """A number of classes that is too large shows in nothing else."""
    with pytest.raises(ValueError, match="has no video of") as error:
        run(5, train=[0, 2, 2])
    message = str(error.value)
    assert "no video of 3 of the 5 classes" in message and ": 1, 3, 4." in message
    assert "--cfg-options model.cls_head.num_classes=3" in message
    assert "custom_hooks.0.empty_classes=[1,3,4]" in message
    run(5, train=[0, 2, 2], empty_classes=[1, 3, 4])
    with pytest.raises(ValueError, match=r"1 of the 5 classes.*: 1\..*empty_classes=\[1,3,4\]"):
        run(5, train=[0, 2, 2], empty_classes=[3, 4])


def test_a_class_without_videos_between_others_is_no_matter_of_the_number():
    """Labels 0 to 9 without 3: num_classes=10 is what the recipe has already."""
    labels = [k for k in range(10) if k != 3]
    with pytest.raises(ValueError, match="Add videos of 3, which lie.*or renumber") as error:
        run(10, train=labels)
    assert "num_classes=1" not in str(error.value)
    with pytest.raises(ValueError, match=r"renumber.*; then --cfg-options \S+num_classes=10"):
        run(12, train=labels)


def test_a_model_without_a_classifier_is_left_alone():
    runner = SimpleNamespace(model=nn.Module(), _train_loop=None, _val_loop=None, _test_loop=None)
    ClassCountHook().before_run(runner)
