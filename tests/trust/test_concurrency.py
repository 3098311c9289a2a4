"""Measurements and saves at the same time, in threads, give what each gives alone."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.saving import save
from tests.needs import needs

DATA = Path(__file__).parent.parent / "data"
ARTIFACTS = (
    "dense.h5", "dense.keras", "dense.weights.h5", "dense.tflite", "checkpoint", "saved", ""
)  # fmt: skip
TIMES = 20


def test_eight_threads_measure_what_one_measures():
    alone = {name: measure(DATA / name) for name in ARTIFACTS}
    begin = threading.Barrier(8)

    def many(number):
        begin.wait(600)
        for turn in range(TIMES):
            name = ARTIFACTS[(number + turn) % len(ARTIFACTS)]
            found = measure(DATA / name)
            assert (found.bytes_on_disk, found) == (alone[name].bytes_on_disk, alone[name])
        return TIMES

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(many, range(8))) == 8 * TIMES


def test_saves_with_and_without_state_at_once_do_not_mix(keras, tmp_path):
    """The function of Keras that is wrapped meanwhile belongs to the whole process."""
    np = needs("numpy")

    def built(units):
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(units)])
        model.compile("adam", "mse", run_eagerly=True)
        model.train_on_batch(np.ones((4, 8), "float32"), np.ones((4, units), "float32"))
        return model

    models = {number: built(10 * number + 10) for number in range(4)}
    formats = ["keras", "h5", "weights"]
    if keras.backend.backend() == "tensorflow":
        formats.append("checkpoint")

    def sizes(number, turns, start):
        found = []
        for turn in range(turns):
            if start is not None:
                start.wait(600)
            for format in formats:
                lean = (number + turn) % 2 == 0
                folder = tmp_path / f"{number}-{turn}-{format}-{start is None}"
                folder.mkdir()
                saved = save(models[number], folder, format=format, include_optimizer=not lean)
                measured = measure(saved.path, names=saved.names)
                found.append((format, lean, measured.bytes_on_disk, int(measured.optimizer)))
        return found

    def saved_by_the_user(number, start):
        """What goes on in another thread, and is none of our saves."""
        found = []
        for turn in range(4):
            start.wait(600)
            path = tmp_path / f"own-{number}-{turn}.keras"
            models[number].save(path)
            found.append(int(measure(path).optimizer) > 0)
        return found

    alone = {number: sizes(number, 4, None) for number in range(3)}
    start = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        futures = {number: pool.submit(sizes, number, 4, start) for number in range(3)}
        own = pool.submit(saved_by_the_user, 3, start)
        together = {number: future.result(120) for number, future in futures.items()}
    assert together == alone
    assert own.result() == [True] * 4
    assert all((state == 0) == lean for found in alone.values() for _, lean, _, state in found)


@pytest.mark.parametrize("way", ["in place", "anew", "put into place"])
def test_an_artifact_that_is_written_meanwhile_is_measured_whole_or_not_at_all(tmp_path, way):
    path = tmp_path / "model.h5"
    contents = [(DATA / name).read_bytes() for name in ("dense.h5", "dense.weights.h5")]
    path.write_bytes(contents[0])
    end = threading.Event()

    def write():
        turn = 0
        while not end.is_set():
            turn += 1
            data = contents[turn % 2]
            if way == "put into place":
                beside = tmp_path / "beside"
                beside.write_bytes(data)
                os.replace(beside, path)
                continue
            with path.open("r+b" if way == "in place" else "wb") as file:
                for at in range(0, len(data), 1000):
                    file.write(data[at : at + 1000])
                    file.flush()
                file.truncate()

    writer = threading.Thread(target=write)
    writer.start()
    whole = broken = 0
    try:
        for _ in range(300):
            try:
                total = measure(path).total
            except ArtifactError:
                broken += 1
            else:
                assert total in {len(data) for data in contents}
                whole += 1
    finally:
        end.set()
        writer.join()
    assert whole + broken == 300
    if way == "put into place":
        assert broken == 0
