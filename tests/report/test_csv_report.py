import csv
import io

from pytest_modelsize.report.csv_report import as_csv
from tests.check_results import result


def test_each_artifact_is_a_row_with_its_sections():
    (row,) = csv.DictReader(io.StringIO(as_csv([result(total=100_000)])))
    assert (row["verdict"], row["artifact"], row["total"], row["budget"]) == (
        "passed", "model.keras", "100000", "200000"
    )  # fmt: skip
    assert (row["weights"], row["overhead"], row["optimizer"]) == ("99960", "40", "0")


def test_a_name_is_no_formula():
    (row,) = csv.DictReader(io.StringIO(as_csv([result(artifact="=1+1")])))
    assert row["artifact"] == "'=1+1"
