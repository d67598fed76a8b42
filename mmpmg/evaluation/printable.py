"""Names of files as text that any page, chart and terminal takes."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return text that can be encoded, whatever the names of files in it.

    Args:
        text: With bytes that are no UTF-8 as Python's file functions return them.

    Returns:
        The same with those written out, such as ``\udcff``.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
