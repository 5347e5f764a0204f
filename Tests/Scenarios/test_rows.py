"""Every behaviour of rows.json is shown by a test, or is marked as pending; and tests claim nothing else."""

import re

import pytest

from harness.rows import DIRECTORIES, ROWS, claimed, promises

ROW = re.compile(r'  "((?:MP|PLLM|GW)-\d{2,3})": \{"promise": "(?:[^"\\]|\\.)*"(?:, "pending": true)?\},?')


def missing(rows, claims):
    """The rows that are said to be kept, and that no test shows."""
    return [f"{one}: {row['promise']}" for one, row in rows.items() if not row.get("pending") and one not in claims]


def unknown(rows, claims):
    return [f"{one}: {', '.join(tests)}" for one, tests in claims.items() if one not in rows]


def still_pending(rows, claims):
    return [f"{one}: {', '.join(claims[one])}" for one, row in rows.items() if row.get("pending") and one in claims]


def test_every_row_that_is_not_pending_is_claimed_by_a_test():
    found = missing(promises(), claimed(DIRECTORIES))
    assert not found, "\n".join(found)


def test_no_test_claims_a_row_that_is_not_there():
    found = unknown(promises(), claimed(DIRECTORIES))
    assert not found, "\n".join(found)


def test_no_claimed_row_is_still_pending():
    found = still_pending(promises(), claimed(DIRECTORIES))
    assert not found, "\n".join(found)


def test_every_promise_says_something_and_ends_with_a_full_stop():
    for one, row in promises().items():
        assert re.fullmatch(r"\S.*\w\W*\.", row["promise"]), f"{one}: {row}"


def test_every_row_is_one_line_with_an_id_of_its_own():
    first, *lines, last = ROWS.read_text().splitlines()
    assert (first, last) == ("{", "}")
    assert [line for line in lines if not ROW.fullmatch(line)] == []
    assert [ROW.fullmatch(line)[1] for line in lines] == list(promises())


def test_an_id_that_stands_twice_is_found_out(tmp_path):
    file = tmp_path / "rows.json"
    file.write_text('{"MP-01": {"promise": "This."}, "MP-02": {"promise": "That."}, "MP-01": {"promise": "Else."}}')
    with pytest.raises(ValueError, match="stands twice: MP-01"):
        promises(file)


# How claims are found


MADE_UP = '''
"""Words are no claim: @row("MP-90")."""
import pytest
from harness.rows import row

# @row("MP-91")
def helper():
    return '@row("MP-92")'

@row("MP-01", "MP-02")
@pytest.mark.parametrize("one", [1, 2])
@pytest.mark.row("GW-01")
def test_one(one):
    pass

@row(
    "MP-01",
)
async def test_two():
    pass

@row("PLLM-01")
class TestThree:
    @row("PLLM-02")
    def test_four(self):
        pass

    def test_five(self):
        pass

    def helper(self):
        pass

@row("PLLM-03")
class TestNothing:
    pass

@other("MP-93")
def test_six():
    pass
'''


@pytest.fixture
def made_up(tmp_path):
    """`made_up(text)` is a directory with one file of tests, and with another that pytest would not take for such."""
    directory = tmp_path / "Suite"
    directory.mkdir()

    def made_up(text):
        (directory / "test_made_up.py").write_text(text)
        (directory / "made_up.py").write_text('@row("MP-94")\ndef test_seven():\n    pass\n')
        return directory

    return made_up


def test_claims_are_found_above_functions_and_classes_and_nowhere_else(made_up):
    here = "Suite/test_made_up.py"
    assert claimed([made_up(MADE_UP)]) == {
        "MP-01": [f"{here}::test_one", f"{here}::test_two"],
        "MP-02": [f"{here}::test_one"],
        "GW-01": [f"{here}::test_one"],
        "PLLM-01": [f"{here}::TestThree::test_four", f"{here}::TestThree::test_five"],
        "PLLM-02": [f"{here}::TestThree::test_four"],
    }


def test_a_row_without_a_test_an_unknown_one_and_a_late_one_are_found_out(made_up):
    claims = claimed([made_up('@row("MP-01", "MP-03", "MP-99")\ndef test_one():\n    pass\n')])
    rows = {
        "MP-01": {"promise": "Shown."},
        "MP-02": {"promise": "Not shown."},
        "MP-03": {"promise": "Shown, and said to be pending.", "pending": True},
        "MP-04": {"promise": "Pending.", "pending": True},
    }
    assert missing(rows, claims) == ["MP-02: Not shown."]
    assert unknown(rows, claims) == ["MP-99: Suite/test_made_up.py::test_one"]
    assert still_pending(rows, claims) == ["MP-03: Suite/test_made_up.py::test_one"]


@pytest.mark.parametrize("decorator", ["row", "row()", "row(*IDS)", "row(1)", 'row(f"MP-{1}")'])
def test_a_claim_that_cannot_be_read_is_not_passed_over(made_up, decorator):
    with pytest.raises(ValueError, match="test_made_up.py:2: a row's ids must be plain strings"):
        claimed([made_up(f"\n@{decorator}\ndef test_one():\n    pass\n")])


def test_a_claim_above_what_is_no_test_is_not_passed_over(made_up):
    with pytest.raises(ValueError, match="test_made_up.py:3: helper claims rows, and is no test"):
        claimed([made_up('\n@row("MP-01")\ndef helper():\n    pass\n')])
