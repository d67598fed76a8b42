"""The folders of recipes, each a collection of the zoo, and what their recipes' names say."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

OUTSIDE = ("_smoke", "_demo")
"""Recipes with such an ending only show that something runs: nobody wants their weights."""


class Method(NamedTuple):
    """A folder of recipes.

    Attributes:
        title: Of the collection; unlike all others in lower case, too, as MIM compares them so.
        paper: Title of the paper.
        url: Of the paper.
        page: What tells about the method here, a path of the repository.
        code: The part that makes it what it is, a path of the repository.
        shown: Recipes for the short table.
    """

    title: str
    paper: str
    url: str
    page: str
    code: str
    shown: tuple[str, ...]


_PMG = ("Data Collection-free Masked Video Modeling", "https://arxiv.org/abs/2409.06665")
METHODS = {
    "pmg": Method(
        "PMG",
        *_PMG,
        "docs/videomae.md",
        "mmpmg/datasets/transforms/pmg.py",
        ("vit-b_shaders1k", "vit-b_pass", "vit-b_generated", "vit-b_hmdb51-videos_aug"),
    ),
    "videomae": Method(
        "VideoMAE",
        "VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised Video "
        "Pre-Training",
        "https://arxiv.org/abs/2203.12602",
        "docs/videomae.md",
        "mmpmg/models/pretrainers/masked_video.py",
        ("vit-b_ucf101", "vit-b_hmdb51"),
    ),
    "motionmae": Method(
        "MotionMAE",
        "Self-supervised Video Representation Learning with Motion-Aware Masked Autoencoders",
        "https://arxiv.org/abs/2210.04154",
        "docs/motionmae.md",
        "mmpmg/models/targets/temporal_difference.py",
        ("vit-b_ucf101", "vit-b_kinetics400", "vit-l_kinetics400", "vit-b_ssv2", "vit-l_ssv2"),
    ),
    "demvm": Method(
        "DEMVM",
        "Data-Efficient Masked Video Modeling for Self-supervised Action Recognition",
        "https://doi.org/10.1145/3581783.3612496",
        "docs/demvm.md",
        "mmpmg/models/pretrainers/mask_token.py",
        ("swin-t_ucf101", "swin-b_ucf101", "swin-b_hmdb51"),
    ),
    "tokenizer": Method(
        "VideoGPT tokenizers",
        "VideoGPT: Video Generation using VQ-VAE and Transformers",
        "https://arxiv.org/abs/2104.10157",
        "docs/tokenizers.md",
        "mmpmg/models/tokenizers/vqvae.py",
        (),
    ),
    "finetune": Method("Fine-tuning", *_PMG, "docs/datasets.md", "mmpmg/engine/layer_decay.py", ()),
    "linear_probe": Method(
        "Linear probing", *_PMG, "docs/paper_tables.md", "mmpmg/models/heads/linear_probe.py", ()
    ),
    "vos": Method(
        "Video object segmentation",
        "Space-Time Correspondence as a Contrastive Random Walk",
        "https://arxiv.org/abs/2006.14613",
        "docs/vos.md",
        "mmpmg/models/segmenters/label_propagation_segmenter.py",
        (),
    ),
}

ARCHITECTURES = {
    "vit-s": "ViT-S",
    "vit-b": "ViT-B",
    "vit-l": "ViT-L",
    "vit-h": "ViT-H",
    "vit-toy": "small ViT",
    "vit-toy-p16": "small ViT, 16 px tokens",
    "swin-t": "Video Swin-T",
    "swin-b": "Video Swin-B",
    "swin-toy": "small Video Swin",
    "vqvae3d": "3D VQ-VAE",
    "vqvae2d": "2D VQ-VAE",
    "vqvae3d-toy": "small 3D VQ-VAE",
    "vqvae2d-toy": "small 2D VQ-VAE",
}
SOURCES = {
    "avletters": "AVLetters",
    "davis-mini": "two sequences of DAVIS",
    "davis2017": "DAVIS-2017",
    "diving48": "Diving48",
    "fractaldb": "FractalDB",
    "generated": "generated shaders",
    "gestures": "EgoGestAR",
    "glsl": "Shaders rendered from GLSL",
    "hmdb51": "HMDB51",
    "ikeafa": "IkeaFA",
    "imagenet": "ImageNet",
    "kinetics400": "Kinetics-400",
    "mimetics": "Mimetics",
    "pass": "PASS",
    "pass-shaders1k": "PASS and Shaders1k",
    "perlin": "Video Perlin Noise",
    "photographs": "photographs of BSDS500",
    "shaders1k": "Shaders1k",
    "ssv2": "Something-Something V2",
    "ssv2-mini": "MiniSSv2",
    "uav-human": "UAV-Human",
    "ucf101": "UCF101",
    "visual-atom": "VisualAtom",
}


class RecipeTitle(NamedTuple):
    """What a recipe's name says.

    Attributes:
        folder: Its method.
        arch: Key of ``ARCHITECTURES``.
        data: What it trains on, in words.
        deltas: What it changes, as in the name.
    """

    folder: str
    arch: str
    data: str
    deltas: tuple[str, ...]

    @property
    def small(self) -> bool:
        """Whether it is for two CPU cores, and of no paper."""
        return "toy" in self.arch


def recipe_title(recipe: str) -> RecipeTitle:
    """Read a recipe's name.

    Args:
        recipe: "finetune/vit-b_ucf101_5-shot".

    Raises:
        ValueError: A word of it is unknown here.
    """
    folder, _, stem = recipe.partition("/")
    arch, *words = stem.split("_")
    if words and words[0] == "toy":  # vqvae3d_toy_photographs
        arch = f"{arch}-{words.pop(0)}"
    source = words.pop(0) if words else ""
    images, _, kind = (
        source.rpartition("-") if source.endswith(("-frames", "-videos")) else ("",) * 3
    )
    name = images or source
    words_known: dict[str, tuple[str, list[str]]] = {
        "folder": (folder, list(METHODS)),
        "architecture": (arch, list(ARCHITECTURES)),
        "data": (name, list(SOURCES)),
    }
    for what, (word, known) in words_known.items():
        if word not in known:
            raise ValueError(
                f"configs/{recipe}.py: the {what} {word!r} has no name in the zoo, which knows "
                f"{', '.join(known)}; name it in mmpmg/evaluation/zoo/methods.py"
            )
    data = f"frames of {SOURCES[name]}" if kind == "frames" else SOURCES[name]
    return RecipeTitle(folder, arch, data, tuple(words))


def zoo_recipes(root: Path) -> list[str]:
    """List the recipes that belong into the zoo, such as ``pmg/vit-b_shaders1k``.

    These are all but ``configs/_base_`` and those that only show that something runs (``OUTSIDE``).

    Args:
        root: Of the repository.
    """
    paths = sorted((root / "configs").glob("*/*.py"))
    return [
        f"{path.parent.name}/{path.stem}"
        for path in paths
        if path.parent.name != "_base_" and not path.stem.endswith(OUTSIDE)
    ]


def entry_name(recipe: str) -> str:
    """Name a recipe where names may hold no slash: MIM names files after them."""
    return recipe.replace("/", "_")
