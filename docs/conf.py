"""The site: README.md and docs/ as they stand in the repository; ``make docs`` builds it.

The source folder is the repository's root, so that a link is the same here and on a code host.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import mmpmg  # noqa: E402  (mends the stack before autodoc imports anything of MMAction2)

project = "mmpmg"
author = "the authors of mmpmg"
release = version = mmpmg.__version__
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md"]
exclude_patterns = [
    ".*",
    "build",
    "configs",
    "data",
    "dist",
    "mmpmg",
    "requirements",
    "tests",
    "tools",
    "work_dirs",
]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]  # ```math, as code hosts write it
myst_heading_anchors = 4

default_role = "code"  # docstrings say `name`
napoleon_numpy_docstring = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "groupwise"
autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False  # the licence stands in the README
html_title = f"mmpmg {release}"
html_extra_path = ["site_root"]  # index.html, which leads to docs/index.html
html_copy_source = False
suppress_warnings = ["myst.header"]  # tables pasted from tools have headings of their own level
