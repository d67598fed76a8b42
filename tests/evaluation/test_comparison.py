import json

import pytest

from mmpmg.evaluation.comparison import last_accuracy, table


def test_table_has_means_and_standard_errors():
    lines = table({"scratch": [10.0, 20.0], "pmg": [30.0, 50.0]}, [0, 2]).splitlines()
    assert lines[0] == "| pre-training | fold 0 | fold 2 | mean ± standard error |"
    # Standard deviations 7.07 and 14.14 over the root of two.
    assert lines[2] == "| scratch | 10.0 | 20.0 | 15.0 ± 5.0 |"
    assert lines[3] == "| pmg | 30.0 | 50.0 | 40.0 ± 10.0 |"


def test_accuracy_is_the_last_one_not_the_best(tmp_path):
    folder = tmp_path / "20260101_000000" / "vis_data"
    folder.mkdir(parents=True)
    rows = [{"loss": 2.0}, {"acc/top1": 0.9, "step": 5}, {"acc/top1": 0.25, "step": 10}]
    (folder / "scalars.json").write_text("\n".join(json.dumps(row) for row in rows))
    assert last_accuracy(tmp_path) == 25
    with pytest.raises(FileNotFoundError, match="no accuracy"):
        last_accuracy(tmp_path / "empty")
