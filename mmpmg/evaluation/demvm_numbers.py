"""DEMVM's numbers in percent, by the recipes that would repeat them.

A recipe that stands in several tables is listed under the first: ``swin-t_ucf101`` is the best row
of Tables 1, 6 and 7, ``swin-t_ucf101_random`` the row of equal ratios in Table 6 and that of PMR
without FGDM in Table 7. Table 5 repeats numbers of Tables 1 and 2, but for one.
"""

from __future__ import annotations

from .paper_number import PaperNumbers, columns

TINY, BASE, HMDB51 = "finetune/swin-t_ucf101", "finetune/swin-b_ucf101", "finetune/swin-b_hmdb51"
MIMETICS = "linear_probe/swin-t_mimetics_2-shot"
ARM = "demvm/swin-t_ucf101"
"""What Tables 4, 6 and 7 change one thing of."""

DEMVM_NUMBERS: PaperNumbers = {
    **columns(
        "DEMVM, Table 1",
        (TINY, BASE),
        {ARM: (88.9, None), "demvm/swin-b_ucf101": (None, 92.2)},
    ),
    **columns(
        "DEMVM, Table 2",
        (HMDB51,),
        {"demvm/swin-b_ucf101": (62.3,), "demvm/swin-b_hmdb51": (63.9,)},
    ),
    **columns("DEMVM, Table 4", (MIMETICS,), {f"{ARM}_random": (8.3,), ARM: (14.1,)}),
    **columns("DEMVM, Table 5", (BASE,), {"demvm/swin-b_hmdb51": (90.9,)}),
    **columns(
        "DEMVM, Table 6",
        (TINY,),
        {
            f"{ARM}_dense-90": (88.2,),
            f"{ARM}_dense-80": (88.4,),
            f"{ARM}_dense-60": (88.7,),
            f"{ARM}_random": (87.6,),
            f"{ARM}_dense-40": (87.8,),
            f"{ARM}_dense-30": (87.6,),
            f"{ARM}_dense-20": (87.4,),
            f"{ARM}_dense-10": (87.4,),
        },
    ),
    **columns(
        "DEMVM, Table 7",
        (TINY,),
        {
            f"{ARM}_baseline": (82.1,),
            f"{ARM}_3d-tokenizer": (85.8,),
            f"{ARM}_lightweight-decoder": (86.5,),
            f"{ARM}_stratified-rate": (86.9,),
            f"{ARM}_fixed-ratios": (88.2,),
        },
    ),
}
