"""The count of whose faces the portraits show."""

import pytest

from litefake.errors import DataMissing
from tools import portrait_people

HEADER = "name_slug,gender,ethnicity,date_of_birth,religion\n"


def test_portraits_are_counted_by_the_repositories_own_tables(tmp_path, monkeypatch):
    names = ["us-house/ann.jpg", "us-house/bo.jpg", "us-senate/cy.jpg"]
    monkeypatch.setattr(portrait_people, "read_checksums", lambda: dict.fromkeys(names, ""))
    for name, rows in {
        "us-house": "ann,female,x,1990-05-01,\nelse,male,x,1950-01-01,\n",
        "us-senate": "cy,male,y,1951-12-31,\n",
    }.items():
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "data" / f"{name}.csv").write_text(HEADER + rows)
    table = portrait_people.people(tmp_path)
    assert list(table["age"].dropna()) == [31, 70]
    lines = portrait_people.markdown(table).splitlines()
    assert lines.count("| unknown | 1 | 0 |") == 3  # gender, age and ethnicity of bo
    for line in ("| portraits | 2 | 1 |", "| female | 1 | 0 |", "| unknown | 1 | 0 |",
                 "| under 40 | 1 | 0 |", "| 70 and over | 0 | 1 |"):  # fmt: skip
        assert line in lines


def test_a_folder_without_the_tables_is_one_line(tmp_path):
    with pytest.raises(DataMissing, match=r"no us-house/data/us-house\.csv in it"):
        portrait_people.people(tmp_path)
