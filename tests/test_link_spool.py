"""The spool on littlefs while the power goes."""

from host_tools.bench.power_cuts import cut_power


def test_no_cut_of_the_power_loses_what_was_safe():
    result = cut_power(60, seed=20250101)
    print(result)
    assert result.count == 60 and result.appended > 300
    assert result.lost == result.unreadable == result.strange == 0
