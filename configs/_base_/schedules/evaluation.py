"""Nothing is trained."""

test_cfg = dict(type="TestLoop")
