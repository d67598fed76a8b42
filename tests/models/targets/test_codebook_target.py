"""The codes of masked tokens: which, in what order, and what stays out of the model."""

import copy

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn

from mmpmg.models.targets import CodebookTarget, WholeClip
from mmpmg.models.tokenizers import shrink

TOKENIZER = dict(type="VQVAE3D", num_codes=16, code_dim=6, channels=8, layers=1)


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def target(**options):
    torch.manual_seed(0)
    options = dict(dict(token_shape=(2, 8, 8), tokenizer=dict(TOKENIZER), random=True), **options)
    made = CodebookTarget(**options)
    # Codes among the clips' own vectors, so that they differ.
    vectors = made.tokenizer.code_vectors(
        made.tokenizer.features(shrink(clips(), 2)).movedim(1, -1).flatten(0, 3)
    )
    made.tokenizer.codebook.embeddings.copy_(vectors[torch.randperm(len(vectors))[:16]])
    return made


def clips(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, 3, 8, 32, 32, generator=generator)


def masks(seed=0):
    return torch.rand(3, 64, generator=torch.Generator().manual_seed(seed)) < 0.4


def test_codes_are_those_of_the_shrunken_clip_at_masked_tokens_in_order():
    made, pixels, mask = target(), clips(), masks()
    table = made.tokenizer.encode(shrink(pixels, 2))
    expected = []
    for sample in range(3):
        for token in range(64):
            if mask[sample, token]:
                t, h, w = token // 16, token // 4 % 4, token % 4
                expected.append(table[sample, t, h, w].item())
    codes = made(WholeClip(pixels), mask)
    assert codes.dtype == torch.int64
    assert codes.tolist() == expected
    assert len(set(expected)) > 8
    assert made.num_codes == 16


def test_the_search_is_for_masked_tokens_only(monkeypatch):
    made, mask = target(), masks()
    searched = []
    nearest = made.tokenizer.codebook.nearest
    monkeypatch.setattr(
        made.tokenizer.codebook, "nearest", lambda rows: searched.append(len(rows)) or nearest(rows)
    )
    made(WholeClip(clips()), mask)
    assert searched == [int(mask.sum())]


def test_nothing_masked_gives_no_codes():
    assert target()(WholeClip(clips()), torch.zeros(3, 64, dtype=torch.bool)).shape == (0,)


def test_the_tokenizer_is_no_part_of_the_model():
    model = nn.ModuleDict(dict(head=target()))
    assert list(model.state_dict()) == []
    assert list(model.parameters()) == []
    before = copy.deepcopy(model["head"].tokenizer.state_dict())
    model.train()
    codes = model["head"](WholeClip(clips()), masks())
    assert codes.equal(model["head"](WholeClip(clips()), masks()))
    for key, value in model["head"].tokenizer.state_dict().items():
        assert value.equal(before[key]), "it neither learns nor counts"
    assert not any(part.training for part in model["head"].tokenizer.modules())
    assert not any(p.requires_grad for p in model["head"].tokenizer.parameters())


def test_pixels_get_no_gradient_and_half_precision_does_not_reach_a_cpu():
    made, pixels = target(), clips().requires_grad_()
    plain = made(WholeClip(pixels), masks())
    assert not plain.requires_grad
    with torch.autocast("cpu", torch.bfloat16):
        assert made(WholeClip(pixels), masks()).equal(plain)


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "least"), [("float32", 0.99), ("bfloat16", 0.8)])
def test_the_tokenizer_follows_the_clips_to_a_gpu(dtype, least):
    made = target(dtype=dtype)
    plain = made(WholeClip(clips()), masks())
    there = made(WholeClip(clips().cuda()), masks().cuda())
    assert (there.cpu() == plain).float().mean() > least


def test_weights_come_from_the_checkpoint(tmp_path):
    trained = target().tokenizer
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / "epoch_1.pth")
    made = MODELS.build(
        dict(
            type="CodebookTarget",
            token_shape=(2, 8, 8),
            tokenizer=TOKENIZER,
            checkpoint=str(tmp_path / "epoch_1.pth"),
        )
    )
    made.check(8, nn.Identity())
    expected = trained.encode(shrink(clips(), 2)).flatten(1)[masks()]
    assert made(WholeClip(clips()), masks()).equal(expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(token_shape=(2, 16, 16)), r"stands for \(2, 8, 8\) pixels.*token is \(2, 16, 16\)"),
        (dict(scale=1), r"stands for \(2, 4, 4\) pixels.*after scale=1"),
        (dict(token_shape=(4, 8, 8)), r"token is \(4, 8, 8\)"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_model_is_built(options, words):
    made = target(**options)
    with pytest.raises(ValueError, match=words):
        made.check(8, nn.Identity())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(random=False), r"checkpoint=None.*configs/tokenizer.*random=True"),
        (dict(checkpoint="no.pth"), r"random=True takes no checkpoint.*checkpoint=None as well"),
    ],
)
def test_weights_or_chance_is_asked_before_a_file_is_read(options, words):
    with pytest.raises(ValueError, match=words):
        target(**options)


def test_clips_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="clips of 7 frames"):
        target().check(7, nn.Identity())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(dtype="half"), "dtype='half' is unknown"),
        (dict(random=1), "random=1 must be True or False"),
        (dict(scale=0), "scale=0"),
    ],
)
def test_an_option_out_of_its_range_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        target(**options)
