"""What `check` says of plants: feeds, sizes, what stands, and what a UPS carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.errors import InputRefused
from optimizer.load import load
from tests.folders import INSTANCE, edited, write_folder

COMPONENTS = """
[uptime.components.block]
unit_mw = 5.0
failures_per_year = 0.1
hours_to_repair = 4.0
[uptime.components.small]
unit_mw = 1.0
failures_per_year = 0.1
hours_to_repair = 4.0
[uptime.components.grid]
failures_per_year = 0.5
hours_to_repair = 2.0
[uptime.components.diesel]
unit_mw = 5.0
availability = 0.995
hours_to_repair = 24.0
start_failure_share = 0.01
hours_to_failure = 1000.0
"""
POWER = '[uptime.subsystems.power]\nlevel = "site"\ncomponents = ["{}"]\n'


def told(tmp_path: Path, toml: str) -> list[tuple[str, str]]:
    """Say what is wrong, or odd, and where."""
    folder = write_folder(tmp_path / "i", INSTANCE + COMPONENTS + toml)
    try:
        problems = load(folder).warnings
    except InputRefused as refused:
        problems = refused.problems
    return [(problem.key, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("toml", "key", "words"),
    [
        (POWER.format("block") + 'feed = "grid"\n', "uptime.subsystems.power.components.0",
         "does not stand by"),
        (POWER.format("diesel"), "uptime.subsystems.power.components.0", "has no feed"),
        (POWER.format("diesel") + 'feed = "grid"\nride_through_seconds = 5\n',
         "uptime.subsystems.power.ride_through_seconds", "every outage of the feed"),
        (POWER.format("block") + "ride_through_seconds = 5\n",
         "uptime.subsystems.power.ride_through_seconds", "no effect: the part has no feed"),
        ('[uptime.subsystems.ups]\nlevel = "hall"\ncomponents = ["block", "small"]\n'
         "mixing = true\n", "uptime.subsystems.ups.mixing", "of one size"),
        (POWER.format("block") + "[uptime.components.people]\nfailures_per_year = 0.1\n"
         "hours_to_repair = 1.0\nnewcomer_factor = 3.0\n",
         "uptime.components.people.newcomer_factor", "no part of the company"),
    ],
)  # fmt: skip
def test_units_that_cannot_do_what_is_asked(
    tmp_path: Path, toml: str, key: str, words: str
) -> None:
    assert any(at == key and words in message for at, message in told(tmp_path, toml))


POOL = POWER.format("block") + "pooled = true\n"
HALL_PART = '[uptime.subsystems.ups]\nlevel = "hall"\ncomponents = ["block"]\n'


def standing(part: str, component: str) -> str:
    """Let two units stand at the site."""
    return f'[sites.north.plant.{part}]\ncomponent = "{component}"\nunits = 2\n'


@pytest.mark.parametrize(
    ("toml", "key", "words"),
    [
        (HALL_PART + standing("ups", "block"), "sites.north.plant.ups", "a part of the hall"),
        (POOL + standing("power", "small"), "sites.north.plant.power.component", "not made of"),
        (POOL, "sites.north", "no units of power, on which all mining runs"),
        (POOL + standing("power", "block"), "sites.north.plant.power.units", "carry less than"),
    ],
)
def test_plants_that_stand_are_of_their_part(
    tmp_path: Path, toml: str, key: str, words: str
) -> None:
    assert any(at == key and words in message for at, message in told(tmp_path, toml))


def test_a_plant_that_fits_is_not_spoken_of(tmp_path: Path) -> None:
    said = told(tmp_path, POOL + standing("power", "block").replace("2", "3"))
    assert not [message for key, message in said if "plant" in key or "uptime" in key], said


HALL_UNITS = '[uptime.packages.old.units]\nups = {{ component = "{}", units = {} }}\n'
WORKS = (
    '[[commitments.works]]\nhall = "old"\nhalls = 1\nfitout = "ai"\npackage = "old"\n'
    'ready = "2027-10"\n'
)
BUILT = '[halls.new]\nsite = "north"\ncount = 1\nit_mw = 4.0\nfitout = "ai"\npackage = "old"\n'


@pytest.mark.parametrize(
    ("toml", "key", "words"),
    [
        (HALL_PART + HALL_UNITS.format("small", 3), "uptime.packages.old.units.ups.component",
         "not made of this component"),
        (POOL + HALL_UNITS.replace("ups", "power").format("block", 3),
         "uptime.packages.old.units.power", "a part of the site"),
        (HALL_PART + HALL_PART.replace("ups", "cool") + HALL_UNITS.format("block", 3),
         "uptime.packages.old.units", "no units of cool"),
        (HALL_PART.replace("block", "small") + BUILT + HALL_UNITS.format("small", 2),
         "halls.new.package", "too few units of ups"),
        (HALL_PART.replace("block", "small") + "load_share = 2.0\n" + BUILT
         + HALL_UNITS.format("small", 5), "halls.new.package", "too few units of ups"),
        (HALL_PART.replace("block", "small") + WORKS + HALL_UNITS.format("small", 1),
         "commitments.works.0.package", "too few units of ups"),
        (HALL_PART + "[uptime.packages.old]\ncapex_usd_per_kw = 5\n"
         + HALL_UNITS.format("block", 3), "uptime.packages.old.capex_usd_per_kw", "no effect"),
        (HALL_PART + "[uptime.packages.old]\navailability = 0.999\n"
         + HALL_UNITS.format("block", 3), "uptime.packages.old", "one of the two"),
        ("[uptime.packages.old]\ncapex_usd_per_kw = 5\n", "uptime.packages.old",
         "one of the two"),
        (HALL_UNITS.format("block", 3), "uptime.packages.old.units.ups", "ups"),
    ],
)  # fmt: skip
def test_packages_given_unit_by_unit_fit_their_halls(
    tmp_path: Path, toml: str, key: str, words: str
) -> None:
    said = told(tmp_path, toml)
    assert any(at == key and words in message for at, message in said), said


def test_a_package_whose_units_carry_the_hall_is_not_spoken_of(tmp_path: Path) -> None:
    said = told(tmp_path, HALL_PART.replace("block", "small") + BUILT
                + HALL_UNITS.format("small", 3))  # fmt: skip
    assert not [message for key, message in said if "package" in key], said


CREDITS = "credits = [{ below = 0.999, share = 0.1 }]\navailability = 0.999\n"


def test_a_package_that_says_nothing_of_its_outages_is_not_credited_for(tmp_path: Path) -> None:
    text = INSTANCE.replace("availability = 0.999\n", CREDITS)
    folder = write_folder(tmp_path / "i", text)
    (warning,) = [p for p in load(folder).warnings if p.key == "uptime.packages.n-plus-1"]
    assert "no credits are counted" in warning.message
    assert "lease" in warning.hint
    stated = text.replace("availability = 0.9995", "availability = 0.9995\noutages_per_year = 1")
    assert not load(write_folder(tmp_path / "j", stated)).warnings


def test_a_life_that_ends_within_the_horizon_is_told(tmp_path: Path) -> None:
    longer = INSTANCE.replace("periods = 8", "periods = 12")
    text = edited("life_months = 240", "life_months = 24", longer)
    (warning,) = load(write_folder(tmp_path / "i", text)).warnings
    assert warning.key == "fitouts.ai.life_months"
    assert "nothing renews it" in warning.message


def test_a_part_with_a_feed_may_be_left_out_of_a_package(tmp_path: Path) -> None:
    power = POWER.replace("site", "hall").format("diesel") + 'feed = "grid"\n'
    said = told(tmp_path, HALL_PART + power + BUILT + HALL_UNITS.format("block", 3))
    assert not [message for key, message in said if "package" in key], said
