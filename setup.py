"""Build mmpmg; recipes, tools and studies travel inside the package, in ``mmpmg/.mim``.

MIM and ``mmengine.hub`` look for them there. A wheel gets copies; an editable install gets links,
so that an edited recipe counts at once. (MMAction2's own setup.py recognises an editable install by
``develop`` on the command line, which pip has not passed for years.)
"""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = ("configs", "tools", "studies", "model-index.yml")


class BuildWithRecipes(build_py):
    """Build the package and put recipes and tools beside it."""

    def run(self) -> None:
        """Link for an editable install, copy for a wheel."""
        super().run()
        if getattr(self, "editable_mode", False):
            ship(ROOT / "mmpmg" / ".mim", link=True)
        else:
            ship(Path(self.build_lib) / "mmpmg" / ".mim", link=False)


def ship(target: Path, link: bool) -> None:
    """Place configs, tools, studies and the model index in ``target``.

    Args:
        target: The ``.mim`` folder; replaced when it exists.
        link: Link to the source tree instead of copying, where the system can.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in SHIPPED:
        source = ROOT / name
        if not source.exists():
            continue
        if link:
            try:
                (target / name).symlink_to(os.path.relpath(source, target))
                continue
            except OSError:
                pass  # a system without links gets copies
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy2(source, target / name)


def requirements(name: str) -> list:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


version = re.search(r'"(.+)"', (ROOT / "mmpmg/version.py").read_text().split("__version__")[1])
readme = ROOT / "README.md"

setup(
    name="mmpmg",
    version=version.group(1),
    description="Pre-train video transformers for MMAction2 from still images and pseudo-motion",
    long_description=readme.read_text() if readme.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["mmpmg", "mmpmg.*"]),
    include_package_data=False,
    python_requires=">=3.10",
    install_requires=requirements("runtime.txt"),
    extras_require={
        "lite": ["mmcv-lite>=2.1,<2.2"],  # only where full mmcv is not installed
        "video": ["decord"],
        "tensorboard": ["tensorboard"],  # for LocalTensorboardVisBackend
        "glsl": ["moderngl>=5.10"],  # and EGL: Debian, Ubuntu: libegl1 libgl1-mesa-dri
        "timm": ["timm>=1.0", "torchvision"],
        "parquet": ["pyarrow>=15"],  # features as .parquet
    },
    entry_points={"console_scripts": ["mmpmg = mmpmg.command:main"]},
    cmdclass={"build_py": BuildWithRecipes},
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    zip_safe=False,
)
