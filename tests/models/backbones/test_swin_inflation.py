import os

import cv2
import pytest
import torch
from mmaction.models.backbones import SwinTransformer3D
from reference.swin_layouts import ARCH, WINDOW, image_swin, official

from mmpmg.models.backbones import MaskedSwinTransformer3D, image_weights, swin_inflation
from mmpmg.models.backbones.swin_inflation import inflate_swin, read_image_swin

SIZE = 128
LAYER_NORM = torch.nn.functional.layer_norm


@pytest.fixture(scope="module")
def image_model():
    return image_swin(SIZE)


def encoder_from(file, kind=MaskedSwinTransformer3D, frames=8, **options):
    if kind is SwinTransformer3D:
        options.update(pretrained2d=False)
    encoder = kind(
        arch=ARCH, window_size=(frames, WINDOW, WINDOW), out_indices=(0, 1, 2, 3),
        init_cfg=dict(type="InflatedSwin", checkpoint=str(file)), **options,
    )  # fmt: skip
    encoder.init_weights()
    encoder.eval()
    return encoder


def save(state, file):
    torch.save(state, file)
    return file


@pytest.mark.parametrize("kind", [SwinTransformer3D, MaskedSwinTransformer3D])
@pytest.mark.parametrize("layout", ["timm", "official", "safetensors"])
def test_a_clip_of_equal_frames_gives_the_image_model_s_features(
    image_model, kind, layout, tmp_path
):
    """Issue: 16 identical frames, features of every stage of timm's Swin, to 1e-4."""
    state = image_model.state_dict()
    if layout == "timm":
        file = save(state, tmp_path / "swin.pth")
    elif layout == "official":
        file = save(dict(model=official(state)), tmp_path / "swin.pth")
    else:
        safetensors = pytest.importorskip("safetensors.torch")
        file = tmp_path / "model.safetensors"
        safetensors.save_file(state, file)
    encoder = encoder_from(file, kind)
    image = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        maps = encoder(image.unsqueeze(2).repeat(1, 1, 16, 1, 1))
        _, stages = image_model.forward_intermediates(image)
        last = image_model.forward_features(image)
    assert len(maps) == len(stages) == 4
    for stage, (video, wanted) in enumerate(zip(maps, stages)):
        wanted = wanted.movedim(1, -1)
        wanted = last if stage == 3 else LAYER_NORM(wanted, wanted.shape[-1:])
        assert wanted.std() > 0.1
        for slot in video.movedim(1, -1).unbind(1):
            torch.testing.assert_close(slot, wanted, rtol=0, atol=1e-4)


def test_frames_that_differ_do_not_give_equal_slots(image_model, tmp_path):
    encoder = encoder_from(save(image_model.state_dict(), tmp_path / "swin.pth"))
    with torch.no_grad():
        last = encoder(torch.randn(1, 3, 16, SIZE, SIZE))[3]
    assert (last[:, :, 0] - last[:, :, 1]).abs().max() > 0.01


def test_what_the_image_model_lacks_is_fresh_and_nothing_else(image_model):
    encoder = MaskedSwinTransformer3D(
        arch=ARCH, window_size=(8, WINDOW, WINDOW), out_indices=(1, 3)
    )
    state = inflate_swin(image_model.state_dict(), encoder, "file")
    result = encoder.load_state_dict(state, strict=False)
    assert not result.unexpected_keys
    fresh = {k for k in result.missing_keys if "relative_position_index" not in k}
    assert fresh == {"mask_token", "norm1.weight", "norm1.bias"}


@pytest.mark.parametrize("window", [2, 7])
def test_another_window_gets_a_resized_table(image_model, window):
    """Tables are resized bicubically: what varies linearly with the distance still does."""
    encoder = MaskedSwinTransformer3D(arch=ARCH, window_size=(4, window, window))
    state = dict(image_model.state_dict())
    key = "layers.1.blocks.0.attn.relative_position_bias_table"
    rows = torch.arange(7.0).repeat_interleave(7).unsqueeze(1)  # distances -3 to 3
    state[key] = rows.repeat(1, 2)
    side = 2 * window - 1
    table = inflate_swin(state, encoder, "file")[key].reshape(7, side, side, 2)
    assert torch.equal(table[0], table[6])
    middle = table[0, :, :, 0]
    torch.testing.assert_close(middle[:, 0], middle[:, -1])
    assert middle[window - 1, 0].item() == pytest.approx(3, abs=1e-4), "distance 0 stays"
    assert (middle.diff(dim=0) > 0).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(embed_dim=24, num_heads=(2, 2, 2, 2)),
         "width 24 and 2-2-2-2 blocks, the recipe's encoder one of width 12 and 2-2-2-2 blocks"),
        (dict(depths=(2, 2, 4, 2)), "2-2-4-2 blocks.*2-2-2-2 blocks.*model.backbone.arch"),
        (dict(num_heads=(1, 2, 6, 12)), "does not fill.*bias_table becomes .*6"),
        (dict(patch_size=2), "patch_embed.proj.weight becomes.*patch size 4"),
    ],
)  # fmt: skip
def test_another_swin_is_refused_with_both_sizes_and_the_key(options, words):
    size = 64 if "patch_size" in options else SIZE
    state = image_swin(size, **options).state_dict()
    encoder = MaskedSwinTransformer3D(arch=ARCH, window_size=(8, WINDOW, WINDOW))
    with pytest.raises(ValueError, match=words):
        inflate_swin(state, encoder, "model.backbone.init_cfg.checkpoint=f.pth")


