"""How options and recipe become what the Runner is given; for whole runs see integration/."""

import argparse
import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner.checkpoint import save_checkpoint
from torch import nn

from mmpmg.engine import training
from mmpmg.engine.launch import default_work_dir
from mmpmg.models.backbones import MaskedSwinTransformer3D, MaskedVisionTransformer
from mmpmg.models.checkpoint_fit import check_fit

ROOT = Path(__file__).parents[2]


class Built(Exception):
    """Carries the config that would have been built."""


@pytest.fixture
def given(monkeypatch, tmp_path):
    def stop(config):
        raise Built(config)

    monkeypatch.setattr(training, "build_runner", stop)

    def run(recipe="pmg/vit-toy_generated", **options):
        settings = dict(
            config=str(ROOT / f"configs/{recipe}.py"), work_dir=str(tmp_path / "run"),
            cfg_options=None, launcher="none", local_rank=0, resume=None, amp=False,
            no_validate=False, auto_scale_lr=False, seed=None, diff_rank_seed=False,
            deterministic=False,
        )  # fmt: skip
        with pytest.raises(Built) as built:
            training.train(argparse.Namespace(**{**settings, **options}))
        return built.value.args[0]

    return run


def test_resume_keeps_load_from_until_there_is_a_checkpoint(given, tmp_path):
    encoder = tmp_path / "encoder.pth"
    save_checkpoint({}, str(encoder))
    options = dict(resume="auto", cfg_options=dict(load_from=str(encoder)))
    first = given("finetune/vit-toy_gestures", **options)
    assert (first.resume, first.load_from) == (False, str(encoder))

    run = tmp_path / "run"
    run.mkdir()
    save_checkpoint({}, str(run / "epoch_1.pth"))
    (run / "last_checkpoint").write_text(str(run / "epoch_1.pth"))
    later = given("finetune/vit-toy_gestures", **options)
    assert (later.resume, later.load_from) == (True, None)


def test_resume_from_a_named_checkpoint(given, tmp_path):
    file = tmp_path / "epoch_7.pth"
    save_checkpoint({}, str(file))
    config = given(resume=str(file))
    assert (config.resume, config.load_from) == (True, str(file))


@pytest.mark.parametrize(("counts", "batch", "ratio"), [(1, 64, 2.0), (8, 4, 1.0), (4, 32, 4.0)])
def test_auto_scale_lr_counts_accumulation_and_scales_the_floor(given, counts, batch, ratio):
    """The recipe: lr 1e-3 and a floor of 1e-5 for 32 samples a step."""
    changes = {
        "optim_wrapper.accumulative_counts": counts,
        "train_dataloader.batch_size": batch,
    }
    config = given(auto_scale_lr=True, cfg_options=changes)
    assert config.optim_wrapper.optimizer.lr == pytest.approx(1e-3 * ratio)
    assert config.param_scheduler[1].eta_min == pytest.approx(1e-5 * ratio)
    assert not config.auto_scale_lr.enable, "MMEngine must not scale once more"


def test_processes_count_too(given, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "8")
    config = given("pmg/vit-b_shaders1k", auto_scale_lr=True, launcher="pytorch")
    assert config.optim_wrapper.optimizer.lr == pytest.approx(1e-3)  # 8 x 32 = 256


def test_seed_and_amp(given):
    assert given().randomness.seed == 0
    assert given(seed=3, diff_rank_seed=True).randomness == dict(seed=3, diff_rank_seed=True)
    assert given(amp=True).optim_wrapper.type == "AutocastOptimWrapper"


def test_no_workers_need_not_persist(given):
    assert given().train_dataloader.persistent_workers
    config = given(cfg_options={"train_dataloader.num_workers": 0})
    assert not config.train_dataloader.persistent_workers


def test_recipes_of_one_name_have_work_dirs_of_their_own(given):
    recipes = ["pmg/vit-b_shaders1k", "finetune/vit-b_ucf101", "linear_probe/vit-b_ucf101"]
    assert [given(one, work_dir=None).work_dir for one in recipes] == [
        f"work_dirs/{one}" for one in recipes
    ]


