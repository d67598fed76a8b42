"""The default runtime, and pictures of the first sequences that are segmented."""

_base_ = "./default_runtime.py"
default_hooks = dict(pictures=dict(type="SegmentationPictureHook"))
