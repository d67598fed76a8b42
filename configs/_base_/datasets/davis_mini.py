"""Two sequences of DAVIS-2016, their first 30 frames at 428 x 240, one object each."""

_base_ = "./davis2017.py"
test_dataloader = dict(
    dataset=dict(
        data_root="data/davis_mini", sequences="ImageSets/240p/mini.txt", resolution="240p"
    ),
)
