from pytest_modelsize.formats.dotted_names import Homes


def test_a_parameter_is_entered_layer_by_layer_in_its_section():
    homes = Homes(["a.b.weight", "a.b.exp_avg"], {"a.b.exp_avg"})
    assert homes.of("a.b.weight") == ("weights", "a", "b", "weight")
    assert homes.of("a.b.exp_avg") == ("optimizer", "a", "b", "exp_avg")


def test_layers_are_told_apart_to_a_depth_of_sixteen():
    name = ".".join("abcdefghijklmnopqrst")
    assert Homes([name]).of(name) == ("weights", *"abcdefghijklmnop", "q.r.s.t")


def test_names_with_more_layers_than_can_be_told_apart_stay_whole():
    names = [f"l{n}.weight" for n in range(25_001)]  # two for each: 50,002
    assert Homes(names).of("l1.weight") == ("weights", "l1.weight")
    assert Homes(names[:-1]).of("l1.weight") == ("weights", "l1", "weight")
