import argparse

import pytest
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from torch import nn

from mmpmg.engine.recipe_changes import (
    RecipeChanges,
    check_changes,
    check_names,
    mistyped_keys_named,
)

RECIPE = Config(
    dict(
        model=dict(type="MaskedVideoPretrainer", masker=dict(type="TubeMasker", mask_ratio=0.75)),
        optim_wrapper=dict(type="AutocastOptimWrapper", optimizer=dict(type="AdamW", lr=1e-3)),
        param_scheduler=[dict(type="LinearLR", end=5), dict(type="CosineAnnealingLR", begin=5)],
        default_hooks=dict(logger=dict(type="LoggerHook"), timer=dict(type="IterTimerHook")),
        train_dataloader=dict(batch_size=2, num_workers=0),
    )
)


def parse(action, *changes):
    parser = argparse.ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=action)
    return parser.parse_args(["--cfg-options", *changes]).cfg_options


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope("mmaction")  # runners of other tests may have left another one


def test_values_without_spaces_are_read_as_mmengine_reads_them():
    changes = [
        "a=1", "b=1e-3", "c=true", "d=None", "e=word", "f=1,2", "g=[a,(b,2)]", "h=(3,4)", "i='q'",
        "j=x=y", "k=", "l=[(1, 2), 3]", "m=a, b",
    ]  # fmt: skip
    assert parse(RecipeChanges, *changes) == parse(DictAction, *changes)


def test_a_list_ends_where_it_ends():
    """MMEngine's own IndexError names neither the list nor the way to TensorBoard."""
    recipe = Config(dict(RECIPE.to_dict(), visualizer=dict(vis_backends=[dict(type="Local")])))
    for key in ("visualizer.vis_backends.0.type", "param_scheduler.1.end"):
        check_changes(recipe, {key: 1})
    with pytest.raises(ValueError, match="has 1 entry.*vis_backends.0.type=LocalTensorboardVis"):
        check_changes(recipe, {"visualizer.vis_backends.1.type": "TensorboardVisBackend"})
    with pytest.raises(ValueError, match=r"param_scheduler has 2 entries") as error:
        check_changes(recipe, {"param_scheduler.2.type": "LinearLR"})
    assert "Tensorboard" not in str(error.value)


def test_a_checkpoint_is_called_load_from():
    with pytest.raises(ValueError, match="no 'checkpoint' in the recipe.*load_from=FILE"):
        check_changes(RECIPE, {"checkpoint": "encoder.pth"})


@pytest.mark.parametrize("deeper", [False, True])
def test_a_key_of_the_data_set_that_is_wrapped_is_named(deeper):
    inner = dict(type="VideoDataset", ann_file="list.txt", pipeline=[])
    if deeper:
        inner = dict(type="RepeatDataset", times=2, dataset=inner)
    wrapped = dict(type="WithPMGAug", prob=0.5, ann_file="mine.txt", dataset=inner)
    recipe = Config(dict(train_dataloader=dict(dataset=wrapped)))
    place = "train_dataloader.dataset.dataset" + ".dataset" * deeper
    with (
        pytest.raises(TypeError, match=rf"did you mean {place}\.ann_file\?"),
        mistyped_keys_named(recipe),
    ):
        DATASETS.build(recipe.train_dataloader.dataset)


def test_spaces_inside_a_value_stay():
    assert parse(RecipeChanges, "root=my images/of 2026") == {"root": "my images/of 2026"}
    assert parse(RecipeChanges, "root='my images'") == {"root": "my images"}


def test_a_change_without_a_value_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as end:
        parse(RecipeChanges, "batch_size", "16")
    assert end.value.code == 2
    assert "'batch_size' must be KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes",
    [
        {"optim_wrapper.clip_grad.max_norm": 1.0},
        {"param_scheduler.0.end": 3},
        {"train_dataloader.sampler.type": "DefaultSampler"},
        {"default_hooks.best.type": "CheckpointHook", "default_hooks.best.interval": 3},
        {"default_hooks.timer": None},
        {"load_from": "file"},
        {"experiment_name": "x"},
        {"auto_scale_lr.enable": True},
        {"custom_hooks.0.type": "X"},
    ],
)
def test_changes_that_somebody_reads_pass(changes):
    check_changes(RECIPE, changes)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("modl.masker.mask_ratio", r"modl.*did you mean 'model'"),
        ("optim_wraper.optimizer.lr", r"did you mean 'optim_wrapper'"),
        ("default_hooks.loggr.interval", r"default_hooks.*did you mean 'logger'.*logger, timer"),
    ],
)
def test_changes_that_nobody_would_read_are_refused(key, words):
    with pytest.raises(ValueError, match=words):
        check_changes(RECIPE, {key: 1})


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.masker.mask_rate", r"TubeMasker.*did you mean 'mask_ratio'"),
        ("optim_wrapper.optimizer.lrr", r"AdamW has no option 'lrr'.*weight_decay"),
        ("train_dataloader.num_worker", r"DataLoader.*did you mean 'num_workers'"),
        # The class takes **kwargs and hands them to its parent.
        ("param_scheduler.0.by_epok", r"LinearLR.*did you mean 'by_epoch'.*start_factor"),
    ],
)
def test_a_refused_key_is_named_by_its_place_in_the_recipe(key, words):
    recipe = Config(RECIPE.to_dict())
    recipe.merge_from_dict({key: 1})
    with pytest.raises(TypeError, match=words) as error, mistyped_keys_named(recipe):
        MODELS.build({"type": nn.Module, key.split(".")[-1]: 1})
    assert str(error.value).startswith(key)
    assert str(error.value).endswith(f"Python says: {error.value.__cause__}")


