"""What is broken in the installed stack, and its mending: the one place that knows.

MMAction2 1.2.0 was published for the torch and NumPy of its day. :func:`apply` makes it import,
train, checkpoint, resume and load on today's. Every shim looks first whether it is needed, so on a
healthy stack nothing changes, and may be applied again. Where code cannot help, one sentence says
what is missing and what to type.

Not mended, because nothing here uses it: ``np.Inf``, ``np.trapz`` and ``np.in1d``, gone from
NumPy, in MMAction2's skeleton transforms, temporal localisation and text-retrieval metrics.
"""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from .stack import LITE, PARTS, Part, advice, culprit, numbers

# Without these something is left out; the sentence goes after "it".
_OPTIONAL = {
    "decord": "reads videos",
    "timm": "brings 2D weights and RandAugment",
    "torchvision": (
        "must be of the same build as torch (PyPI's does not load beside a CPU-only torch)"
    ),
    "transformers": "has Hugging Face's models",
}
_PARTS = {part.module: part for part in PARTS}
_TYPE = {part.module: part.command for part in PARTS}
_active: dict[str, str] = {}


def active() -> dict[str, str]:
    """Return what :func:`apply` has mended in this process, with the reason of each."""
    return dict(_active)


def require(name: str) -> ModuleType:
    """Import an optional package where it is needed, or say what to type.

    Args:
        name: ``"decord"``, ``"timm"``, ``"torchvision"`` or ``"transformers"``.

    Returns:
        The imported package.

    Raises:
        ImportError: It is not installed, or is there and does not load.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:  # a torchvision of the wrong build raises RuntimeError
        installed = find_spec(name) is not None
        state = f"does not load ({error})" if installed else "is not installed"
        part = _PARTS.get(name, Part(name, f"pip install {name}"))
        purpose = f": it {_OPTIONAL[name]}" if name in _OPTIONAL else ""
        if culprit(part, str(error)).module == "torchvision" != name:
            purpose = f": it needs torchvision, which {_OPTIONAL['torchvision']}"
        command = advice(part, str(error), installed)
        raise ImportError(f"{name} {state}{purpose}; type: {command}") from error


def apply() -> None:
    """Mend what can be mended; safe to call any number of times.

    Raises:
        ImportError: A package is missing or of a version that cannot work; the message names the
            command that mends it.
    """
    try:
        _check_opencv()
        _check_openmmlab()
    except ImportError as error:
        raise ImportError(f"{error}\n(python -m mmpmg.doctor shows all that is broken)") from error
    _stand_in_for_drn()
    _leave_out_multimodal()
    _find_packages_without_setuptools()
    _survive_broken_torchvision()
    if _version("mmcv") is None:  # without compiled ops, which nothing here uses: no need to worry
        warnings.filterwarnings("ignore", "Fail to import ``MultiScaleDeformableAttention``")
    _load_checkpoints_safely()


def _version(distribution: str) -> tuple[int, ...] | None:
    """Return the leading numbers of an installed version, None where it is not installed."""
    try:
        text = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
    return numbers(text)


def _check_opencv() -> None:
    """OpenCV with windows needs libGL, which servers and containers often lack."""
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"OpenCV does not load ({error}); the build without windows does: {_TYPE['cv2']}"
        ) from error


def _check_openmmlab() -> None:
    """MMEngine, mmcv and MMAction2 are there, and in versions that fit each other."""
    full, lite, engine = _version("mmcv"), _version("mmcv-lite"), _version("mmengine")
    engine = engine or _version("mmengine-lite")
    if find_spec("mmengine") is None:
        raise ImportError(f"mmengine is not installed; type: {_TYPE['mmengine']}")
    if engine is not None and engine < (0, 10, 6):
        raise ImportError(
            f"mmengine {'.'.join(map(str, engine))} clashes with transformers and today's torch; "
            f"type: {_TYPE['mmengine']}"
        )
    if find_spec("mmcv") is None:
        raise ImportError(f"mmcv is not installed; its light build is enough: {LITE}")
    if full is not None and lite is not None:
        warnings.warn(
            "mmcv and mmcv-lite are both installed and overwrite each other's files; keep one: "
            + _TYPE["mmcv"],
            stacklevel=4,
        )
    for name, version in (("mmcv", full), ("mmcv-lite", lite)):
        if version is not None and not (2, 0) <= version < (2, 2):
            raise ImportError(
                f"{name} {'.'.join(map(str, version))} is refused by mmaction2 1.2, which needs "
                f"mmcv>=2.0,<2.2; type: pip uninstall -y {name} && {LITE}"
            )
    if find_spec("mmaction") is None:
        raise ImportError(f"mmaction2 is not installed; type: {_TYPE['mmaction']}")
    if find_spec("importlib_metadata") is None:
        raise ImportError(
            "mmaction2 needs importlib_metadata and does not declare it; "
            f"type: {_TYPE['importlib_metadata']}"
        )


def _package_dir(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"{package} is not installed as a regular package")
    return Path(spec.origin).parent


def _stand_in_for_drn() -> None:
    """The wheel imports ``localizers.drn`` and does not contain it (mmaction2#2714)."""
    name = "mmaction.models.localizers.drn"
    if name in sys.modules or (_package_dir("mmaction") / "models/localizers/drn").is_dir():
        return
    from mmaction.registry import MODELS

    def drn(*args: Any, **kwargs: Any) -> NoReturn:
        raise ImportError(
            "the localizer DRN is missing from the mmaction2 1.2.0 wheel; install MMAction2 from "
            "source to use it: pip install git+https://github.com/open-mmlab/mmaction2"
        )

    package, module = ModuleType(name), ModuleType(f"{name}.drn")
    package.__path__ = []  # marks it as a package
    module.DRN = MODELS.register_module(name="DRN", module=drn)  # type: ignore[attr-defined]
    sys.modules[name], sys.modules[f"{name}.drn"] = package, module
    _active["a stand-in for the localizer DRN"] = (
        "mmaction2's wheel imports it and lacks it (mmaction2#2714)"
    )


def _leave_out_multimodal() -> None:
    """MMAction2's VindLU imports names that transformers 5 dropped, and all models with it."""
    from mmaction.utils import dependency

    if not dependency.WITH_MULTIMODAL or "mmaction.models.multimodal" in sys.modules:
        return
    version = _version("transformers")
    if version is not None and version < (5,):
        return

    def register(names: list[str], registry: Any) -> None:
        def vindlu(*args: Any, **kwargs: Any) -> NoReturn:
            raise ImportError(
                "MMAction2's VindLU does not work with transformers 5; "
                "type: pip install 'transformers<5'"
            )

        for name in names:
            registry.register_module(name=name, module=vindlu)

    dependency.WITH_MULTIMODAL = False
    dependency.register_multimodal_placeholder = register
    _active["MMAction2 without VindLU"] = "it imports names that transformers 5 dropped"


def _replace_everywhere(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Rebind a function in every OpenMMLab module that imported it by name."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("mmengine", "mmcv", "mmaction"):
            for key, value in list(vars(module).items()):
                if value is old:
                    setattr(module, key, new)


def _find_packages_without_setuptools() -> None:
    """``mmaction::`` recipes are looked up with pkg_resources, gone since setuptools 82."""
    import mmengine.hub  # noqa: F401  binds the functions that are replaced below
    from mmengine.utils import package_utils

    if find_spec("pkg_resources") is not None or hasattr(package_utils.is_installed, "mmpmg"):
        return

    def is_installed(package: str) -> bool:
        if _version(package) is not None:
            return True
        spec = find_spec(package)
        return spec is not None and spec.origin is not None

    def get_installed_path(package: str) -> str:
        # distribution name (mmaction2) or module name (mmaction)
        try:
            top_level = metadata.distribution(package).read_text("top_level.txt") or package
        except metadata.PackageNotFoundError:
            top_level = package
        return str(_package_dir(top_level.split()[0]))

    is_installed.mmpmg = True  # type: ignore[attr-defined]
    _replace_everywhere(package_utils.is_installed, is_installed)
    _replace_everywhere(package_utils.get_installed_path, get_installed_path)
    _active["looking up installed packages"] = "setuptools 82 dropped pkg_resources"


def _survive_broken_torchvision() -> None:
    """The Runner logs torchvision's version and dies of a torchvision that does not load."""
    import mmengine.runner  # noqa: F401  binds the function that is replaced below
    from mmengine.utils import dl_utils

    original = dl_utils.collect_env
    if hasattr(original, "mmpmg"):
        return

    @functools.wraps(original)
    def collect_env() -> Any:
        try:
            return original()
        except (ImportError, OSError, RuntimeError):
            if "torchvision" in sys.modules:
                raise
            _active["logging without torchvision"] = "it does not load"
            sys.modules["torchvision"] = None  # type: ignore[assignment]
            try:
                return original()
            finally:
                del sys.modules["torchvision"]

    collect_env.mmpmg = True  # type: ignore[attr-defined]
    _replace_everywhere(original, collect_env)


def _load_checkpoints_safely() -> None:
    """``torch.load`` keeps to a list of names from torch 2.6 on, and MMEngine's are not on it.

    Before 2.6 it runs what a file says, and so does ``load_from="https://..."`` to this day, which
    goes through torch.hub; where local files are guarded, downloaded ones must be.
    """
    import mmengine.runner  # noqa: F401  binds the function that is replaced below
    import torch
    from mmengine.utils import dl_utils

    if tuple(int(number) for number in torch.__version__.split(".")[:2]) < (2, 6):
        return
    from .safe_globals import allow_mmengine_checkpoints

    allow_mmengine_checkpoints()
    _active["a list of names that checkpoints may hold"] = (
        "torch 2.6 and newer load no others, MMEngine's among them (mmengine#1655)"
    )
    original = dl_utils.load_url
    if hasattr(original, "mmpmg"):
        return

    @functools.wraps(original)
    def load_url(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **{"weights_only": True, **kwargs})

    load_url.mmpmg = True  # type: ignore[attr-defined]
    _replace_everywhere(original, load_url)
