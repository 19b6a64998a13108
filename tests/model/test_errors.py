from __future__ import annotations

from pathlib import Path

import pytest

from isfray.errors import InputError


@pytest.mark.parametrize("kind", [str, Path])
def test_the_name_of_a_file_is_told_whole_however_long(kind):
    name = kind("/data/" + "deep/" * 30 + "cell.param")
    assert repr(name) in str(InputError("does not exist", key="path", value=name))


def test_another_long_value_is_told_by_its_beginning():
    said = str(InputError("is no number", key="cellNr", value="seven" * 100))
    assert said.startswith("cellNr = 'sevenseven")
    assert len(said) < 120
