"""What a run leaves of its recipe has the recipe's order, not the alphabet's."""

import copy
import pickle

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS, MODELS
from mmengine.runner import FlexibleRunner, Runner

from mmpmg.engine.launch import build_runner
from mmpmg.engine.ordered_config import OrderedConfig

RECIPE = dict(
    pipeline=dict(seed=dict(type="Seed"), open=dict(type="Open"), decode=None, a=dict(k=(1, {}))),
    branches=dict(z=dict(y=1, x="it's <b>"), a=dict(b=[dict(d=1, c=dict(f=1, e=None))])),
    names={"b.c": dict(d=1, a=2), "a": ({"2": 1, "1": 2},)},
    numbers={2: "two", 1: dict(b=1, a=2)},
)


def ordered(node):
    """Turn dicts into pairs, which are equal only in one order."""
    if isinstance(node, dict):
        return [(key, ordered(value)) for key, value in node.items()]
    return [ordered(item) for item in node] if isinstance(node, (list, tuple)) else node


@pytest.mark.parametrize("kind", [lambda config: config, copy.deepcopy, copy.copy,
                                  lambda config: pickle.loads(pickle.dumps(config))])  # fmt: skip
def test_the_text_gives_the_same_config_in_the_same_order(kind):
    config = Config(RECIPE)
    text = kind(OrderedConfig.of(config)).pretty_text
    back = Config.fromstring(text, ".py")
    assert back.to_dict() == RECIPE and "ordered" not in text
    for key in ("pipeline", "branches", "names"):
        assert ordered(back[key]) == ordered(RECIPE[key])
    assert ordered(Config.fromstring(config.pretty_text, ".py").pipeline) != ordered(
        RECIPE["pipeline"]
    ), "MMEngine keeps the order itself: ordered_config.py can go"


def test_more_steps_than_ten_keep_their_order():
    steps = {f"step{number}": dict(type="Step") for number in range(120, 0, -1)}
    back = Config.fromstring(OrderedConfig.of(Config(dict(pipeline=steps))).pretty_text, ".py")
    assert list(back.pipeline) == list(steps)


@HOOKS.register_module()
class Noted(Hook):
    """A hook of which only the name counts."""


@MODELS.register_module()
class NotedModel(BaseModel):
    """A model that is never run."""

    def forward(self, inputs, data_samples=None, mode="tensor"):
        raise NotImplementedError


@pytest.mark.parametrize("kind", [Runner, FlexibleRunner])
def test_the_work_dir_the_log_and_checkpoints_hold_the_order(tmp_path, kind):
    recipe = tmp_path / "recipe.py"
    recipe.write_text("model = dict(type='NotedModel')\n")
    config = Config.fromfile(recipe)
    config.merge_from_dict(
        dict(
            work_dir=str(tmp_path / "run"), launcher="none", env_cfg={},
            experiment_name=f"ordered {kind.__name__}", runner_type=kind.__name__,
            visualizer=dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")],
                            name=f"ordered {kind.__name__}"),
            default_hooks=dict(z_noted=dict(type="Noted"), a_noted=dict(type="Noted")),
        )
    )  # fmt: skip
    runner = build_runner(config)
    assert type(runner) is kind and isinstance(runner.model, NotedModel)
    written = [tmp_path / "run/recipe.py", *tmp_path.glob("run/*/vis_data/config.py")]
    assert len(written) == 2
    for path in written:
        assert list(Config.fromfile(path).default_hooks) == ["z_noted", "a_noted"]
    (log,) = tmp_path.glob("run/*/*.log")
    for text in (log.read_text(), runner.cfg.pretty_text):  # the latter goes into checkpoints
        assert 0 < text.index("z_noted=") < text.index("a_noted=")
