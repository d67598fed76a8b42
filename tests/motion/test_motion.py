import copy
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from mmpmg.motion import OPS, Deformation, Layer, Matte, Motion, Paste, render

SIZE = (40, 53)


def noise(seed, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def moving(**changes):
    values = {"family": "x", "size": (8, 9), "homographies": np.tile(np.eye(3), (4, 1, 1))}
    return Motion(**{**values, **changes})


@pytest.mark.parametrize("family", OPS)
def test_a_motion_survives_json_bit_by_bit(family):
    motion = OPS[family]().sample(np.random.default_rng(5), 7, SIZE)
    restored = Motion.from_dict(json.loads(json.dumps(motion.to_dict())))
    assert restored == motion
    assert hash(restored) == hash(motion)
    assert restored.homographies.tobytes() == motion.homographies.tobytes()
    assert restored.color.tobytes() == motion.color.tobytes()
    partners = [noise(1), noise(2)]
    np.testing.assert_array_equal(
        render(noise(0), restored, partners), render(noise(0), motion, partners)
    )


@pytest.mark.parametrize("family", OPS)
def test_a_motion_travels_between_processes(family):
    motion = OPS[family]().sample(np.random.default_rng(5), 7, SIZE)
    assert pickle.loads(pickle.dumps(motion)) == motion


def everything():
    """A motion with a part of each kind."""
    waves = Deformation(np.array([[0.2, 0.1]]), np.array([0.3]), np.full((4, 1, 2), 2.0))
    moved = moving(border="replicate", deformation=waves)
    return moving(
        paste=Paste((0, 0, 2, 2), np.zeros((4, 2))),
        deformation=waves,
        layers=(Layer(Matte("blob", (4.0, 3.5), 1.5), moved),),
        color_ops=("hue",),
        color=np.full((4, 1), 0.1),
    )


@pytest.mark.parametrize(
    "travel",
    [
        copy.copy,
        copy.deepcopy,
        lambda value: pickle.loads(pickle.dumps(value)),
        lambda value: pickle.loads(pickle.dumps(value, 5)),
    ],
)
def test_nobody_can_write_to_a_motion_that_has_travelled(travel):
    motion = everything()
    part = motion.layers[0].motion
    for value in (motion, part, motion.deformation, part.deformation, motion.paste):
        arrived = travel(value)
        assert arrived == value and hash(arrived) == hash(value)
        arrays = [each for each in vars(arrived).values() if isinstance(each, np.ndarray)]
        assert arrays and not any(array.flags.writeable for array in arrays)
    arrived = travel(motion)
    for each in (arrived.deformation.amplitudes, arrived.layers[0].motion.homographies):
        assert not each.flags.writeable


def test_motions_differ_when_any_number_of_any_part_does():
    motion = everything()
    layer = motion.layers[0]
    waves = replace(motion.deformation, phases=np.array([0.4]))
    others = [
        replace(motion, family="y"),
        replace(motion, interpolation="nearest"),
        replace(motion, color=np.full((4, 1), 0.2)),
        replace(motion, color_ops=("brightness",)),
        replace(motion, paste=None),
        replace(motion, paste=Paste((0, 0, 2, 3), np.zeros((4, 2)))),
        replace(motion, paste=Paste((0, 0, 2, 2), np.ones((4, 2)))),
        replace(motion, deformation=None),
        replace(motion, deformation=waves),
        replace(motion, layers=()),
        replace(motion, layers=(layer, layer)),
        replace(motion, layers=(replace(layer, matte=replace(layer.matte, softness=1.0)),)),
        replace(motion, layers=(replace(layer, motion=replace(layer.motion, border=1)),)),
        replace(motion, layers=(replace(layer, motion=replace(layer.motion, deformation=waves)),)),
    ]
    assert motion == everything()
    for number, other in enumerate(others):
        assert motion != other, number


def test_a_motion_is_a_value():
    homographies = np.tile(np.eye(3), (4, 1, 1))
    motion = moving(homographies=homographies)
    homographies[0, 0, 2] = 5.0
    assert (motion.homographies == np.eye(3)).all()
    with pytest.raises(ValueError, match="read-only"):
        motion.homographies[0, 0, 2] = 5.0
    assert motion == moving()
    assert motion != moving(border=(1, 0, 0))
    assert motion != moving(homographies=homographies)


def test_warp_steps_lead_from_frame_to_frame():
    motion = OPS["Perspective"]().sample(np.random.default_rng(0), 6, SIZE)
    steps = motion.warp_steps()
    product = np.eye(3)
    for k, step in enumerate(steps):
        product = product @ step
        np.testing.assert_allclose(product, motion.homographies[k], rtol=1e-9, atol=1e-9)


def test_warp_step_of_a_still_frame_is_the_exact_identity():
    turned = OPS["Affine"]().sample(np.random.default_rng(0), 2, SIZE).homographies[1]
    motion = moving(homographies=np.stack([np.eye(3), turned, turned]))
    np.testing.assert_array_equal(motion.warp_steps()[2], np.eye(3))


def test_color_steps_lead_from_frame_to_frame_and_black_stays_black():
    color = np.array([[1.0, 0.0], [0.5, 0.2], [0.0, 0.4], [0.0, 0.6]])
    motion = moving(color_ops=("brightness", "hue"), color=color)
    np.testing.assert_allclose(
        motion.color_steps(), [[1.0, 0.0], [0.5, 0.2], [0.0, 0.2], [1.0, 0.2]], atol=1e-12
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"homographies": np.eye(3)}, r"\(T, 3, 3\)"),
        ({"homographies": np.zeros((4, 3, 3))}, "invertible"),
        ({"homographies": np.full((4, 3, 3), np.nan)}, "finite"),
        ({"homographies": np.zeros((0, 3, 3))}, "num_frames=0"),
        ({"size": (0, 9)}, "at least 1 pixel"),
        ({"resampling": "recursiv"}, "recursive, composed"),
        ({"interpolation": "cubic"}, "bilinear, nearest"),
        ({"border": 256}, "0..255"),
        ({"color_ops": ("gamma",), "color": np.ones((4, 1))}, "brightness, contrast"),
        ({"color_ops": ("hue",), "color": np.ones((3, 1))}, r"\(4, 1\)"),
        ({"paste": Paste((0, 0, 2, 2), np.zeros((3, 2)))}, "3 positions for 4 frames"),
        (
            {"paste": Paste((0, 0, 2, 2), np.zeros((4, 2))), "resampling": "recursive"},
            "composed",
        ),
    ],
)
def test_what_cannot_be_rendered_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        moving(**changes)


def test_from_dict_names_missing_and_unknown_keys():
    data = moving().to_dict()
    data["sise"] = data.pop("size")
    with pytest.raises(ValueError, match=r"missing keys \['size'\], unknown keys \['sise'\]"):
        Motion.from_dict(data)


@pytest.mark.parametrize(
    ("kind", "find"),
    [
        ("Paste", lambda data: data["paste"]),
        ("Deformation", lambda data: data["deformation"]),
        ("Layer", lambda data: data["layers"][0]),
        ("Matte", lambda data: data["layers"][0]["matte"]),
        ("Motion", lambda data: data["layers"][0]["motion"]),
    ],
)
def test_from_dict_names_the_keys_of_every_part(kind, find):
    motion = everything()
    assert Motion.from_dict(motion.to_dict()) == motion
    for key in find(motion.to_dict()):
        data = motion.to_dict()
        find(data)["extra"] = find(data).pop(key)
        told = rf"{kind} has missing keys \['{key}'\], unknown keys \['extra'\]"
        with pytest.raises(ValueError, match=told):
            Motion.from_dict(data)
    data = motion.to_dict()
    data["layers"] = [5]
    with pytest.raises(ValueError, match="Layer must be a dict of its fields, got 5"):
        Motion.from_dict(data)
