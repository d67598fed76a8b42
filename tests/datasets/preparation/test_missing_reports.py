"""A report of what is missing belongs to the list beside it."""

import pytest

from mmpmg.datasets.preparation import PathLabelLists, PreparationError, PreparationOptions, prepare

NAMES = [f"class_{k:02d}/{k}.avi" for k in range(12)]


def test_a_list_that_stays_keeps_its_report(tmp_path, put):
    """A run that ends with "Nothing was written" has written nothing."""
    put(tmp_path / "ikeafa/videos", [*NAMES, *(f"val_{name}" for name in NAMES)])
    for part, before in (("train", ""), ("val", "val_")):
        rows = [f"{before}{name};{k}\n" for k, name in enumerate(NAMES)]
        (tmp_path / f"{part}.csv").write_text("".join([*rows, "class_03/gone.avi;3\n"]))

    def run(**options):
        source = PathLabelLists("ikeafa", tmp_path / "train.csv", tmp_path / "val.csv")
        if "train" in options:
            source = PathLabelLists("ikeafa", options.pop("train"), tmp_path / "val.csv")
        general = dict(root=tmp_path, open_videos=False) | options
        prepare(source, PreparationOptions(**general), lambda line: None)

    text = (tmp_path / "val.csv").read_text().replace("class_03/gone", "class_03/val_gone")
    (tmp_path / "val.csv").write_text(text)
    run(allow_missing=True)
    report = tmp_path / "ikeafa/ikeafa_train_videos.missing.txt"
    before = {path.name: path.read_text() for path in (tmp_path / "ikeafa").glob("*.txt")}
    assert "gone.avi" in report.read_text()
    other = tmp_path / "other.csv"
    other.write_text("".join(f"{name};{11 - k}\n" for k, name in enumerate(NAMES)))
    other.write_text(other.read_text() + "class_05/lost.avi;5\n")
    with pytest.raises(PreparationError, match="Nothing was written"):
        run(allow_missing=True, train=other)
    after = {path.name: path.read_text() for path in (tmp_path / "ikeafa").glob("*.txt")}
    assert after == before
    run(allow_missing=True, train=other, force=True)
    assert "lost.avi" in report.read_text() and "gone.avi" not in report.read_text()
