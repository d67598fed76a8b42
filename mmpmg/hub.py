"""Recipes and models of ours by name: ``mmpmg::pmg/vit-b_shaders1k.py``, from any folder.

MMEngine looks such names up in ``.mim`` of the installed package, but only of packages on a list of
its own, and it calls ``PACKAGE.utils.register_all_modules``, wherever a package keeps such things.
:func:`enrol` makes it know this one; importing :mod:`mmpmg` calls it.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from mmengine.config import Config
from mmengine.config import utils as config_utils
from mmengine.registry import DefaultScope

from mmpmg import typed
from mmpmg.engine.launch import OURS, recipe_file
from mmpmg.stack import REINSTALL

NAME = "mmpmg"
SCOPE = "mmaction"  # our parts are in MMAction2's registries, and have no scope of their own


def enrol() -> None:
    """Make ``mmengine.hub`` and ``_base_`` take ``mmpmg::FOLDER/NAME.py``; once is enough."""
    config_utils.MODULE2PACKAGE.setdefault(NAME, NAME)
    sys.modules[f"{NAME}.utils"] = sys.modules[__name__]  # where mmengine.hub wants it
    original = Config._get_cfg_path
    if hasattr(original, NAME):
        return

    @functools.wraps(original)
    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if not cfg_path.startswith(OURS):
            return original(cfg_path, filename)
        # MMEngine would mark every part of the base with the scope "mmpmg", which no registry has,
        # and of a name that is wrong say a path in .mim alone.
        try:
            return str(recipe_file(cfg_path)), None
        except FileNotFoundError as error:
            raise FileNotFoundError(f"_base_ of {filename}: {error}") from None

    get_cfg_path.mmpmg = True  # type: ignore[attr-defined]
    Config._get_cfg_path = staticmethod(get_cfg_path)
    get_config = _for_our_names(import_module("mmengine.hub").get_config)
    for module in ("mmengine.hub", "mmengine.hub.hub"):
        setattr(import_module(module), "get_config", get_config)  # noqa: B010


def _for_our_names(original: Callable[..., Config]) -> Callable[..., Config]:
    """Make ``mmengine.hub.get_config`` say in a sentence what is wrong with a name of ours."""

    @functools.wraps(original)
    def get_config(cfg_path: str, pretrained: bool = False) -> Config:
        if not cfg_path.startswith(OURS):
            return original(cfg_path, pretrained)
        file = recipe_file(cfg_path)
        if not pretrained:
            return Config.fromfile(file)
        index = Path(import_module("mmengine.hub.hub").get_installed_path(NAME), ".mim")
        if not index.is_dir():
            raise FileNotFoundError(
                f"no zoo in {index}, which knows the weights; type: {REINSTALL}"
            )
        try:
            found = original(cfg_path, pretrained)
        except AssertionError:  # MMEngine's, of an entry without weights
            found = Config()
        if not found.get("model_path"):  # without an entry it returns the recipe alone
            raise FileNotFoundError(
                f"the zoo has no weights for {cfg_path}: leave pretrained=True out, or train it: "
                f"{typed.tool('train.py')} {cfg_path}"
            )
        return found

    return get_config


def register_all_modules(init_default_scope: bool = True) -> None:
    """Register MMAction2's parts beside ours, as ``mmengine.hub.get_model`` asks of a package.

    Args:
        init_default_scope: Also make ``mmaction`` the scope in which names of parts are looked up,
            until another is set.
    """
    from mmaction.utils import register_all_modules as register

    register(init_default_scope=False)
    current = DefaultScope.get_current_instance()
    if init_default_scope and (current is None or current.scope_name != SCOPE):
        DefaultScope.get_instance(f"{SCOPE}-{time.time_ns()}", scope_name=SCOPE)
