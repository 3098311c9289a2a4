"""What a test saved outlives its temporary folder, with what lay beside it."""

from pytest_modelsize.saving.watching.hard_links import link_to, unlink
from pytest_modelsize.saving.watching.streams import new_file


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


def test_what_lay_in_a_folder_does_so_again_whenever_it_was_written(tmp_path):
    keep, folder = tmp_path / "keep", tmp_path / "run" / "checkpoint-1"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_text("model")
    whole = link_to(folder, keep)
    (folder / "optimizer.bin").write_text("optimizer")
    part = link_to(folder / "optimizer.bin", keep)
    assert part == whole / "optimizer.bin"
    assert whole.name == "checkpoint-1"
    assert sorted(file.name for file in whole.iterdir()) == ["model.bin", "optimizer.bin"]
    for link in (whole, part):
        unlink(link)
    assert list(keep.iterdir()) == []


def test_the_folder_of_all_that_is_kept_stays(tmp_path):
    path = new_file(tmp_path, "stream.bin")
    path.write_text("content")
    unlink(path)
    assert list(tmp_path.iterdir()) == []
