"""PMG, supplement, Tables 1 and 2, typed in from the paper, against every recipe that they set."""

import pytest
from mmengine.registry import init_default_scope
from reference.recipe_rows import (
    approximately,
    built,
    colours,
    ends,
    finetuning_row,
    flips,
    load,
    pretraining_row,
    recognition,
    sampling,
    steps_of,
)

GPUS = 8  # supplement, Sec. B
COLUMNS = ("kinetics400", "ssv2-mini", "other")
CLASSES = dict(  # supplement, Sec. A
    ucf101=101, hmdb51=51, diving48=48, ikeafa=12, kinetics400=400,
) | {"ssv2-mini": 87, "uav-human": 155}  # fmt: skip

TABLE_1 = {
    "learning rate": (1e-3, 1e-3, 1e-3),
    "weight decay": (0.05, 0.05, 0.05),
    "beta 1": (0.9, 0.9, 0.9),
    "beta 2": (0.95, 0.95, 0.95),
    "mask ratio": (0.75, 0.75, 0.75),
    "batch size": (256, 256, 256),
    "warmup epochs": (40, 40, 40),
    "epochs": (800, 2000, 2000),
    "flip augmentation": (True, False, True),
}
TABLE_2 = {
    "learning rate": (1e-3, 1e-3, 1e-3),
    "weight decay": (0.05, 0.05, 0.05),
    "beta 1": (0.9, 0.9, 0.9),
    "beta 2": (0.999, 0.999, 0.999),
    "batch size": (128, 128, 128),
    "warmup epochs": (5, 5, 5),
    "epochs": (50, 100, 100),
    "repeated augmentation": (2, 2, 2),
    "flip augmentation": (True, False, True),
    "RandAug": ((9, 0.5), (9, 0.5), (9, 0.5)),
    "label smoothing": (0.1, 0.1, 0.1),
    "mixup": (0.8, 0.8, 0.8),
    "cutmix": (1.0, 1.0, 1.0),
    "drop path": (0.1, 0.1, 0.2),
    "dropout": (0.0, 0.0, 0.5),
    "layer-wise lr decay": (0.75, 0.75, 0.75),
    "sampling": ("dense", "uniform", "dense"),
}
#: Where Table 2 is silent: VideoMAE's settings, which the paper "mostly" follows (Sec. B).
SILENT = {
    "step of dense sampling": (4, None, 4),
    "views": ((5, 3), (2, 3), (5, 3)),
    "random erasing": (0.25, 0.25, 0.25),
    "operations of RandAug": (4, 4, 4),
    "switch to cutmix": (0.5, 0.5, 0.5),
    "std of the classifier": (2e-5, 2e-5, 2e-5),
}
#: Of both tables: ImageNet's colours; rates that begin at 1e-6 and end at 1e-6 or 1e-5, of 1e-3.
COLOURS = {"colour mean": (123.675, 116.28, 103.53), "colour std": (58.395, 57.12, 57.375)}
SILENT_1 = COLOURS | {"start of warm-up": 1e-3, "end of cosine": 1e-2}
SILENT_2 = COLOURS | {
    "start of warm-up": 1e-3,
    "end of cosine": 1e-3,
    "average of views": "prob",
    "area of crops": (0.08, 1.0),
}


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def column(table, name):
    return {row: values[COLUMNS.index(name)] for row, values in table.items()}


FRAMES = [f"{name}-frames" for name in CLASSES]


@pytest.mark.parametrize("name", [*FRAMES, "shaders1k", "shaders1k_1gpu", "pass", "imagenet"])
def test_pretraining_is_table_1(name):
    own = name.partition("-frames")[0]
    expected = column(TABLE_1, own if own in COLUMNS else "other")
    config = load(f"pmg/vit-b_{name}")
    assert config.model.masker.type == "TubeMasker"
    assert pretraining_row(config, GPUS) == approximately(expected)
    assert ends(config) | colours(config) == approximately(SILENT_1)


@pytest.mark.parametrize("gpus", ["", "_1gpu"])
@pytest.mark.parametrize("name", CLASSES)
def test_finetuning_is_table_2(name, gpus):
    expected = column(TABLE_2 | SILENT, name if name in COLUMNS else "other")
    config = load(f"finetune/vit-b_{name}{gpus}")
    assert finetuning_row(config, GPUS) == approximately(expected)
    assert ends(config) | colours(config) | recognition(config) == approximately(SILENT_2)


@pytest.mark.parametrize("folder", ["finetune", "linear_probe"])
@pytest.mark.parametrize("name", CLASSES)
def test_the_class_count_is_the_data_set_s_wherever_it_stands(name, folder):
    model = load(f"{folder}/vit-b_{name}").model
    assert model.cls_head.num_classes == CLASSES[name]
    blending = model.data_preprocessor.blending
    if folder == "finetune":
        assert blending.num_classes == CLASSES[name]
    else:
        assert blending is None


@pytest.mark.parametrize("folder", ["finetune", "linear_probe"])
@pytest.mark.parametrize("name", CLASSES)
def test_all_three_loaders_read_the_same_data_set(name, folder):
    config = load(f"{folder}/vit-b_{name}")
    place = name.replace("-", "_")
    files = []
    for part in ("train", "val", "test"):
        dataset = config[f"{part}_dataloader"].dataset
        assert dataset.data_prefix == dict(video=f"data/{place}/videos")
        assert dataset.ann_file.startswith(f"data/{place}/{place}_")
        files.append(dataset.ann_file)
    assert "train" in files[0]
    assert files[1] == files[2] != files[0]


@pytest.mark.parametrize("name", CLASSES)
def test_linear_probing_freezes_all_but_a_linear_layer_and_regularises_nothing(name):
    config = load(f"linear_probe/vit-b_{name}")
    model = built(config.model)
    moving = {key for key, value in model.named_parameters() if value.requires_grad}
    assert moving == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert type(model.cls_head).__name__ == "LinearProbeHead" and model.cls_head.dropout is None
    assert model.cls_head.init_std == 0.01  # MAE's
    assert model.cls_head.average_clips == "prob"
    assert config.custom_hooks[1].type == "FeatureStatisticsHook"
    assert model.cls_head.label_smooth_eps == 0
    steps = steps_of(config.train_dataloader)
    assert not {"ClipRandAugment", "RandomErasing"} & set(steps)
    assert flips(config.train_dataloader) == (name != "ssv2-mini")
    own = name if name in COLUMNS else "other"
    assert sampling(config.train_dataloader)[0] == column(TABLE_2, own)["sampling"]
    assert config.optim_wrapper.optimizer == dict(
        type="SGD", lr=0.1 * 128 / 256, momentum=0.9, weight_decay=0.0
    )
    batch = config.train_dataloader.batch_size * GPUS
    assert batch == config.auto_scale_lr.base_batch_size == 128
    assert config.train_dataloader.dataset.num_repeats == 1
