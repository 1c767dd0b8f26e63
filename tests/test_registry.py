"""Plug-ins found by name."""

import sys

import pytest

from shortcut_audit.errors import UsageError
from shortcut_audit.registry import Registry

PLUG_IN = '''
from zoo_of_a_test import ZOO

@ZOO.register("{name}")
def {name}():
    """The {name}.

    More about it.
    """
'''


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A package of plug-ins on disk, not imported yet."""
    package = tmp_path / "zoo_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text(
        f"from shortcut_audit.registry import Registry\nZOO = Registry('animal', {package.name!r})\n"
    )
    for name in ("zebra", "heron"):
        (package / f"{name}.py").write_text(PLUG_IN.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    import zoo_of_a_test

    yield zoo_of_a_test.ZOO
    for name in [name for name in sys.modules if name.startswith("zoo_of_a_test")]:
        del sys.modules[name]


def test_files_of_the_package_are_imported_at_the_first_look_up_and_not_before(zoo):
    assert "zoo_of_a_test.zebra" not in sys.modules
    assert zoo.names() == ["heron", "zebra"]
    assert "zoo_of_a_test.zebra" in sys.modules


def test_a_plug_in_is_found_by_name_and_described_by_its_first_line(zoo):
    assert zoo.get("zebra").__name__ == "zebra"
    assert zoo.describe() == [("heron", "The heron."), ("zebra", "The zebra.")]


def test_a_plug_in_without_a_docstring_has_a_blank_line(zoo):
    zoo.register("adder")(lambda: None)
    assert zoo.describe()[0] == ("adder", "")


def test_an_unknown_name_is_refused_with_the_nearest_and_with_all(zoo):
    with pytest.raises(
        UsageError, match=r"^no animal is called 'zebre' \(did you mean 'zebra'\?\); there are: heron, z"
    ):
        zoo.get("zebre")


def test_a_name_like_no_other_gets_no_guess(zoo):
    with pytest.raises(UsageError, match=r"^no animal is called 'xx'; there are: heron, zebra$"):
        zoo.get("xx")


def test_a_name_can_be_taken_only_once():
    registry = Registry("animal", "nowhere")
    registry.register("zebra")(1)
    with pytest.raises(ValueError, match="the animal 'zebra' is registered twice"):
        registry.register("zebra")(2)