@pytest.mark.parametrize(
    "message",
    [
        "unsupported operand type(s)",
        "f() got an unexpected keyword argument 'not_in_the_recipe'",
        # In the recipe, but where it is welcome: the fault is somebody else's.
        "f() got an unexpected keyword argument 'mask_ratio'",
    ],
)
def test_other_type_errors_stay_as_they_are(message):
    def fails():
        raise TypeError(message)

    with pytest.raises(TypeError) as error, mistyped_keys_named(RECIPE):
        MODELS.build(dict(type=fails))
    assert str(error.value) == message
    assert error.value.__cause__ is None


def test_a_slip_in_training_is_no_mistyped_key():
    recipe = Config(dict(RECIPE.to_dict(), model=dict(type="MaskedVideoPretrainer", speed=1)))

    def hook(pace):
        return pace

    with pytest.raises(TypeError, match=r"hook\(\) got.*'speed'$"), mistyped_keys_named(recipe):
        hook(speed=1)


@pytest.mark.parametrize("key", ["optim_wrapper.paramwise_cfg", "optim_wrapper.constructor",
                                 "param_scheduler.0.convert_to_iter_based",
                                 "train_dataloader.num_batch_per_epoch"])  # fmt: skip
def test_what_the_runner_takes_out_itself_is_no_mistyped_key(key):
    """Then a part of somebody's own, built beside it, has refused a name of its own."""
    recipe = Config(RECIPE.to_dict())
    recipe.merge_from_dict({key: 1})
    with pytest.raises(TypeError, match=r"__init__\(\) got an"), mistyped_keys_named(recipe):
        MODELS.build({"type": nn.Module, key.split(".")[-1]: 1})


@pytest.mark.parametrize("name", ["optim_wraper", "custom_hook", "train_dataloaders"])
def test_a_name_that_is_almost_one_of_the_runner_s_is_refused(name):
    with pytest.raises(ValueError, match=rf"{name}.*did you mean"):
        check_names({"model": {}, "custom_hooks": [], name: {}})


def test_variables_of_mmaction2_s_own_recipes_are_let_through():
    names = ["dataset_type", "data_root", "ann_file_train", "train_pipeline", "file_client_args"]
    check_names({"model": {}, "train_dataloader": {}, **dict.fromkeys(names)})


def test_a_mistyped_type_is_named_with_its_place_and_its_neighbour():
    recipe = Config(dict(model=dict(type="MaskedVideoPretrainer", masker=dict(type="TubeMaskr"))))
    with (
        pytest.raises(ValueError, match=r"model\.masker\.type .*'TubeMaskr'.*'TubeMasker'"),
        mistyped_keys_named(recipe),
    ):
        MODELS.build(recipe.model.masker)
    with pytest.raises(KeyError, match="mine"), mistyped_keys_named(recipe):
        raise KeyError("mine")


@pytest.mark.parametrize(
    ("imports", "named"),
    [(None, "nothing"), (dict(imports="mmpmg"), "mmpmg"),
     (dict(imports=["mmpmg", "others"]), "mmpmg, others")],
)  # fmt: skip
def test_a_part_of_one_s_own_that_is_not_imported_is_told_how(imports, named):
    model = dict(type="MaskedVideoPretrainer", masker=dict(type="BlockTubeMasker"))
    recipe = Config(dict(model=model, **({"custom_imports": imports} if imports else {})))
    with pytest.raises(ValueError, match="your own") as error, mistyped_keys_named(recipe):
        MODELS.build(recipe.model.masker)
    assert f"registered in a module that custom_imports names, and that names {named}" in str(
        error.value
    )
    assert str(error.value).endswith(f"names {named}")


def test_an_option_of_the_training_set_at_the_top_is_sent_back():
    recipe = dict(
        train_dataloader=dict(dataset=dict(images=dict(type="FolderImages"))),
        images=dict(type="ArchiveImages"),
    )
    with pytest.raises(ValueError, match=r"'images' at the top .*dataset=dict\(images="):
        check_names(recipe)


def test_a_function_that_builds_is_asked_for_its_options_too():
    aug = dict(type="WithPMGAug", prob=0.3, deferred=True, dataset=dict(type="VideoDataset"))
    recipe = Config(dict(train_dataloader=dict(dataset=aug)))
    with (
        pytest.raises(
            TypeError,
            match=r"^train_dataloader\.dataset\.deferred .*WithPMGAug .*dataset, mode, ops, prob",
        ),
        mistyped_keys_named(recipe),
    ):
        DATASETS.build(recipe.train_dataloader.dataset)
