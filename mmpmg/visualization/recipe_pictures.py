"""What ``tools/visualize.py`` does after reading its options: a recipe in, pictures out.

The one file of this package that builds things from a recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint

from mmpmg.datasets import ImageToPseudoVideo, SampleSeedSampler
from mmpmg.datasets.image_decoding import read_image
from mmpmg.datasets.transforms.pmg import PMGAug, PMGPipeline
from mmpmg.models.checkpoint_fit import check_file
from mmpmg.models.pretrainers.masked_video import MaskedVideoPretrainer
from mmpmg.motion import MotionSampler
from mmpmg.synthesis import shader_image

from .clip_pictures import AnnotatedClip, annotated_animation, annotated_sheet
from .contact_sheet import contact_sheet
from .families import family_clips, family_sheet
from .gallery import gallery_sheet, square
from .labels import Picture
from .model_pictures import (
    draw_masks,
    mixed_clips,
    mixing_labels,
    mixing_shares,
)
from .model_reconstructions import reconstruct_at_ratios
from .reconstruction_picture import reconstruction_picture
from .training_samples import (
    TrainingSample,
    isolated_randomness,
    private_copy,
    read_samples,
    spread_indices,
)
from .writers import write

FORMATS = ("png", "jpg", "gif", "mp4")
FAMILY_SIDE = 224
FAMILY_SHADERS = (25, 1)
"""Programs whose images show well what each motion does: unlike parts, and no symmetry."""


@dataclass(frozen=True)
class PictureOptions:
    """What to draw of a recipe.

    Attributes:
        num_clips: Clips, spread evenly over the training set, at least 1.
        formats: Of "png" and "jpg" (contact sheet), "gif" and "mp4" (animation).
        mask: Draw the recipe's own masks.
        flow: Draw the exact flow of pseudo-motion clips.
        families: Draw all families on one image.
        image: File of the image for ``families``; None, or smaller than 224 pixels: the first of
            the recipe's source, and where that is as small, a shader image of our own.
        ops: Motions that take the place of the recipe's, by type name; empty: the recipe's.
        gallery: So many images of the source beside the frames that become of them; 0: none.
            With ``families`` or ``gallery`` clips are drawn only where masks, flow or a checkpoint
            are asked for too.
        statistics: Of reconstructions, "visible" or "truth".
        mask_ratios: Of reconstructions, each in (0, 1); none: the recipe's.
        losses: Draw the loss of each patch beside reconstructions.
        seed: Of the run that is looked into; None: the recipe's ``randomness.seed``.
        columns: Frames of each clip on a sheet, at least 1.
        fps: Speed of animations, in frames per second.
    """

    num_clips: int = 4
    formats: Sequence[str] = ("png", "gif")
    mask: bool = False
    flow: bool = False
    families: bool = False
    image: str | None = None
    ops: Sequence[str] = ()
    gallery: int = 0
    statistics: str = "visible"
    mask_ratios: Sequence[float] = ()
    losses: bool = True
    seed: int | None = None
    columns: int = 8
    fps: float = 8.0


def draw_recipe(
    config: Config, out: str | Path, options: PictureOptions, checkpoint: str | None = None
) -> list[Path]:
    """Draw the training clips of a recipe, and what a checkpoint makes of them.

    Args:
        config: A pre-training recipe; for clips alone, any recipe whose pipeline packs RGB clips.
        out: Folder for the pictures, made where it is missing.
        options: What to draw.
        checkpoint: Of the recipe's model; reconstructions are drawn with it.

    Returns:
        The files written.

    Raises:
        FileNotFoundError: No such checkpoint.
        ValueError: The recipe has no training data or not the model that is asked for.
    """
    unknown = [name for name in options.formats if name not in FORMATS]
    if unknown:
        raise ValueError(f"--format {' '.join(unknown)} is unknown; it is of {', '.join(FORMATS)}")
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise FileNotFoundError(f"no checkpoint at {checkpoint}")
    if config.get("train_dataloader") is None:
        raise ValueError("the recipe has no train_dataloader, so there are no clips to draw")
    init_default_scope(config.get("default_scope") or "mmaction")
    seed = options.seed
    if seed is None:
        seed = (config.get("randomness") or {}).get("seed") or 0
    only_others = bool(options.families or options.gallery)
    with isolated_randomness(seed):
        dataset = DATASETS.build(config.train_dataloader.dataset)
        files: list[Path] = []
        if not only_others or options.mask or options.flow or checkpoint is not None:
            files += _draw_samples(config, dataset, seed, Path(out), options, checkpoint)
        if options.gallery:
            files += [_draw_gallery(config, dataset, seed, Path(out), options)]
        if options.families:
            files += _draw_families(dataset, seed, Path(out), options)
    return files


def _draw_samples(
    config: Config,
    dataset: Any,
    seed: int,
    out: Path,
    options: PictureOptions,
    checkpoint: str | None,
) -> list[Path]:
    """Draw training clips: as they are, mixed, and reconstructed."""
    blending = (config.model.get("data_preprocessor") or {}).get("blending")
    indices = spread_indices(len(dataset), options.num_clips)
    samples = read_samples(dataset, indices, seed, _replacing_ops(options.ops))
    model = None
    if options.mask or checkpoint is not None or blending is not None:
        model = pretrainer(config, checkpoint, wanted=options.mask or checkpoint is not None)
    files = _draw_clips(samples, model, out, options, blending is not None)
    if model is not None and blending is not None:
        sheet = contact_sheet(
            mixed_clips(model, samples),
            mixing_labels(samples, mixing_shares(model, samples)),
            options.columns,
            f"The same clips after {blending.type}, as the model trains on them",
            cell_height(samples[0].clip),
        )
        files += [write(out / "clips_mixed.png", sheet)]
    if checkpoint is not None and model is not None:
        sheet = reconstruction_picture(
            reconstruct_at_ratios(model, samples, options.mask_ratios),
            options.statistics,
            options.columns,
            f"Training clips reconstructed by {Path(checkpoint).name}",
            cell_height(samples[0].clip),
            options.losses,
        )
        files += [write(out / f"reconstructions_{options.statistics}.png", sheet)]
    return files


def _replacing_ops(names: Sequence[str]) -> Callable[[Any], None] | None:
    """Return what gives the recipe's PMG transforms other motions."""
    if not names:
        return None
    sampler = MotionSampler(list(names))  # raises on an unknown name, before anything is read

    def replace(transform: Any) -> None:
        if isinstance(transform, (PMGPipeline, PMGAug)):
            transform.sampler = sampler

    return replace


