"""What a test saved outlives its temporary folder, with what lay beside it."""

from pytest_modelsize.saving.watching.links import link_to, unlink


def test_files_that_lay_side_by_side_do_so_again(tmp_path):
    keep, folder = tmp_path / "keep", tmp_path / "there"
    folder.mkdir()
    links = []
    for name in ("a.bin", "b.bin", "c.index"):
        (folder / name).write_text(name)
        links.append(link_to(folder / name, keep))
        (folder / name).unlink()
    assert len({link.parent for link in links}) == 1
    assert [link.read_text() for link in links] == ["a.bin", "b.bin", "c.index"]
    for link in links:
        unlink(link)
    assert list(keep.iterdir()) == []


def test_what_was_written_anew_takes_the_place_of_what_was_there(tmp_path):
    path = tmp_path / "a.bin"
    for content in ("first", "second"):
        path.write_text(content)
        link = link_to(path, tmp_path / "keep")
        path.unlink()
    assert link.read_text() == "second"


def test_what_is_not_there_is_kept_nowhere(tmp_path):
    assert link_to(tmp_path / "none", tmp_path / "keep") is None
    assert not (tmp_path / "keep").exists()
