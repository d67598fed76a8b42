"""What the tokenizer benchmark says; nothing here asserts a speed."""

import pytest
import torch
from mmengine.registry import init_default_scope

from mmpmg.evaluation import tokenizer_benchmark
from mmpmg.evaluation.tokenizer_benchmark import (
    COUNT_HEAD,
    HEAD,
    SHARES,
    STEPS,
    SWIN_T,
    TOY,
    TokenizerSides,
    benchmark_tokenizer,
    build_demvm,
    saved,
)

ONE = TOY._replace(batch=2)


@pytest.fixture(scope="module")
def timed():
    init_default_scope("mmaction")  # earlier tests leave others
    return TokenizerSides(ONE, "cpu", torch.float32)


@pytest.mark.parametrize("share", SHARES)
def test_the_parts_are_the_target_and_the_target_is_the_steps(timed, share, monkeypatch):
    mask, everything = timed.masks(share)
    count = int(share * 512)
    assert mask.shape == (2, 512) and (mask.sum(1) == count).all() and everything.all()
    codes = timed.target(timed.clip, mask)
    assert torch.equal(codes, timed.search(mask)) and len(codes) == 2 * count
    assert torch.equal(timed.found, timed.features())
    assert torch.equal(codes, timed.search(everything)[mask.flatten()])

    asked = []
    monkeypatch.setattr(
        type(timed.target), "forward", lambda self, *given: asked.append(given) or codes
    )
    timed.loss()
    ((clip, of_the_step),) = asked
    assert torch.equal(clip.pixels, timed.clip.pixels) and torch.equal(of_the_step, mask)


def test_each_side_does_what_its_name_says(timed, monkeypatch):
    searched, encoded = [], []
    tokenizer = timed.target.tokenizer
    nearest, features = tokenizer.codebook.nearest, tokenizer.features
    monkeypatch.setattr(
        tokenizer.codebook, "nearest", lambda v: searched.append(len(v)) or nearest(v)
    )
    monkeypatch.setattr(
        tokenizer, "features", lambda clip: encoded.append(clip.shape) or features(clip)
    )
    masked, half = 2 * int(0.15 * 512), (2, 3, 16, 32, 32)
    done = {}
    for name, side in timed.sides(0.15).items():
        side(0)
        done[name] = list(searched), list(encoded)
        searched.clear(), encoded.clear()
    assert done == {
        "step": ([masked], [half]),
        "target": ([masked], [half]),
        "features": ([], [half]),
        "masked": ([masked], []),
        "all": ([2 * 512], []),
    }


def test_arithmetic_by_hand(timed):
    counts = timed.counts(0.15)
    # Of a token: its projection from 48 to 64 numbers, and 512 products of 64.
    token = 2 * (48 * 64 + 64 * 512)
    assert counts["masked"] == 2 * int(0.15 * 512) * token
    assert counts["all"] == 2 * 512 * token
    assert counts["target"] == counts["features"] + counts["masked"] < counts["step"]
    more = timed.counts(0.72)
    assert more["features"] == counts["features"]
    assert more["masked"] == 2 * int(0.72 * 512) * token
    assert saved(3, 1, 5) == 50


def test_the_steps_of_the_page():
    assert STEPS["cpu"] == (TOY, SWIN_T) and (TOY.batch, SWIN_T.batch) == (8, 1)
    toy, large = (build_demvm(step.recipe) for step in (TOY, SWIN_T))
    assert (toy.backbone.grid, large.backbone.grid) == ((8, 8, 8), (8, 28, 28))
    told = large.heads["token"].target.tokenizer
    assert (told.num_codes, told.channels, told.layers) == (2048, 240, 4)


def test_the_tables(monkeypatch):
    monkeypatch.setattr(tokenizer_benchmark, "STEPS", {"cpu": (ONE,)})
    said = []
    text = benchmark_tokenizer("cpu", 1, 1, torch.float32, say=said.append)
    rows = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    times, counts = rows[: rows.index(COUNT_HEAD)], rows[rows.index(COUNT_HEAD) :]
    assert times[0] == HEAD and times[-1][1] == "not run yet"
    assert [row[1] for row in times[2:-1]] == [row[1] for row in counts[2:]] == ["15", "72"]
    for row in times[2:-1] + counts[2:]:
        assert row[0] == "toy Swin, small tokenizer, 16 x 64², batch 2"
        assert float(row[3]) > 0 and 0 < float(row[4].split(" %")[0]) < 100
    assert counts[2][7] == counts[3][7] and float(counts[2][6]) < float(counts[3][6])
    assert len(said) == 2


@pytest.mark.gpu
def test_the_step_runs_on_a_gpu():
    sides = TokenizerSides(ONE, "cuda", torch.bfloat16)
    mask, _ = sides.masks(0.72)
    assert torch.equal(sides.target(sides.clip, mask), sides.search(mask))
    text = benchmark_tokenizer("cuda", 1, 1, torch.bfloat16, [ONE])
    assert "Tokenizing on cuda" in text and "not run yet" not in text
