"""Drawing: contact sheets, masks, flow, reconstructions, and writing them to files.

Everything exported here takes arrays and returns arrays, but for the backend that MMEngine's
visualizer builds by name. What needs a dataset or a model stands
in :mod:`.training_samples`, :mod:`.model_pictures` and :mod:`.recipe_pictures`.
"""

from .contact_sheet import contact_sheet, spread_frames, tile
from .flow import flow_arrows, flow_scale, flow_wheel, wheel_legend
from .masks import hide_masked, overlay_mask, pixel_mask
from .reconstruction import STATISTICS, Reconstruction, from_visible
from .reconstruction_picture import loss_maps, reconstruction_picture
from .tensorboard import LocalTensorboardVisBackend
from .writers import write

__all__ = [
    "STATISTICS",
    "LocalTensorboardVisBackend",
    "Reconstruction",
    "contact_sheet",
    "flow_arrows",
    "flow_scale",
    "flow_wheel",
    "from_visible",
    "hide_masked",
    "loss_maps",
    "overlay_mask",
    "pixel_mask",
    "reconstruction_picture",
    "spread_frames",
    "tile",
    "wheel_legend",
    "write",
]
