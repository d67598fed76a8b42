"""Pre-training under masks of 2 x 2 tokens; images are made while training."""

_base_ = "mmpmg::pmg/vit-toy_generated_smoke.py"
custom_imports = dict(imports=["mmpmg", "block_tube"], allow_failed_imports=False)
model = dict(masker=dict(_delete_=True, type="BlockTubeMasker", mask_ratio=0.75, block=2))
