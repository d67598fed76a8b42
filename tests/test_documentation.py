"""The pages: links lead somewhere, examples in docstrings are true, and the site builds."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "mmpmg").rglob("*.py")
    if ".mim" not in path.parts and re.search(r"^\s*>>> ", path.read_text(), re.M)
)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^( *)(```+).*?^\1\2 *$", "", page.read_text(), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """What ``#...`` may name in a page, as code hosts derive it from headings."""
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", prose(page), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page):
    text = re.sub(r"`[^`\n]*`", "`code`", prose(page))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue  # `make links` looks at other sites
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), f"{target}: no such file"
        assert file.is_relative_to(ROOT), f"{target} leaves the repository"
        if anchor:
            assert anchor in anchors(file), f"{target}: no such heading"


def test_anchors_are_those_of_a_code_host(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A `b_c`: d, e\n\n## [Twice](x.md)\n```\n# no heading\n```\n## Twice\n")
    assert anchors(page) == {"a-b_c-d-e", "twice", "twice-1"}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_in_docstrings_are_true(name):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0


def test_there_are_examples():
    assert {"mmpmg.motion", "mmpmg.models.tokens"} <= set(WITH_EXAMPLES)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the site as ``make docs`` does, in which a warning is an error."""
    pytest.importorskip("sphinx")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs"]
    command += ["-d", str(out / "doctrees"), ".", str(out / "html")]
    built = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    return out / "html"


@pytest.mark.slow
def test_the_site_has_every_page_and_leads_to_the_first(site):
    for page in PAGES:
        assert (site / page.relative_to(ROOT)).with_suffix(".html").is_file()
    first = re.search(r'url=([^"]+)"', (site / "index.html").read_text())[1]
    assert (site / first).is_file()


@pytest.mark.slow
def test_the_reference_has_everything_that_its_packages_export(site):
    documented = set()
    packages = set()
    for page in (ROOT / "docs/api").glob("*.md"):
        packages |= set(re.findall(r"automodule:: (\S+)", page.read_text()))
        html = (site / "docs/api" / page.stem).with_suffix(".html").read_text()
        documented |= set(re.findall(r' id="(mmpmg\.[\w.]+)"', html))
    assert len(packages) > 15
    for package in packages:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if getattr(thing, "__doc__", None) and callable(thing):
                assert f"{package}.{name}" in documented, f"{package}.{name} is not in docs/api"


@pytest.mark.slow
def test_the_reference_says_of_a_class_only_what_helps(site):
    """No constructor of a protocol, and no base that every class has."""
    texts = {
        page.stem: unescape(re.sub(r"<[^>]+>", "", page.read_text()))
        for page in (site / "docs/api").glob("*.html")
    }
    for text in texts.values():
        assert "(*args, **kwargs)" not in text
        assert "Bases: object" not in text
    assert re.search(r"class mmpmg\.motion\.Op\W", texts["motion"])
    assert "Bases: Module" in texts["models"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "code", "equation"),
    [
        ("videomae", "def normalize_tokens", r"\tag{2}"),
        ("motionmae", "def head_losses", r"\Omega"),
        ("demvm", "def ratios_by_count", r"\tag{16}"),
        ("guides/own_motion", "class Sway", None),
        ("guides/own_masker", "class BlockTubeMasker", None),
        ("guides/own_target", "class AccelerationTarget", None),
    ],
)
def test_a_page_shows_equations_and_code_itself(site, page, code, equation):
    html = (site / "docs" / f"{page}.html").read_text()
    text = unescape(re.sub(r"<[^>]+>", "", html))
    assert code in text
    if equation:
        drawn = re.findall(r'<math alttext="([^"]*)".*?</math>', html, re.S)
        assert any(equation in unescape(formula) for formula in drawn)
    assert not re.search(r'<(?:script|link)[^>]*(?:src|href)="(?:https?:)?//', html), (
        "the page needs a network"
    )