@pytest.mark.parametrize(
    ("recipe", "folder"),
    [
        ("my_recipe.py", "my_recipe"),
        ("configs/mine.py", "mine"),
        ("/configs/clone/configs/pmg/vit-b_v1.5.py", "pmg/vit-b_v1.5"),
        ("/home/me/my.py", "my"),
    ],
)
def test_a_work_dir_is_named_after_the_recipe_under_configs(recipe, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert default_work_dir(Path(recipe)) == Path("work_dirs") / folder


def test_options_of_compile_turn_it_on(given):
    assert given().compile is False
    assert given(cfg_options={"compile.mode": "default"}).compile == dict(mode="default")


class Recognizer(torch.nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.backbone = MaskedVisionTransformer(
            img_size=32, num_frames=4, embed_dims=12, depth=depth, num_heads=2
        )
        self.cls_head = torch.nn.Linear(12, 3)


@pytest.mark.parametrize(("file", "model"), [(2, 4), (4, 2)])
def test_an_encoder_of_another_depth_is_refused(file, model):
    state = {k: v for k, v in Recognizer(file).state_dict().items() if "cls_head" not in k}
    with pytest.raises(ValueError, match=r"(missing|left over).*depth"):
        check_fit(Recognizer(model), state, "encoder.pth")


def test_testing_wants_the_classifier_as_well():
    state = Recognizer(2).state_dict()
    check_fit(Recognizer(2), state, "epoch_1.pth", whole=True)
    for key in [key for key in state if key.startswith("cls_head.")]:
        del state[key]
    check_fit(Recognizer(2), state, "encoder.pth")
    with pytest.raises(ValueError, match=r"without a classifier: fine-tune it first.*cls_head"):
        check_fit(Recognizer(2), state, "encoder.pth", whole=True)


def test_a_run_without_a_batch_says_which_numbers_do_not_fit():
    class Loader(list):
        dataset = range(12)

    class Loop:
        dataloader = Loader()

    class Runner:
        train_loop, world_size = Loop(), 2

    config = training.Config(dict(train_dataloader=dict(batch_size=32)))
    with pytest.raises(ValueError, match=r"12 samples over 2 processes.*batch_size=32.*drop_last"):
        training._check_length(Runner(), config)


@pytest.mark.parametrize(
    ("epochs", "advice"),
    [
        (1, "param_scheduler=None"),
        (2, "param_scheduler=None"),
        (3, "param_scheduler.0.end=2 param_scheduler.1.begin=2"),
        (40, "param_scheduler.0.end=4 param_scheduler.1.begin=4"),
    ],
)
def test_the_advice_for_a_run_shorter_than_its_warm_up_mends_it(epochs, advice):
    class Loader(list):
        dataset = range(12)

    class Loop:
        dataloader, max_epochs = Loader([0]), epochs

    class Runner:
        train_loop = Loop()
        param_schedulers = (
            dict(type="LinearLR", begin=0, end=40),
            dict(type="CosineAnnealingLR", begin=40),
        )

    config = training.Config()
    with pytest.raises(ValueError, match=f"has {epochs} epochs.*--cfg-options {advice}$") as error:
        training._check_length(Runner(), config)
    changes = training.Config(dict(param_scheduler=[dict(p) for p in Runner.param_schedulers]))
    for change in str(error.value).rpartition("--cfg-options ")[2].split():
        key, _, value = change.partition("=")
        changes.merge_from_dict({key: None if value == "None" else int(value)})
    schedulers = changes.param_scheduler
    Runner.param_schedulers = None if schedulers is None else [dict(one) for one in schedulers]
    training._check_length(Runner(), config)


def test_a_resumed_run_asks_for_no_image_weights(given, monkeypatch, tmp_path):
    file = tmp_path / "epoch_1.pth"
    save_checkpoint({}, str(file))
    backbone = MaskedSwinTransformer3D(
        arch=dict(embed_dims=12, depths=(1, 1), num_heads=(1, 2)), img_size=16, num_frames=2,
        window_size=(1, 2, 2), out_indices=(1,),
        init_cfg=dict(type="InflatedSwin", checkpoint=str(tmp_path / "gone.pth")),
    )  # fmt: skip
    with pytest.raises(FileNotFoundError, match="gone"):
        copy.deepcopy(backbone).init_weights()
    model = nn.Module()
    model.backbone, checked = backbone, []
    monkeypatch.setattr(training, "check_resumed", lambda runner, file: checked.append(file))
    monkeypatch.setattr(
        training, "build_runner", lambda config: SimpleNamespace(model=model, work_dir=tmp_path)
    )

    def begins(runner, config):
        runner.model.backbone.init_weights()  # as MMEngine does before it loads the checkpoint
        raise Built(config)

    monkeypatch.setattr(training, "_check_length", begins)
    given(resume=str(file))
    assert checked == [str(file)], "every weight is known to be there"
