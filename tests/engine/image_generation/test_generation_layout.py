from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmpmg.datasets import ShaderImages
from mmpmg.engine.image_generation.errors import GenerationError
from mmpmg.engine.image_generation.layout import Layout, Shard, by_category

layouts = st.builds(Layout, st.integers(1, 80), st.integers(1, 30), st.just(".png"))


def plain_paths(layout: Layout) -> dict[str, int]:
    """File of every image -> its index, from the definition: index = instance * K + category."""
    paths = {}
    for index in range(layout.num):
        instance, category = divmod(index, layout.num_categories)
        paths[f"{category:05d}/{category:05d}_{instance:06d}.png"] = index
    return paths


@given(layouts)
def test_places_are_the_first_images_in_the_order_of_their_paths(layout):
    expected = plain_paths(layout)
    paths = [layout.path(place) for place in range(layout.num)]
    assert paths == sorted(expected)
    assert [layout.index(place) for place in range(layout.num)] == [expected[p] for p in paths]


@given(layouts)
def test_a_path_leads_back_to_its_place_and_nothing_else_does(layout):
    for place in range(layout.num):
        assert layout.place(layout.path(place)) == place
    for stranger in (
        "notes.txt", "00000_000000.png", "00000/00000_0.png", "00000/00000_000000.jpg",
        "00001/00000_000000.png", "./00000/00000_000000.png", "00000/00000_-00001.png",
        "00000/00000_000000.png.png", "/00000/00000_000000.png", "00000/٠٠٠٠٠_000000.png",
        f"{layout.num_categories:05d}/{layout.num_categories:05d}_000000.png",
        f"00000/00000_{layout.count(0):06d}.png",
    ):  # fmt: skip
        assert layout.place(stranger) is None, stranger


@given(layouts, st.integers(0, 40))
def test_more_images_move_none(layout, more):
    larger = Layout(layout.num + more, layout.num_categories, layout.ending)
    before, after = plain_paths(layout), plain_paths(larger)
    assert before.items() <= after.items()
    assert {larger.path(place) for place in range(larger.num)} >= set(before)


@given(layouts, st.integers(1, 12))
def test_shards_are_disjoint_complete_and_equal(layout, count):
    parts = [Shard(number, count).places(layout.num) for number in range(count)]
    assert [place for part in parts for place in part] == list(range(layout.num))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(layouts, st.data())
def test_a_run_of_places_splits_at_its_categories(layout, data):
    start = data.draw(st.integers(0, layout.num))
    places = range(start, data.draw(st.integers(start, layout.num)))
    parts = list(by_category(layout, places))
    assert [place for _, part in parts for place in part] == list(places)
    assert all({layout.category(place) for place in part} == {c} for c, part in parts)


def test_addresses_are_the_generators_own():
    source = ShaderImages(num_categories=7, images_per_category=9)
    layout = Layout(len(source), source.num_categories, ".png")
    for place in range(layout.num):
        category, instance = source.address(layout.index(place))
        assert layout.path(place) == f"{category:05d}/{category:05d}_{instance:06d}.png"
        assert source.categories()[layout.index(place)] == category


def test_more_than_100000_categories_still_sort():
    layout = Layout(250_000, 200_000, ".png")
    assert layout.path(0) == "000000/000000_000000.png"
    assert layout.path(layout.num - 1) == "199999/199999_000000.png"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8/8", ["8/8", "count from 0", "0/8 to 7/8", "--array=0-7"]),
        ("-1/8", ["-1/8", "0/8 to 7/8"]),
        ("0/0", ["0/0", "1 shard or more"]),
        ("3", ["--shard 3", "NUMBER/COUNT"]),
        ("/8", ["--shard /8", "NUMBER/COUNT"]),  # SLURM_ARRAY_TASK_ID is not set
        ("1/2/3", ["NUMBER/COUNT"]),
    ],
)
def test_a_shard_out_of_range_is_refused(text, words):
    with pytest.raises(GenerationError) as refusal:
        Shard.parse(text)
    assert all(word in str(refusal.value) for word in words)


def test_a_shard_is_read():
    assert Shard.parse("7/8") == Shard(7, 8)
    assert str(Shard(7, 8)) == "7/8"
