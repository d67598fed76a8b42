"""Recipes and models of ours by name: ``mmpmg::pmg/vit-b_shaders1k.py``, from any folder.

MMEngine looks such names up in ``.mim`` of the installed package, but only of packages on a list of
its own, and it calls ``PACKAGE.utils.register_all_modules``, wherever a package keeps such things.
:func:`enrol` makes it know this one; importing :mod:`mmpmg` calls it.
"""

from __future__ import annotations

import functools
import sys
import time

from mmengine.config import Config
from mmengine.config import utils as config_utils
from mmengine.registry import DefaultScope

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
        # MMEngine would mark every part of the base with the scope "mmpmg", which no registry has.
        path, scope = original(cfg_path, filename)
        return path, None if scope == NAME else scope

    get_cfg_path.mmpmg = True  # type: ignore[attr-defined]
    Config._get_cfg_path = staticmethod(get_cfg_path)


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