def pretrainer(config: Config, checkpoint: str | None, wanted: bool) -> Any:
    """Build the recipe's pretrainer, with weights where there is a checkpoint.

    Args:
        config: A recipe.
        checkpoint: Of its whole model, decoder included; None: fresh weights.
        wanted: Refuse another kind of model, instead of returning None.

    Returns:
        The pretrainer, or None.

    Raises:
        ValueError: Another kind of model, or a checkpoint that does not fit.
    """
    if config.model.type != "MaskedVideoPretrainer":
        if wanted:
            raise ValueError(
                f"the recipe's model is {config.model.type}, which masks and reconstructs nothing; "
                "take a recipe of configs/pmg, or drop --mask and --checkpoint"
            )
        return None
    model = MODELS.build(config.model)
    if checkpoint is not None:
        # Whole, or an encoder without its decoder would draw noise and look like a bad model.
        check_file(model, checkpoint, whole=True)
        load_checkpoint(model, checkpoint, map_location="cpu", strict=True)
    return model


def cell_height(clip: Picture) -> int:
    """Show small frames enlarged by a whole factor, so that every pixel is as large as another."""
    height = int(clip.shape[1])
    return height * max(1, round(128 / height))


def _draw_clips(
    samples: Sequence[TrainingSample],
    model: MaskedVideoPretrainer | None,
    out: Path,
    options: PictureOptions,
    mixes: bool,
) -> list[Path]:
    masks: Sequence[Any] = [None] * len(samples)
    token_shape = None
    if options.mask and model is not None:
        masks, token_shape = draw_masks(model, samples), model.backbone.token_shape
    clips = [
        AnnotatedClip(
            sample.clip, sample.family, mask, token_shape, sample.motion if options.flow else None
        )
        for sample, mask in zip(samples, masks, strict=True)
    ]
    files = []
    height = cell_height(samples[0].clip)
    for name in options.formats:
        if name in ("png", "jpg"):
            title = "Training clips" + (", before mixing" if mixes else "")
            picture = annotated_sheet(clips, options.columns, title, height)
        else:
            picture = annotated_animation(clips, height)
        files.append(write(out / f"clips.{name}", picture, options.fps))
    return files


def _draw_gallery(
    config: Config, dataset: Any, seed: int, out: Path, options: PictureOptions
) -> Path:
    """Draw images of the recipe's source beside the clips that it trains on."""
    if not isinstance(dataset, ImageToPseudoVideo):
        raise ValueError(
            f"--gallery draws the images of an ImageToPseudoVideo; the recipe's data set is a "
            f"{type(dataset).__name__}"
        )
    indices = spread_indices(len(dataset), options.gallery)
    samples = read_samples(dataset, indices, seed, _replacing_ops(options.ops))
    bare = private_copy(dataset)
    bare.pipeline.transforms.clear()
    SampleSeedSampler(bare, shuffle=False, seed=seed)  # a bad image is replaced by the same other
    stills = [bare[index]["imgs"][0] for index in indices]
    title = f"{type(dataset.source).__name__}, {Path(config.filename or 'recipe').name}"
    sheet = gallery_sheet(stills, [sample.clip for sample in samples], title)
    return write(out / "gallery.jpg", sheet)


def _draw_families(dataset: Any, seed: int, out: Path, options: PictureOptions) -> list[Path]:
    """Draw the families on the named image or the source's first, else on one of our own."""
    source = getattr(dataset, "source", None)
    images: list[Picture] = []
    for number, shader in enumerate(FAMILY_SHADERS):
        if number == 0 and options.image is not None:
            image = read_image(options.image)
        elif source is not None and len(source) > number:
            image = source.load(number)
        else:
            image = shader_image(0, shader, 0, FAMILY_SIDE)
        if min(image.shape[:2]) < FAMILY_SIDE:  # enlarged, it would look blurred from the start
            image = shader_image(0, shader, 0, FAMILY_SIDE)
        images.append(square(image, FAMILY_SIDE))
    moved = family_clips(images[0], images[1], seed=seed)
    files = []
    for name in options.formats:
        if name in ("png", "jpg"):
            picture = family_sheet(moved, options.columns)
        else:
            clips = [AnnotatedClip(clip, motion.family) for motion, clip in moved]
            picture = annotated_animation(clips, 112)
        files.append(write(out / f"families.{name}", picture, options.fps))
    return files
