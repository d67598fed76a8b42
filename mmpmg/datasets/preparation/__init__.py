"""Annotation files for MMAction2 from data sets as they are downloaded, and parts of them."""

from .diving48 import Diving48
from .errors import PreparationError
from .few_shot import few_shot, fraction
from .frame_difference import frame_difference, thirds
from .hmdb51 import HMDB51
from .kinetics400 import Kinetics400
from .mimetics import Mimetics
from .mini_ssv2 import MiniSSv2
from .named_videos import IkeaFA, UAVHuman
from .path_label_lists import PathLabelLists
from .prepare import PreparationOptions, prepare
from .sources import FACTS, DatasetFacts, DatasetSource
from .ssv2 import SSv2
from .subsets import SubsetOptions, make_subsets
from .ucf101 import UCF101

__all__ = [
    "FACTS",
    "HMDB51",
    "UCF101",
    "DatasetFacts",
    "DatasetSource",
    "Diving48",
    "IkeaFA",
    "Kinetics400",
    "Mimetics",
    "MiniSSv2",
    "PathLabelLists",
    "PreparationError",
    "PreparationOptions",
    "SSv2",
    "SubsetOptions",
    "UAVHuman",
    "few_shot",
    "fraction",
    "frame_difference",
    "make_subsets",
    "prepare",
    "thirds",
]
