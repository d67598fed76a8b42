"""Drawing: contact sheets, masks, flow, reconstructions, and writing them to files.

Everything exported here takes arrays and returns arrays, but for the backend that MMEngine's
visualizer builds by name. What needs a dataset or a model stands
in :mod:`.training_samples`, :mod:`.model_pictures`, :mod:`.model_reconstructions`,
:mod:`.code_predictions`, :mod:`.guided_masks`, :mod:`.tokenizer_picture`, :mod:`.recipe_models` and
:mod:`.recipe_pictures`.
"""

from .branch_prediction import STATISTICS, BranchPrediction
from .code_reconstruction import CodeReconstruction
from .contact_sheet import contact_sheet, spread_frames, tile
from .flow import flow_arrows, flow_scale, flow_wheel, wheel_legend
from .guided_sheet import GuidedClip, GuidedMask, guided_sheet
from .mask_overlay import beside, object_colors, overlay_objects, sequence_sheet
from .masks import hide_masked, overlay_mask, pixel_mask
from .motion_reconstruction import MotionReconstruction
from .reconstruction import Reconstruction, from_visible
from .reconstruction_picture import loss_maps, reconstruction_picture
from .tensorboard import LocalTensorboardVisBackend
from .writers import write

__all__ = [
    "STATISTICS",
    "BranchPrediction",
    "CodeReconstruction",
    "GuidedClip",
    "GuidedMask",
    "LocalTensorboardVisBackend",
    "MotionReconstruction",
    "Reconstruction",
    "beside",
    "contact_sheet",
    "flow_arrows",
    "flow_scale",
    "flow_wheel",
    "from_visible",
    "guided_sheet",
    "hide_masked",
    "loss_maps",
    "object_colors",
    "overlay_mask",
    "overlay_objects",
    "pixel_mask",
    "reconstruction_picture",
    "sequence_sheet",
    "spread_frames",
    "tile",
    "wheel_legend",
    "write",
]
