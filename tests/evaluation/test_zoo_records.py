"""What people write into ``zoo/records.yml``: read as written, or refused in a sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mmpmg.evaluation.zoo.methods import recipe_title, zoo_recipes
from mmpmg.evaluation.zoo.records import (
    WeightFile,
    file_problem,
    page_of,
    read_records,
    spellings,
)

EMPTY = "Results: []\nMeasurements: []\nPublished: []\n"
DIGEST = hashlib.sha256(b"weights").hexdigest()


def write(root: Path, text: str) -> Path:
    (root / "zoo").mkdir(exist_ok=True)
    (root / "zoo/records.yml").write_text(text)
    return root


def published(where: str = f"https://host/encoder-{DIGEST[:8]}.pth", digest: str = DIGEST) -> str:
    return (
        f"Results: []\nMeasurements: []\nPublished:\n- Recipe: pmg/vit-b_shaders1k\n"
        f"  Files: [{{Where: {where}, SHA256: '{digest}'}}]\n"
    )


def test_records_are_read(tmp_path):
    records = read_records(write(tmp_path, published()))
    (item,) = records.published
    assert (item.recipe, item.pretraining, item.log) == ("pmg/vit-b_shaders1k", "", "")
    assert item.files == (WeightFile(f"https://host/encoder-{DIGEST[:8]}.pth", DIGEST),)
    assert not records.results


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Results: []\n", "must have the lists Measurements, Published, Results"),
        (EMPTY.replace("Results: []", "Results: [{Recipe: a/b}]"), "lacks Metrics, Row"),
        (
            EMPTY.replace("Results: []", "Results: [{Recipe: a, Metrics: {x: 1}, Row: r, Top: 1}]"),
            "unknown key Top",
        ),
        (EMPTY.replace("Results: []", "Results: [{Recipe: a, Metrics: [], Row: r}]"), "NAME: NUM"),
        (EMPTY.replace("Published: []", "Published: [{Recipe: a, Files: []}]"), "no Files"),
        (
            EMPTY.replace(
                "Results: []", "Results:" + 2 * "\n- {Recipe: a, Metrics: {x: 1}, Row: r}"
            ),
            "a after scratch stands twice",
        ),
        (
            EMPTY.replace("ments: []", "ments: [{Recipes: [a], Memory: about 3 GB, Row: r}]"),
            "must begin with its number",
        ),
        (published(digest="12ab"), "64 small hexadecimal digits"),
        (published(where="https://host/encoder.pth"), f"lacks {DIGEST[:8]}"),
    ],
)
def test_a_record_of_another_form_is_refused(tmp_path, text, told):
    with pytest.raises(ValueError, match=told):
        read_records(write(tmp_path, text))


def test_without_a_checkout_it_says_so(tmp_path):
    with pytest.raises(ValueError, match="checkout of the repository"):
        read_records(tmp_path)


def test_a_file_in_the_repository_must_have_its_sha256(tmp_path):
    place = f"zoo/files/encoder-{DIGEST[:8]}.pth"
    file = WeightFile(place, DIGEST)
    assert "does not exist" in file_problem(tmp_path, file)
    (tmp_path / "zoo/files").mkdir(parents=True)
    (tmp_path / place).write_bytes(b"weights")
    assert file_problem(tmp_path, file) is None
    (tmp_path / place).write_bytes(b"weightz")
    assert "damaged" in file_problem(tmp_path, file)
    assert file_problem(tmp_path, file._replace(where=f"https://host/{DIGEST}.pth")) is None


def test_a_number_is_found_whole_and_in_its_own_row(tmp_path):
    (tmp_path / "docs/deep").mkdir(parents=True)
    (tmp_path / "README.md").write_text("| arm | 121.1 | 21.15 |\n| arm-b | 21.1 |\nan arm: 21.1\n")
    (tmp_path / "docs/zoo.md").write_text("| arm | 21.1 |\n")  # would confirm itself
    assert page_of(tmp_path, "arm |", [("21.1",)]) is None
    (tmp_path / "docs/deep/runs.md").write_text("| arm | 9.0 | 21.1 ± 2.0 |\n")
    assert page_of(tmp_path, "arm |", [("21.1",)]) == "docs/deep/runs.md"
    assert page_of(tmp_path, "arm |", [("21.1",), ("9.5",)]) is None
    (tmp_path / "docs/shares.md").write_text("| arm | 0.211 | **0.301** |\n")
    found = page_of(tmp_path, "arm |", [spellings(21.1), spellings(30.1)])
    assert found == "docs/shares.md"


@pytest.mark.parametrize(
    ("recipe", "title"),
    [
        ("pmg/vit-b_hmdb51-frames_zoom-affine", ("vit-b", "frames of HMDB51", ("zoom-affine",))),
        ("pmg/vit-b_hmdb51-videos_aug", ("vit-b", "HMDB51", ("aug",))),
        ("pmg/vit-b_pass-shaders1k_20k", ("vit-b", "PASS and Shaders1k", ("20k",))),
        ("finetune/vit-b_uav-human_1gpu", ("vit-b", "UAV-Human", ("1gpu",))),
        ("tokenizer/vqvae3d_toy_photographs", ("vqvae3d-toy", "photographs of BSDS500", ())),
    ],
)
def test_a_name_says_what_the_recipe_is(recipe, title):
    found = recipe_title(recipe)
    assert (found.arch, found.data, found.deltas) == title


@pytest.mark.parametrize("recipe", ["other/vit-b_ucf101", "pmg/vit-x_ucf101", "pmg/vit-b_movies"])
def test_a_name_with_a_new_word_asks_for_its_meaning(recipe):
    with pytest.raises(ValueError, match=r"has no name in the zoo.*zoo/methods\.py"):
        recipe_title(recipe)


def test_bases_and_mere_trials_are_outside(tmp_path):
    for name in ("pmg/vit-b_pass", "pmg/vit-toy_generated_smoke", "_base_/models", "vos/x_demo"):
        path = tmp_path / "configs" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert zoo_recipes(tmp_path) == ["pmg/vit-b_pass"]
