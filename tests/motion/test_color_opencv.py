import numpy as np
import pytest
from reference import motion_reference

from mmpmg.motion.color_opencv import change_color

CASES = [
    ("brightness", 0.8),
    ("brightness", 1.2),
    ("brightness", 0.0),
    ("contrast", 0.7),
    ("contrast", 1.3),
    ("saturation", 0.8),
    ("saturation", 1.2),
    ("saturation", 0.0),
    ("hue", 0.1),
    ("hue", -0.1),
    ("hue", 0.5),
]


def frame():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (16, 20, 3), dtype=np.uint8)
    image[0, :4] = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 0)]
    image[0, 4:8] = [(0, 255, 0), (0, 0, 255), (1, 0, 0), (254, 255, 254)]
    return image


@pytest.mark.parametrize(("name", "amount"), CASES)
def test_a_step_is_what_a_loop_over_pixels_gives(name, amount):
    ours = frame()
    change_color(ours, name, amount)
    theirs = motion_reference.change_color(frame(), name, amount)
    assert np.abs(ours - theirs).max() <= 1.5
    assert np.abs(ours - theirs).mean() <= 0.4


@pytest.mark.parametrize(("name", "amount"), CASES)
def test_a_step_is_torchvisions(name, amount):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    step = getattr(functional, f"adjust_{name}")
    theirs = step(torch.from_numpy(frame()).permute(2, 0, 1), amount).permute(1, 2, 0).numpy()
    ours = frame()
    change_color(ours, name, amount)
    assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_a_hue_turned_all_around_comes_back():
    turned = frame()
    for _ in range(10):
        change_color(turned, "hue", 0.1)
    assert np.abs(turned.astype(int) - frame()).max() <= 4
    change_color(turned, "hue", 0.0)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_factor_one_changes_nothing(name):
    same = frame()
    change_color(same, name, 1.0)
    np.testing.assert_array_equal(same, frame())


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_an_image_of_any_shape_is_coloured(name):
    """OpenCV takes an array of 4 rows and 1 column for a number where it stands beside one."""
    for height in range(1, 6):
        for width in range(1, 6):
            ours, theirs = (np.ascontiguousarray(frame()[:height, :width]) for _ in range(2))
            change_color(ours, name, 0.3)
            theirs = motion_reference.change_color(theirs, name, 0.3)
            assert np.abs(ours - theirs).max() <= 1.5
