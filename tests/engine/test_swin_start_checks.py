from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from mmpmg.engine.start_checks import check_named_weights, check_start

ARCH = dict(embed_dims=12, depths=(1, 1, 2, 1), num_heads=(1, 2, 3, 4))
KINDS = [
    dict(type="SwinTransformer3D", pretrained2d=False),
    dict(type="MaskedSwinTransformer3D", with_mask_token=False),
]


def recognizer(kind, width=96, arch=ARCH, **backbone):
    init_default_scope("mmaction")
    return MODELS.build(
        dict(
            type="Recognizer3D",
            backbone=dict(kind, arch=arch, window_size=(2, 4, 4), **backbone),
            cls_head=dict(type="I3DHead", in_channels=width, num_classes=3),
        )
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["type"])
def test_a_classifier_of_another_width_is_refused_before_the_first_step(kind):
    with pytest.raises(ValueError, match="in_channels=768, but model.backbone gives 96 numbers"):
        check_start(SimpleNamespace(model=recognizer(kind, width=768)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["type"])
def test_named_weights_of_another_swin_are_refused(kind, tmp_path):
    file = str(tmp_path / "encoder.pth")
    state = recognizer(kind, width=192, arch=dict(ARCH, embed_dims=24)).state_dict()
    torch.save(dict(state_dict=state), file)
    named = [dict(type="Pretrained", checkpoint=file, prefix="backbone.")]
    with pytest.raises(ValueError, match=r"model.backbone.init_cfg with checkpoint=.*\(24, 3, 2"):
        check_named_weights(recognizer(kind, init_cfg=named))
    torch.save(dict(state_dict=recognizer(kind).state_dict()), file)
    check_named_weights(recognizer(kind, init_cfg=named))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["type"])
def test_a_prefix_that_distributed_training_has_made_longer_is_told(kind, tmp_path):
    file, trained = str(tmp_path / "encoder.pth"), recognizer(kind)
    torch.save({f"module.{key}": value for key, value in trained.state_dict().items()}, file)
    named = dict(type="Pretrained", checkpoint=file, prefix="backbone.")
    with pytest.raises(ValueError, match=r"begin with 'module\.'.*: prefix='module\.backbone\.'"):
        check_named_weights(recognizer(kind, init_cfg=[named]))
    fitting = recognizer(kind, init_cfg=[dict(named, prefix="module.backbone")])
    check_named_weights(fitting)
    fitting.backbone.init_weights()
    own, wanted = fitting.backbone.state_dict(), trained.backbone.state_dict()
    assert all(torch.equal(own[key], value) for key, value in wanted.items())
