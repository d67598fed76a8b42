"""DAVIS-2017, the 30 sequences for validation at 480p, with masks of every frame.

data/DAVIS is what DAVIS-2017-trainval-480p.zip unpacks to.
"""

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="DAVISDataset",
        data_root="data/DAVIS",
        sequences="ImageSets/2017/val.txt",
        resolution="480p",
        pipeline=dict(
            read=dict(type="LoadSequence"),
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(
                type="PackActionInputs",
                algorithm_keys=("gt_masks",),
                meta_keys=("sequence", "object_ids", "filename"),
            ),
        ),
    ),
)
test_evaluator = dict(type="DAVISMetric")
