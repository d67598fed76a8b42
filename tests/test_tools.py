"""A habit of every tool's command line, read from the source with ast."""

import ast
from pathlib import Path

import pytest

TOOLS = sorted(Path(__file__).parents[1].glob("tools/*.py"))


def lenient_parsers(source):
    """Lines of parsers that would take ``--repeat`` for ``--repeats`` and say nothing."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {
                keyword.arg: getattr(keyword.value, "value", None) for keyword in node.keywords
            }
            parses = node.func.attr in ("ArgumentParser", "add_parser")
            # One without help of its own is the parent of others.
            if parses and given.get("add_help", True) and given.get("allow_abbrev") is not False:
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_no_tool_takes_an_abbreviated_option(tool):
    assert lenient_parsers(tool.read_text()) == []


def test_a_lenient_parser_is_found():
    source = (
        "p = argparse.ArgumentParser(description=d)\nc = s.add_parser('x', allow_abbrev=True)\n"
    )
    assert lenient_parsers(source) == [1, 2]
    assert lenient_parsers(source.replace("True", "False")) == [1]
    assert len(TOOLS) > 10
