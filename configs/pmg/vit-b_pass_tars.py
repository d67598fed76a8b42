"""PMG on 100,000 images of PASS, read out of its ten tars in place; otherwise as vit-b_pass.py.

tools/dist_train.sh configs/pmg/vit-b_pass_tars.py 8
"""

_base_ = "./vit-b_shaders1k.py"
train_dataloader = dict(
    dataset=dict(
        images=dict(
            _delete_=True,
            type="ArchiveImages",
            archives="data/PASS.*.tar",
            hint="Get the ten tars of https://www.robots.ox.ac.uk/~vgg/data/pass into data/; configs/pmg/vit-b_generated.py needs no download.",
        ),
    )
)
