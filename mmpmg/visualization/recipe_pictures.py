"""What ``tools/visualize.py`` does after reading its options: a recipe in, pictures out.

Data sets are built here, models by :mod:`.recipe_models`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmpmg.datasets import ImageToPseudoVideo, SampleSeedSampler
from mmpmg.datasets.image_decoding import read_image
from mmpmg.datasets.transforms.pmg import PMGAug, PMGPipeline
from mmpmg.models.pretrainers.pretrainer import Pretrainer
from mmpmg.motion import MotionSampler
from mmpmg.synthesis import shader_image

from .clip_pictures import AnnotatedClip, annotated_animation, annotated_sheet
from .contact_sheet import contact_sheet
from .families import family_clips, family_sheet
from .gallery import gallery_sheet, square
from .guided_masks import DENSE, guided_clips, masking_told
from .guided_sheet import guided_sheet, guided_summary
from .labels import Picture
from .model_pictures import (
    draw_masks,
    mixed_clips,
    mixing_labels,
    mixing_shares,
)
from .model_reconstructions import reconstruct_at_ratios
from .picture_options import FORMATS, PictureOptions, check_folder
from .recipe_models import is_tokenizer, recipe_model
from .reconstruction_picture import reconstruction_picture
from .tokenizer_picture import tokenizer_picture
from .training_samples import (
    TrainingSample,
    isolated_randomness,
    private_copy,
    read_samples,
    spread_indices,
)
from .writers import write

FAMILY_SIDE = 224
FAMILY_SHADERS = (25, 1)
"""Programs whose images show well what each motion does: unlike parts, and no symmetry."""


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
        ValueError: The recipe has no training data or not the model that is asked for; ``out``
            is the name of a picture.
    """
    check_folder(out)
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
    masks, tokenizer = options.mask or options.guided is not None, is_tokenizer(config)
    if masks and tokenizer:
        raise ValueError(
            f"a {config.model.type} masks nothing; take the pre-training recipe that predicts its "
            "codes, or drop --mask and --guided"
        )
    model, wanted = None, masks or checkpoint is not None
    if wanted or (blending is not None and not tokenizer):
        model = recipe_model(config, checkpoint, wanted)
    files = []
    if options.guided is None or options.mask or options.flow:
        files += _draw_clips(samples, model, out, options, blending is not None)
    if options.guided is not None:
        files += [_draw_guided(model, dataset, samples, out, options)]
    if model is not None and blending is not None and not tokenizer:
        sheet = contact_sheet(
            mixed_clips(model, samples),
            mixing_labels(samples, mixing_shares(model, samples)),
            options.columns,
            f"The same clips after {blending.type}, as the model trains on them",
            cell_height(samples[0].clip),
        )
        files += [write(out / "clips_mixed.png", sheet)]
    if checkpoint is not None and model is not None:
        title = f"Training clips reconstructed by {Path(checkpoint).name}"
        height = cell_height(samples[0].clip)
        if tokenizer:
            sheet = tokenizer_picture(model, samples, options.columns, title, height)
            return [*files, write(out / "reconstructions_tokenizer.png", sheet)]
        drawn = reconstruct_at_ratios(model, samples, options.mask_ratios)
        sheet = reconstruction_picture(
            drawn, options.statistics, options.columns, title, height, options.losses
        )
        files += [write(out / f"reconstructions_{options.statistics}.png", sheet)]
    return files


def _draw_guided(
    model: Any,
    dataset: Any,
    samples: Sequence[TrainingSample],
    out: Path,
    options: PictureOptions,
) -> Path:
    """Draw where the clips move, and flow-guided masks of them."""
    clips = guided_clips(model, dataset, samples, options.guided or DENSE, options.ratios)
    told = masking_told(model.masker, options.ratios)
    title = f"What moves in training clips, and flow-guided masks: {told}"
    height = cell_height(samples[0].clip)
    ending = "jpg" if "jpg" in options.formats else "png"
    sheet = guided_sheet(clips, options.columns, title, height)
    print_log(guided_summary(clips))
    return write(out / f"guided_masks.{ending}", sheet)


def _replacing_ops(names: Sequence[str]) -> Callable[[Any], None] | None:
    """Return what gives the recipe's PMG transforms other motions."""
    if not names:
        return None
    sampler = MotionSampler(list(names))  # raises on an unknown name, before anything is read

    def replace(transform: Any) -> None:
        if isinstance(transform, (PMGPipeline, PMGAug)):
            transform.sampler = sampler

    return replace


def cell_height(clip: Picture) -> int:
    """Show small frames enlarged by a whole factor, so that every pixel is as large as another."""
    height = int(clip.shape[1])
    return height * max(1, round(128 / height))


def _draw_clips(
    samples: Sequence[TrainingSample],
    model: Pretrainer | None,
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
