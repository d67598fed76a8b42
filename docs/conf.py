"""The site: README.md and docs/ as they stand in the repository; ``make docs`` builds it.

The source folder is the repository's root, so that a link is the same here and on a code host.
"""

import html
import os
import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

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
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]  # ```math, as code hosts write it
myst_heading_anchors = 4

html_math_renderer = "mathml"

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


def draw_formula(translator, node):
    """Write a formula as MathML: browsers draw it without a network or a script."""
    text, block = node.astext().strip(), isinstance(node, nodes.math_block)
    number = re.search(r"\\tag\{(.*?)\}", text)
    plain = text.replace(number[0], "") if number else text
    drawn = convert(plain.strip(), display="block" if block else "inline")
    drawn = drawn.replace("<math ", f'<math alttext="{html.escape(text)}" ', 1)
    if block:
        beside = f'<span class="eqno">({number[1]})</span>' if number else ""
        style = "margin: 1em 0; padding: .3em 0; overflow: auto hidden"
        drawn = f'<div class="math notranslate nohighlight" style="{style}">{beside}{drawn}</div>'
    translator.body.append(drawn)
    raise nodes.SkipNode


def leave_out_constructor(app, what, name, obj, options, signature, returns):
    """Show a protocol, which nobody makes an instance of, without arguments."""
    return ("", returns) if what == "class" and getattr(obj, "_is_protocol", False) else None


def leave_out_object(app, domain, kind, content):
    """Leave out of a class that it is an object, as each is."""
    for line in list(content.children):
        if line.astext() == "Bases: object":
            content.remove(line)


def setup(app):
    """Make Sphinx know the renderer that ``html_math_renderer`` names, and tidy the reference."""
    app.add_html_math_renderer("mathml", (draw_formula, None), (draw_formula, None))
    app.connect("autodoc-process-signature", leave_out_constructor)
    app.connect("object-description-transform", leave_out_object)
