from pytest_modelsize.report.annotation import annotation


def test_a_command_names_its_place_and_escapes_what_would_end_it():
    line = annotation("error", "100 %\nover", title="a,b", file="t:1.py", line=7)
    assert line == "::error file=t%3A1.py,line=7,title=a%2Cb::100 %25%0Aover"


def test_what_is_empty_is_left_out():
    assert annotation("notice", "said") == "::notice::said"
