"""A config whose text keeps the order of its entries, so that what a run leaves can be run again.

MMEngine writes a config three times (in the work dir, beside the log, into checkpoints), each time
with the keys of every dict in the order of the alphabet. The steps of a named pipeline and the
branches of a model would come back in another order than they ran in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

# In front of a key: MMEngine sorts by it. One can be a name in Python, the other never is, as
# MMEngine writes dict(key=...) where every key is one, else {'key': ...}.
_MARK = re.compile(r"_ordered_\d{4}_|<ordered \d{4}>")


class OrderedConfig(Config):
    """MMEngine's config, written in its own order below the top level, which stays sorted."""

    @classmethod
    def of(cls, config: Config) -> OrderedConfig:
        """Return a config with the same contents, shared, which is written in order."""
        ordered = cls.__new__(cls)
        ordered.__setstate__(config.__getstate__())
        return ordered

    @property
    def pretty_text(self) -> str:
        """The config as a Python program."""
        content = {key: _marked(value) for key, value in self.to_dict().items()}
        return _MARK.sub("", Config(content).pretty_text)


def _marked(node: Any) -> Any:
    """Copy a part of a config, with keys that the alphabet leaves in their order."""
    if isinstance(node, list):
        return [_marked(item) for item in node]
    if isinstance(node, tuple):
        return tuple(_marked(item) for item in node)
    if not isinstance(node, Mapping):
        return node
    if not all(isinstance(key, str) for key in node):
        return {key: _marked(value) for key, value in node.items()}
    mark = "_ordered_{:04d}_" if all(key.isidentifier() for key in node) else "<ordered {:04d}>"
    return {mark.format(n) + key: _marked(value) for n, (key, value) in enumerate(node.items())}
