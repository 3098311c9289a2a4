"""Lists that are written again, so that a start need not import what has them, stay the same."""

from importlib import import_module

import pytest_modelsize
from pytest_modelsize import plugin
from pytest_modelsize.checks.compression import METHODS
from pytest_modelsize.cli import arguments, exit_codes, parsers
from pytest_modelsize.plugin import budget_files, option_values, options, report_files


def test_the_reports_that_the_option_takes_are_those_that_are_written():
    assert set(options._REPORTS) == set(report_files.FORMS)


def test_the_command_compresses_as_a_check_does():
    assert set(arguments._COMPRESSIONS) == set(METHODS)


def test_each_subcommand_is_a_module_that_adds_its_arguments():
    for name in parsers._COMMANDS:
        assert callable(import_module(f"pytest_modelsize.cli.{name}").add_arguments)
    assert set(exit_codes.EXPLAINED) - {""} <= set(parsers._COMMANDS)


class Options:
    """Stands for pytest's parser: keeps what is shown for the value of each option."""

    def __init__(self):
        self.shown = {}
        self.ini = []

    def getgroup(self, *names):
        return self

    def addoption(self, name, metavar="", **others):
        self.shown[name] = metavar

    def addini(self, name, text, **others):
        assert text
        self.ini.append(name)


def test_the_ini_options_that_are_known_are_those_that_there_are():
    registered = Options()
    options.add_options(registered)
    assert sorted(registered.ini) == sorted(option_values.INI_OPTIONS)


def test_the_files_that_may_set_budgets_are_those_that_are_collected():
    assert plugin._BUDGET_FILES == budget_files._NAMES


def test_the_values_of_an_option_are_those_that_its_help_shows():
    registered = Options()
    options.add_options(registered)
    for name, values in option_values._CHOICES.items():
        assert registered.shown[name] in ("|".join(values), "FILE.json")


def test_each_public_name_is_where_it_is_said_to_be():
    for name, home in pytest_modelsize._HOMES.items():
        assert hasattr(import_module(f"pytest_modelsize.{home}"), name)
    assert set(pytest_modelsize._HOMES) == set(pytest_modelsize.__all__)
