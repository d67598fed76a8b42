"""What mmpmg stands on: which versions, what for, and what to type where one is missing.

Standard library only: :mod:`mmpmg.compat` and :mod:`mmpmg.doctor` read this where nothing else may
import.
"""

from __future__ import annotations

from dataclasses import dataclass

PYTHONS = ((3, 10), (3, 13))  # from, below


@dataclass(frozen=True)
class Part:
    """A package of the stack.

    Args:
        module: What is imported.
        command: What to type where it is missing, of a wrong version or does not load.
        distributions: Who may own the module; empty: one of the module's name.
        lowest: First version that works, as numbers.
        below: First version that no longer works; None where none is known.
        needed: Without it nothing works; else only what ``purpose`` says.
        purpose: What it does here.
    """

    module: str
    command: str
    distributions: tuple[str, ...] = ()
    lowest: tuple[int, ...] = (0,)
    below: tuple[int, ...] | None = None
    needed: bool = False
    purpose: str = ""

    @property
    def owners(self) -> tuple[str, ...]:
        """Distributions that may own the module."""
        return self.distributions or (self.module,)


# What brings back recipes and tools that an installation lacks; there is no release to name.
REINSTALL = "pip install --force-reinstall --no-deps WHEEL_OR_CLONE"
LITE = "pip install 'mmcv-lite>=2.1,<2.2'"
_TORCHVISION = (
    "pip install --force-reinstall --no-deps torchvision, with the --index-url of your torch"
)
PARTS = (
    Part("torch", "pip install 'torch>=2.3'", (), (2, 3), None, True),
    Part("numpy", "pip install 'numpy>=1.26'", (), (1, 26), None, True),
    Part(
        "cv2",
        "pip uninstall -y opencv-python opencv-contrib-python opencv-python-headless && "
        "pip install --force-reinstall --no-deps opencv-contrib-python-headless",
        tuple(f"opencv-{kind}" for kind in (
            "contrib-python-headless", "python-headless", "contrib-python", "python"
        )),
        needed=True, purpose="renders motion, decodes images",
    ),
    Part(
        "mmengine", "pip install -U 'mmengine>=0.10.6,<1'", ("mmengine", "mmengine-lite"),
        (0, 10, 6), (1,), True,
    ),
    Part(
        "mmcv", f"pip uninstall -y mmcv mmcv-lite && {LITE}", ("mmcv", "mmcv-lite"),
        (2, 0), (2, 2), True,
    ),
    Part("mmaction", "pip install 'mmaction2>=1.2,<1.3'", ("mmaction2",), (1, 2), (1, 3), True),
    Part(
        "importlib_metadata", "pip install importlib_metadata", needed=True,
        purpose="mmaction2 needs it and does not declare it",
    ),
    Part("PIL", "pip install 'pillow>=9.1'", ("pillow",), (9, 1), None, True),
    Part("matplotlib", "pip install 'matplotlib>=3.6'", (), (3, 6), None, True),
    Part("jinja2", "pip install 'jinja2>=3'", (), (3,), None, True),
    Part(
        "safetensors", "pip install 'safetensors>=0.4'", (), (0, 4), None, True,
        "weight files that hold no code",
    ),
    Part("yaml", "pip install pyyaml", ("pyyaml",), needed=True, purpose="reads the zoo's records"),
    Part("scipy", "pip install 'scipy>=1.8'", (), (1, 8), None, True, "intervals of studies"),
    Part("torchvision", _TORCHVISION, purpose="timm needs it"),
    Part("timm", "pip install timm", (), (1,), purpose="2D weights and RandAugment"),
    Part("transformers", "pip install transformers", purpose="Hugging Face's models"),
    Part(
        "decord", "pip install decord (no wheels for ARM or macOS: build it there)",
        purpose="reads videos",
    ),
    Part(
        "moderngl", "pip install 'moderngl>=5.10', and EGL: apt install libegl1 libgl1-mesa-dri",
        (), (5, 10), purpose="shaders of your own",
    ),
    Part("tensorboard", "pip install tensorboard", purpose="LocalTensorboardVisBackend"),
)  # fmt: skip


def culprit(part: Part, error: str) -> Part:
    """Return the part that an import died of, which need not be the one that was imported.

    Args:
        part: What was imported.
        error: What importing it said.
    """
    for other in PARTS:
        if any(sign in error for sign in (f"named '{other.module}'", f"{other.module}::")):
            return other
    return part


def advice(part: Part, error: str, installed: bool) -> str:
    """Return what to type for a package whose import fails.

    Args:
        part: The package.
        error: What importing it said.
        installed: Whether it is there.
    """
    blamed = culprit(part, error)
    return repair(part, error) if blamed is part and installed else blamed.command


def repair(part: Part, error: str) -> str:
    """Return what to type for a package that is installed and does not load.

    ``pip install`` does nothing where the version is right; it does where a dependency is missing.

    Args:
        part: The package.
        error: What importing it said.
    """
    missing = error.partition("No module named '")[2].partition("'")[0].partition(".")[0]
    if "pip uninstall" in part.command or missing not in ("", part.module):
        return part.command
    plain = part.command.replace("--force-reinstall --no-deps ", "").replace(
        "install -U ", "install "
    )
    return plain.replace("pip install ", "pip install --force-reinstall --no-deps ", 1)


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: ``"2.1.0rc1+cu121"`` gives ``(2, 1)``."""
    found = []
    for part in version.split("+")[0].split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)


def fits(part: Part, version: str) -> bool:
    """Say whether a version is in a part's bounds."""
    there = numbers(version)
    return part.lowest <= there and (part.below is None or there < part.below)
