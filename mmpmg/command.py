"""The command ``mmpmg``: the tools by name, where only the wheel is installed."""

from __future__ import annotations

import ast
import os
import runpy
import sys
from difflib import get_close_matches
from pathlib import Path

from mmpmg.stack import REINSTALL

PACKAGE = Path(__file__).parent


def tool_folder() -> Path:
    """Return the folder of the tools: of the source tree, or those in the installed package.

    Raises:
        FileNotFoundError: The installation has none.
    """
    for folder in (PACKAGE.parent / "tools", PACKAGE / ".mim" / "tools"):
        if (folder / "train.py").is_file():
            return folder
    raise FileNotFoundError(f"no tools in {PACKAGE / '.mim'}; type: {REINSTALL}")


def summary(tool: Path) -> str:
    """Return the first line of what a tool says of itself, without running it."""
    text = tool.read_text()
    if tool.suffix == ".py":
        return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    said = [line.removeprefix("# usage: ") for line in text.splitlines() if "# usage: " in line]
    return f"usage: {said[0]}" if said else ""


def listing(tools: dict[str, Path]) -> str:
    """List the tools and what each is for."""
    lines = [f"  {name:24} {summary(path)}" for name, path in tools.items()]
    return "\n".join(
        [
            "usage: mmpmg TOOL [options]     (mmpmg TOOL --help: the tool's options)",
            "",
            *lines,
            "",
            "Recipes are files, or mmpmg::FOLDER/NAME.py of this package, for example:",
            "  mmpmg train mmpmg::pmg/vit-toy_generated_smoke.py --work-dir work_dirs/smoke",
            "What is wrong with an installation: python -m mmpmg.doctor",
        ]
    )


def main() -> None:
    """Run the tool that the command line names, as if it had been called by its path."""
    try:
        folder = tool_folder()
    except FileNotFoundError as error:
        sys.exit(f"mmpmg: {error}")
    tools = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in (".py", ".sh")}
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print(listing(tools))
        return
    if name not in tools:
        near = get_close_matches(name, tools, n=2)
        meant = f"; near it: {', '.join(near)}" if near else "; mmpmg --help lists them"
        sys.exit(f"mmpmg: no tool {name!r}{meant}")
    tool = tools[name]
    sys.argv = [str(tool), *sys.argv[2:]]
    if tool.suffix == ".sh":
        os.environ.setdefault("PYTHON", sys.executable)
        os.execvp("bash", ["bash", *sys.argv])
    sys.path.insert(0, str(folder))
    runpy.run_path(str(tool), run_name="__main__")


if __name__ == "__main__":
    main()
