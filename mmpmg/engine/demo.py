"""The demo: from nothing to an encoder in a Recognizer3D, in minutes and without a download."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, find_latest_checkpoint, load_state_dict

from mmpmg import typed
from mmpmg.engine.launch import build_runner
from mmpmg.visualization.recipe_pictures import PictureOptions, draw_recipe

GUESS = 1.0
"""The loss of predicting every patch's own mean: normalised pixels have variance 1."""


class DemoError(RuntimeError):
    """The demo did not show what it should."""


@HOOKS.register_module()
class LossCurveHook(Hook):
    """Prints progress with an ETA and keeps the loss of every iteration.

    Args:
        seconds: Time between two lines, > 0.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        if seconds <= 0:
            raise ValueError(f"LossCurveHook.seconds={seconds}: must be > 0")
        self.seconds = seconds
        self.losses: list[float] = []

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self.start = self.spoken = time.monotonic()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Keep the loss, and speak when it is time."""
        self.losses.append(outputs["loss"].item())
        done, total, now = runner.iter + 1, runner.max_iters, time.monotonic()
        if now - self.spoken < self.seconds and done < total:
            return
        self.spoken = now
        left = (now - self.start) / done * (total - done)
        clips = done * len(data_batch["inputs"]) / (now - self.start)
        recent = self.losses[-10:]
        print(
            f"  step {done:4d} of {total}   loss {sum(recent) / len(recent):.3f}   "
            f"{clips:5.1f} clips/s   {int(left) // 60}:{int(left) % 60:02d} left",
            flush=True,
        )


def run_demo(recipe: str, finetune_recipe: str, out: str | Path) -> None:
    """Pre-train, check, draw, export, load.

    Args:
        recipe: A small pre-training recipe.
        finetune_recipe: A recognition recipe with the same encoder.
        out: Folder for everything that is made.

    Raises:
        DemoError: The loss did not fall below what guessing scores, or the encoder did not load.
    """
    out = Path(out)
    start = time.monotonic()
    config = Config.fromfile(recipe)
    config.work_dir, config.launcher = str(out), "none"
    config.log_level = "ERROR"  # MMEngine warns of its own deprecated parts
    init_default_scope(config.default_scope)

    print("1/4  Pseudo-motion clips from images that are made on the spot", flush=True)
    clips = PictureOptions(num_clips=4, formats=("gif", "png"), mask=True)
    pictures = draw_recipe(config, out / "clips", clips)

    print("2/4  Pre-training: hide 75 % of every clip, predict it from the rest", flush=True)
    curve = LossCurveHook()
    runner = build_runner(config)
    runner.register_hook(curve)
    runner.train()
    check_loss(curve.losses)
    last = sum(curve.losses[-10:]) / 10
    print(f"     loss {curve.losses[0]:.3f} -> {last:.3f} (guessing each patch's mean: {GUESS})")

    print("3/4  Reconstructions", flush=True)
    checkpoint = find_latest_checkpoint(str(out))
    options = PictureOptions(num_clips=3, formats=())
    pictures += draw_recipe(config, out / "reconstructions", options, checkpoint)

    print(
        "     after so few steps expect colours and shades, not detail; each picture compares its\n"
        "     loss with that of flat patches",
        flush=True,
    )

    print("4/4  The encoder in a Recognizer3D", flush=True)
    encoder = out / "encoder.pth"
    scores = load_into_recognizer(finetune_recipe, encoder)
    print(f"     all of its weights loaded; it scores {scores.shape[1]} classes, untrained as yet")

    minutes = (time.monotonic() - start) / 60
    print(f"\nDone in {minutes:.1f} minutes. Look at:")
    for path in pictures:
        print(f"  {path}")
    full, toy = typed.recipe("pmg/vit-b_generated.py"), typed.recipe("pmg/vit-toy_generated.py")
    commands = {
        f"{typed.tool('visualize.py')} {full} --flow": "clips at full size",
        f"{typed.tool('train.py')} {toy}": "longer, with clips mixed",
        f"{typed.tool('dist_train.sh')} {full} 8": "the real size, on GPUs",
    }
    wide = max(map(len, commands))
    print(f"The encoder is {encoder}. What to type next:")
    if Path(".venv/bin/activate").is_file():
        print("  source .venv/bin/activate")
    for command, purpose in commands.items():
        print(f"  {command:{wide}}   # {purpose}")
    print("The README goes on with your own images, and with fine-tuning on your own videos.")


def check_loss(losses: list[float]) -> None:
    """Fail loudly unless the model learned something.

    Args:
        losses: Loss of every iteration, at least 20.

    Raises:
        DemoError: The last ten are, on average, not below the first ten and below ``GUESS``.
    """
    first, last = sum(losses[:10]) / 10, sum(losses[-10:]) / 10
    if len(losses) < 20 or not last < min(first, 0.99 * GUESS):
        raise DemoError(
            f"after {len(losses)} steps the loss is {last:.3f}; it began at {first:.3f}, and "
            f"{GUESS} is what guessing every patch's mean scores. Nothing was learned: please "
            "report this with the output of: python -m mmengine.utils.dl_utils.collect_env"
        )


def load_into_recognizer(recipe: str, encoder: str | Path) -> torch.Tensor:
    """Build the recipe's recognizer on an encoder file and classify one random clip.

    Args:
        recipe: A recognition recipe.
        encoder: What ``EncoderExportHook`` or ``tools/export_encoder.py`` wrote.

    Returns:
        (1, classes) scores.

    Raises:
        DemoError: A weight of the encoder is missing or left over.
    """
    config = Config.fromfile(recipe)
    model = MODELS.build(config.model)
    model.init_weights()
    state = torch.load(encoder, map_location="cpu", weights_only=True)["state_dict"]
    inside = {key.removeprefix("backbone."): value for key, value in state.items()}
    try:
        load_state_dict(model.backbone, inside, strict=True)
    except RuntimeError as error:
        raise DemoError(f"{encoder} does not fit the encoder of {recipe}: {error}") from error
    backbone = config.model.backbone
    clip = torch.rand(1, 1, 3, backbone.num_frames, backbone.img_size, backbone.img_size)
    with torch.no_grad():
        features, _ = model.eval().extract_feat(clip)
        return model.cls_head(features)
