"""Pre-training on clips that sway, or zoom as in the paper; images are made while training."""

_base_ = "mmpmg::pmg/vit-toy_generated_smoke.py"
custom_imports = dict(imports=["mmpmg", "sway"], allow_failed_imports=False)
train_dataloader = dict(
    dataset=dict(
        pipeline=dict(motion=dict(ops=dict(affine=None, sway=dict(type="Sway", angle=20.0))))
    )
)
