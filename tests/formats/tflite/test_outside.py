"""Buffers stored after the flatbuffer, in models over 2 GB, and in small ones made by hand."""

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from tests.formats.mutants import count, mutants, outcome_of
from tests.formats.tflite.outside import contents, move_outside
from tests.needs import needs, skip


@pytest.fixture(scope="module")
def schema(tf):
    schema = needs("tensorflow.lite.python.schema_py_generated")
    if not hasattr(schema.BufferT(), "offset"):
        skip("this TensorFlow's schema has no buffers outside the flatbuffer", "py")
    return schema


@pytest.fixture(scope="module")
def move(schema):
    flatbuffers = needs("flatbuffers")
    return lambda *args, **options: move_outside(schema, flatbuffers, *args, **options)


@pytest.fixture(scope="module")
def converted(tf, any_keras):
    keras = any_keras
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(31, "relu", bias_initializer="ones"),
            keras.layers.Dense(7, bias_initializer="ones"),
        ]
    )
    return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def part(measured, section, name):
    found = {part.name: part for part in measured.section(section).children}
    return found[name].size if name in found else 0


def data_of(measured, section="weights"):
    return measured.section(section).of_kind(Kind.DATA)


@pytest.fixture
def written(tmp_path):
    def written(content):
        path = tmp_path / "m.tflite"
        path.write_bytes(content)
        return path

    return written


@pytest.mark.filterwarnings("ignore")
def test_the_file_made_by_hand_is_a_model_that_computes_the_same(tf, move, converted):
    results = []
    for content in (converted, move(converted).content):
        interpreter = tf.lite.Interpreter(model_content=content)
        interpreter.allocate_tensors()
        (start,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.set_tensor(start["index"], tf.fill((1, 20), 0.5))
        interpreter.invoke()
        results.append(interpreter.get_tensor(end["index"]).tobytes())
    assert results[0] == results[1]
    assert any(results[0])


@pytest.mark.parametrize("align", [1, 16, 64])
def test_weights_outside_are_named_and_the_padding_between_them_is_padding(
    schema, move, converted, written, align
):
    stored = contents(schema, converted)
    made = move(converted, align=align)
    measured = measure(written(made.content))
    assert measured.total == len(made.content)
    assert (
        data_of(measured)
        == sum(map(len, stored.values()))
        == len(made.content) - (made.flatbuffer + made.gaps)
    )
    model = schema.ModelT.InitFromPackedBuf(converted, 0)
    expected = {
        tensor.name.decode(): len(stored[tensor.buffer])
        for tensor in model.subgraphs[0].tensors
        if tensor.buffer in stored
    }
    assert len(expected) == len(stored) >= 4
    named = {part.name: part.of_kind(Kind.DATA) for part in measured.section("weights").children}
    assert named == expected
    tight = measure(written(move(converted, align=1).content))
    assert part(measured, "overhead", "padding") - part(tight, "overhead", "padding") == made.gaps
    assert part(measured, "overhead", "not known here") == 0


def test_custom_options_outside_serve_their_operator(move, converted, written):
    plain = measure(written(move(converted).content))
    measured = measure(written(move(converted, options=b"options" * 30).content))
    assert data_of(plain, "graph") + 7 * 30 == data_of(measured, "graph")
    (operators,) = [p for p in measured.section("graph").children if p.name == "operators"]
    assert operators.of_kind(Kind.DATA) == 7 * 30


def test_a_place_that_two_buffers_share_counts_once_and_is_no_waste(
    schema, move, converted, written
):
    one, *_, two = contents(schema, converted)
    made = move(converted, share=(one, two))
    measured = measure(written(made.content))
    assert data_of(measured) == len(made.content) - made.flatbuffer - made.gaps
    assert not [p.note for p in measured.section("weights").children if "waste" in p.note]


def test_what_is_said_of_buffers_in_other_files_is_graph(schema, converted, written):
    """The newest schema's external buffers: their bytes are in a file that is none of this one."""
    if not hasattr(schema, "ExternalBufferT"):
        skip("this TensorFlow's schema has no external buffers", "py")
    import flatbuffers

    totals = []
    for external in (False, True):
        model = schema.ModelT.InitFromPackedBuf(converted, 0)
        if external:
            model.externalBufferGroups = [schema.ExternalBufferGroupT(name="weights.bin")]
            model.externalBuffers = [
                schema.ExternalBufferT(id=1, offset=2, length=10**9, packing="int4")
            ]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        content = bytes(builder.Output())
        measured = measure(written(content))
        assert measured.total == len(content)
        assert part(measured, "overhead", "not known here") == 0
        totals.append(data_of(measured))
        # Two strings with length and final zero, the numbers, two vectors of one table each.
        size = part(measured, "graph", "external buffers")
        assert size >= (5 + len("weights.bin") + 5 + len("int4") + 24 + 16 if external else 0)
        assert bool(size) is external
    assert totals[0] == totals[1]


def largest(places):
    return max(places, key=lambda index: places[index][1])


def changed(offset=lambda place: place[0], size=lambda place: place[1]):
    def edit(places):
        index = largest(places)
        places[index] = (offset(places[index]), size(places[index]))
        return places

    return edit


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (changed(offset=lambda place: 2**31), "leave the file"),
        (changed(offset=lambda place: 2**64 - 8), "leave the file"),
        (changed(size=lambda place: 2**63), "leave the file"),
        (changed(offset=lambda place: 8), "overlap"),
        (changed(offset=lambda place: place[0] - 60), "overlap"),
        # The one after may be the end of the file: converters order buffers differently.
        (changed(size=lambda place: place[1] + 60), "overlap|leave the file"),
    ],
    ids=["offset past the end", "offset of all bits", "size past the end", "inside the flatbuffer",
         "over the one before", "over the one after"],
)  # fmt: skip
def test_a_place_that_cannot_be_is_an_error_with_its_byte(move, converted, written, edit, problem):
    with pytest.raises(ArtifactError, match=problem) as caught:
        measure(written(move(converted, edit=edit).content))
    assert caught.value.offset is not None


def test_a_file_cut_off_behind_its_flatbuffer_is_an_error(move, converted, written):
    made = move(converted)
    for length in (made.flatbuffer, len(made.content) - 1):
        with pytest.raises(ArtifactError, match="leave the file"):
            measure(written(made.content[:length]))


def test_mutants_give_an_error_or_a_whole_answer(move, converted, written):
    made, outcomes = move(converted, options=b"options"), {"ok": 0, "error": 0}
    for data in mutants(made.content, count(150), 9, [(0, made.flatbuffer)]):
        path = written(data)

        def attempt(path=path, data=data):
            assert measure(path).total == len(data)

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 10
