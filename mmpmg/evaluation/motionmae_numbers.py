"""MotionMAE's numbers in percent, by the recipes that would repeat them.

Table 9 prints 94.3 for what is 94.0 in Tables 3 and 7. The rows of Table 10 have lost their names
in our copy; the text says which of the two is worse.
"""

from __future__ import annotations

from typing import NamedTuple

from .paper_number import PaperNumbers, columns

SSV2, KINETICS400, UCF101 = (
    "finetune/vit-b_ssv2_motionmae",
    "finetune/vit-b_kinetics400_motionmae",
    "finetune/vit-b_ucf101_motionmae",
)
SSV2_LARGE = "finetune/vit-l_ssv2_motionmae"
ARM = "motionmae/vit-b_ssv2_400e"
"""What Table 5 changes one thing of."""

MOTIONMAE_NUMBERS: PaperNumbers = {
    **columns(
        "MotionMAE, Table 1",
        (SSV2, SSV2_LARGE, f"{SSV2_LARGE}_32-frames"),
        {
            "motionmae/vit-b_ssv2": (71.8, None, None),
            "motionmae/vit-l_ssv2": (None, 74.6, 75.5),
            "motionmae/vit-l_kinetics400": (None, 74.3, None),
        },
    ),
    **columns(
        "MotionMAE, Table 2",
        (KINETICS400, "finetune/vit-l_kinetics400_motionmae"),
        {
            "motionmae/vit-b_kinetics400": (81.7, None),
            "motionmae/vit-l_kinetics400": (None, 85.3),
        },
    ),
    **columns(
        "MotionMAE, Table 3",
        (UCF101,),
        {"motionmae/vit-b_ucf101": (94.0,), "motionmae/vit-b_kinetics400": (96.3,)},
    ),
    **columns(
        "MotionMAE, Table 5",
        (SSV2,),
        {
            ARM: (68.4,),
            f"{ARM}_frame-only": (67.8,),
            f"{ARM}_motion-only": (67.6,),
            f"{ARM}_weights-1-2": (68.2,),
            f"{ARM}_weights-2-1": (68.3,),
            f"{ARM}_granularity-2": (67.8,),
            f"{ARM}_granularity-3": (67.4,),
            f"{ARM}_width-128": (67.5,),
            f"{ARM}_width-512": (68.3,),
            f"{ARM}_depth-1": (67.4,),
            f"{ARM}_depth-8": (68.2,),
            f"{ARM}_l1": (67.6,),
            f"{ARM}_smooth-l1": (67.5,),
        },
    ),
    **columns(
        "MotionMAE, Table 7",
        (UCF101,),
        {
            "motionmae/vit-b_ucf101_frame-only": (93.1,),
            "motionmae/vit-b_ucf101_optical-flow": (93.5,),
        },
    ),
    **columns(
        "MotionMAE, Table 8",
        (KINETICS400,),
        {
            "motionmae/vit-b_kinetics400_400e_time-only": (74.6,),
            "motionmae/vit-b_kinetics400_400e_random": (78.8,),
            "motionmae/vit-b_kinetics400_400e": (79.0,),
        },
    ),
    **columns(
        "MotionMAE, Table 9",
        (UCF101, SSV2),
        {"motionmae/vit-b_ucf101_mask-90": (92.7, None), f"{ARM}_mask-75": (None, 66.0)},
    ),
    **columns(
        "MotionMAE, Table 10",
        (SSV2,),
        {f"{ARM}_shared-decoder": (68.0,)},
    ),
}


class SegmentationNumber(NamedTuple):
    """MotionMAE, Table 4: frozen features on DAVIS-2017, in percent.

    Attributes:
        both: J&F-Mean.
        region: J-Mean.
        contour: F-Mean.
    """

    both: float
    region: float
    contour: float


SEGMENTATION_NUMBERS = {
    ("vos/vit-b_davis2017", "motionmae/vit-b_kinetics400"): SegmentationNumber(56.8, 55.8, 57.8),
}
"""(evaluation, pre-training) -> numbers."""

SEGMENTATION_OF_OTHERS = {
    ("MAE", "ImageNet-1K"): SegmentationNumber(50.9, 49.3, 52.6),
    ("MAE", "Kinetics-400"): SegmentationNumber(53.5, 52.6, 54.4),
    ("VideoMAE", "Kinetics-400"): SegmentationNumber(53.8, 53.2, 54.4),
}
"""(method, pre-training) -> numbers; no recipe here is theirs."""
