from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.pods.env_file import file_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("A='1'", "1", id="one-line"),
        pytest.param("B='2'\nA='1'\n", "1", id="after-another"),
        pytest.param("A='1'\nA='2'", "1", id="the-first-counts"),
        pytest.param("# A='0'\n\n  \t A='1'", "1", id="comments-blanks-and-indentation"),
        pytest.param("A='1' # one", "1", id="a-comment-behind-it"),
        pytest.param("A='x # y'", "x # y", id="no-comment-inside"),
        pytest.param("A='one\n  two\n'", "one\n  two\n", id="over-lines"),
        pytest.param("A='\\n$X${X}`x`\"'", '\\n$X${X}`x`"', id="nothing-is-expanded"),
        pytest.param("A='a=b=c'", "a=b=c", id="signs-of-equality"),
        pytest.param("A=''", "", id="empty"),
        pytest.param("A=", "", id="nothing"),
        pytest.param("A= '1'", "", id="a-blank-makes-it-empty"),
        pytest.param("B='1'", "", id="not-there"),
        pytest.param("A='1'\nbad", "1", id="what-is-wrong-behind-it"),
        pytest.param("B='2'\r\nA='1'\r", "1", id="other-line-ends"),
        pytest.param("bad\nA='1'", None, id="no-declaration"),
        pytest.param("='1'", None, id="no-name"),
        pytest.param("A ='1'", None, id="a-blank-before-the-sign"),
        pytest.param("export A='1'", None, id="a-word-before-the-name"),
        pytest.param("A=1", None, id="without-quotes"),
        pytest.param('A="1"', None, id="other-quotes"),
        pytest.param("A='1'x", None, id="something-behind-it"),
        pytest.param("A='1", None, id="not-closed"),
    ],
)
def test_values(text, value):
    if value is None:
        with pytest.raises(ValueError):  # noqa: PT011 - the reasons are for readers, not for users
            file_value(text, "A")
    else:
        assert file_value(text, "A") == value


@given(
    st.text().filter(lambda value: not set("'\r") & set(value)),
    st.text(alphabet=" \n#", max_size=5),
)
def test_what_is_quoted_comes_back(value, before):
    assert file_value(f"{before}\nA='{value}'\n", "A") == value
