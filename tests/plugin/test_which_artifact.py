"""Each way to say, or to leave to the rules, which artifact is measured."""

import pytest

HELD = [
    ("the one model among the fixtures", "", "model", "pass", "model.keras"),
    ("a fixture by name", ', model="other"', "model, other", "pass", "other.keras"),
    ("a dotted name", ', model="trainer.inner"', "trainer", "pass", "trainer.inner.keras"),
    ("what the fixture was given", "", "model, other, model_size", "model_size(other)", "model.keras"),
    ("one model under two names", "", "model, same", "pass", "model.keras"),
    ("an artifact in tmp_path", "", "tmp_path, untrained", "pass", "untrained.keras"),
    ("the artifact that was saved", "", "tmp_path, save", "save(tmp_path / 'sub/b.h5')", "sub/b.h5"),
    ("a path", ", path='sub/c.keras'", "tmp_path, save", "save(tmp_path / 'sub/c.keras')", "sub/c.keras"),
    ("a glob", ", path='sub/*.keras'", "tmp_path, save", "save(tmp_path / 'sub/d.keras')", "sub/d.keras"),
    ("a path fixture", "", "saved", "pass", "e.h5"),
    ("a path fixture by name", ", model='saved'", "saved, model", "pass", "e.h5"),
    ("any file by path", ", path='notes.txt'", "tmp_path, save", "(tmp_path / 'notes.txt').write_text('0' * 99)", "notes.txt"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "fixtures", "body", "name"),
    [case[1:] for case in HELD],
    ids=[case[0] for case in HELD],
)
def test_the_artifact_is_found(project, arguments, fixtures, body, name):
    result = project.run_code(
        f"""
        import pytest
        from conftest import build, train

        @pytest.fixture
        def same(model):
            return model

        @pytest.fixture
        def save():
            def save(path):
                path.parent.mkdir(exist_ok=True)
                build().save(path)
            return save

        @pytest.fixture
        def saved(tmp_path, save):
            save(tmp_path / "e.h5")
            return tmp_path / "e.h5"

        @pytest.mark.max_model_size("1 B"{arguments})
        def test_it({fixtures}):
            {body}
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{name} * > 1 B*"])


def test_an_attribute_of_a_test_class_s_instance_is_found(project):
    result = project.run_code(
        """
        import pytest
        from conftest import build

        class TestIt:
            @pytest.fixture(autouse=True)
            def prepare(self):
                self.net = build()

            @pytest.mark.max_model_size("1 B")
            def test_rules(self):
                pass

            @pytest.mark.max_model_size("1 B", model="net")
            def test_name(self):
                pass
        """
    )
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("\nnet.keras ") == 2


def test_state_in_an_artifact_that_exists_breaks_the_promise(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.parametrize("name", ["a.h5", "a.keras", "a.weights.h5"])
        @pytest.mark.max_model_size("1MB", include_optimizer=False, path="a.*")
        def test_full(model, tmp_path, name):
            model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)

        @pytest.mark.max_model_size("1MB", include_optimizer=False, path="a.h5")
        def test_lean(model, tmp_path):
            model.save(tmp_path / "a.h5", include_optimizer=False)
        """
    )
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.re_match_lines(
        [
            r"a\.h5: optimizer [\d.]+ kB > 0 B \(include_optimizer=False\)",
            r"  fix: export it without the optimizer's state: [\d.]+ kB, 0 B of optimizer \(replayed\)",
        ]
    )


def test_an_artifact_that_exists_is_measured_and_not_touched(project):
    result = project.run_code(
        """
        import os, pytest

        @pytest.fixture
        def exported(model, tmp_path):
            path = tmp_path / "m.h5"
            model.save(path)
            before = os.stat(path)
            yield path
            after = os.stat(path)
            assert (before.st_size, before.st_mtime_ns, before.st_ino) == (
                after.st_size, after.st_mtime_ns, after.st_ino)
            assert os.listdir(tmp_path) == ["m.h5"]

        @pytest.mark.max_model_size("1MB", model="exported")
        def test_it(exported):
            pass
        """
    )
    result.assert_outcomes(passed=1)