@pytest.mark.parametrize(
    ("drop", "add", "words"),
    [
        ("layers.3.blocks.1.mlp.fc2.bias", None, "mlp.fc2.bias is missing"),
        (None, "layers.0.blocks.0.attn.logit_scale", "logit_scale is left over.*not V2"),
        ("patch_embed.proj.weight", None, "no Swin Transformer for images.*not there"),
    ],
)
def test_nothing_missing_and_nothing_left_over(image_model, drop, add, words):
    state = dict(image_model.state_dict())
    state.pop(drop, None)
    if add:
        state[add] = torch.zeros(1)
    encoder = MaskedSwinTransformer3D(arch=ARCH, window_size=(8, WINDOW, WINDOW))
    with pytest.raises(ValueError, match=words):
        inflate_swin(state, encoder, "f.pth")


def test_a_video_checkpoint_is_sent_to_load_from():
    encoder = MaskedSwinTransformer3D(arch=ARCH, window_size=(8, WINDOW, WINDOW))
    with pytest.raises(ValueError, match="of a video model.*load_from"):
        inflate_swin(encoder.state_dict(), encoder, "f.pth")


def test_files_that_are_not_there_or_run_code(tmp_path):
    with pytest.raises(FileNotFoundError, match="init_cfg.checkpoint.*timm:swin_tiny"):
        read_image_swin(str(tmp_path / "swin.pth"))
    torch.save(dict(model=dict(evil=Evil(tmp_path / "ran"))), tmp_path / "evil.pth")
    with pytest.raises(Exception, match="evil.pth"):
        read_image_swin(str(tmp_path / "evil.pth"))
    assert not (tmp_path / "ran").exists()
    torch.save(dict(model=3), tmp_path / "three.pth")
    with pytest.raises(ValueError, match="three.pth holds a int"):
        read_image_swin(str(tmp_path / "three.pth"))


class Evil:
    """What leaves a folder behind where it is rebuilt."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_timm_offline_says_how_to_bring_the_weights(monkeypatch):
    timm = pytest.importorskip("timm")

    def offline(name, pretrained):
        assert pretrained
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        ValueError, match="cannot fetch swin_tiny.* .*no route.*checkpoint=swin.pth"
    ):
        read_image_swin("timm:swin_tiny_patch4_window7_224.ms_in1k")


def test_timm_s_own_weights_are_taken(monkeypatch, image_model):
    timm = pytest.importorskip("timm")
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: image_model)
    assert (
        read_image_swin("timm:swin_tiny_patch4_window7_224.ms_in1k").keys()
        == image_model.state_dict().keys()
    )


def test_a_mistyped_name_of_timm_s_gets_those_that_are_alike():
    pytest.importorskip("timm")
    with pytest.raises(ValueError, match="no weights called swin_tini.*swin_tiny_patch4"):
        read_image_swin("timm:swin_tini_patch4_window7_224.ms_in1k")


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_process_of_a_machine_fetches_before_the_others(monkeypatch, rank):
    done = []
    monkeypatch.setenv("LOCAL_RANK", str(rank))
    monkeypatch.setattr(image_weights, "barrier", lambda: done.append("waits"))
    image_weights._first_process_first(lambda: done.append("fetches") or {})
    assert done == (["fetches", "waits"] if rank == 0 else ["waits", "fetches"])


def test_another_transformer_for_images_is_called_that():
    encoder = MaskedSwinTransformer3D(arch=ARCH, window_size=(8, WINDOW, WINDOW))
    state = {"cls_token": torch.zeros(1), "patch_embed.proj.weight": torch.zeros(12, 3, 16, 16),
             "blocks.0.norm1.weight": torch.zeros(12)}  # fmt: skip
    with pytest.raises(ValueError, match="deit.pth is no Swin Transformer.*holds cls_token"):
        inflate_swin(state, encoder, "deit.pth")


def test_a_table_is_resized_as_a_bicubic_picture():
    """Against OpenCV's; a bilinear one is elsewhere."""
    table = torch.randn(49, 2, generator=torch.Generator().manual_seed(0))
    resized = swin_inflation._inflate_table(table, (1, 7, 7)).reshape(13, 13, 2)
    for head in range(2):
        picture = table[:, head].reshape(7, 7).double().numpy()
        wanted = cv2.resize(picture, (13, 13), interpolation=cv2.INTER_CUBIC)
        assert abs(resized[..., head].numpy() - wanted).max() < 1e-4
        rough = cv2.resize(picture, (13, 13), interpolation=cv2.INTER_LINEAR)
        assert abs(rough - wanted).max() > 0.1


@pytest.mark.slow
def test_swin_t_at_its_own_size_gives_the_image_model_s_features():
    """Video Swin-T on 16 x 224 x 224, as the recipes have it."""
    image_model = image_swin(224, embed_dim=96, depths=(2, 2, 6, 2), num_heads=(3, 6, 12, 24),
                             window_size=7)  # fmt: skip
    encoder = MaskedSwinTransformer3D("tiny", out_indices=(1, 3))
    encoder.load_state_dict(inflate_swin(image_model.state_dict(), encoder, "file"), strict=False)
    encoder.eval()
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        second, last = encoder(image.unsqueeze(2).repeat(1, 1, 16, 1, 1))
        stages = image_model.forward_intermediates(image, intermediates_only=True)
        wanted = LAYER_NORM(stages[1].movedim(1, -1), (192,))
        whole = image_model.forward_features(image)
    assert whole.std() > 0.1 and wanted.std() > 0.1
    for slot in range(8):
        torch.testing.assert_close(second[:, :, slot].movedim(1, -1), wanted, rtol=0, atol=1e-4)
        torch.testing.assert_close(last[:, :, slot].movedim(1, -1), whole, rtol=0, atol=1e-4)
