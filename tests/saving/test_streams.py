"""What is saved to a stream without a name is read from there, and the stream is as it was."""

import io
import pickle
import tempfile

import pytest

from pytest_modelsize.saving.watching.patches import Patches
from pytest_modelsize.saving.watching.saves import Saves
from tests.needs import needs


@pytest.fixture
def saves(tmp_path):
    saves = Saves(4, lambda: tmp_path)
    yield saves
    saves.let_go()
    assert not list(tmp_path.iterdir())


def streams():
    return [io.BytesIO(), tempfile.TemporaryFile(), tempfile.SpooledTemporaryFile(100)]


def test_streams_are_read_from_where_the_save_began(saves, np):
    for stream in streams():
        with stream:
            stream.write(b"before")
            with Patches(saves.patches()):
                np.savez(stream, a=np.zeros(50))
            end = stream.tell()
            stream.write(b"after")
            stream.seek(0)
            content = stream.read()
        assert content[:6] + content[end:] == b"beforeafter"
        assert saves.files()[-1].path.read_bytes() == content[6:end]
        assert saves.files()[-1].way == "stream"
    names = [file.path.name for file in saves.files()]
    assert names == ["BytesIO.npz", "BufferedRandom.npz", "SpooledTemporaryFile.npz"]
    assert saves.unseen == []


def test_bytes_that_a_call_returns_are_kept(saves, np):
    with Patches(saves.patches()):
        content = pickle.dumps({"weights": [np.ones(4)]})
        pickle.dumps({"number": 4})
    (file,) = saves.files()
    assert file.path.read_bytes() == content
    assert file.path.name == "dumps.pkl"


def test_a_stream_that_cannot_be_read_is_remembered(saves, np):
    class Socket:
        def write(self, data):
            return len(data)

    with Patches(saves.patches()):
        pickle.dump(np.ones(4), Socket())
        pickle.dump([1, 2], Socket())
    assert (saves.files(), saves.unseen) == ([], ["Socket"])


def test_a_file_behind_a_stream_is_named_and_not_copied(saves, np, tmp_path_factory):
    import gzip

    folder = tmp_path_factory.mktemp("saved")
    with Patches(saves.patches()):
        with gzip.open(folder / "a.pkl.gz", "wb") as file:
            pickle.dump(np.ones(4), file)
        np.save(folder / "b", np.ones(4))
        with tempfile.NamedTemporaryFile(dir=folder) as named:
            pickle.dump(np.ones(4), named)
    paths = [file.path for file in saves.files()]
    assert [path.parent for path in paths] == [folder] * 3
    assert [path.name for path in paths[:2]] == ["a.pkl.gz", "b.npy"]
    assert all(file.link is not None for file in saves.files())


def test_torch_saves_to_streams(saves):
    torch = needs("torch")
    net, stream = torch.nn.Linear(2, 2), io.BytesIO()
    with Patches(saves.patches()):
        torch.save(net.state_dict(), stream)
    (file,) = saves.files()
    assert file.path.read_bytes() == stream.getvalue()
    assert {size for _, size in file.tensors} == {16, 8}
