"""MotionMAE's second branch with a target of your own; images are made while training."""

_base_ = "mmpmg::motionmae/vit-toy_generated_smoke.py"
custom_imports = dict(imports=["mmpmg", "acceleration"], allow_failed_imports=False)
model = dict(
    branches=dict(motion=dict(head=dict(target=dict(_delete_=True, type="AccelerationTarget"))))
)
