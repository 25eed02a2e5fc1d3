"""Names for simulated titles and their makers, made from word lists."""

from __future__ import annotations

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Mystery",
    "Romance",
    "Science Fiction",
    "Western",
)
_ADJECTIVES = """
Amber Ancient Bitter Blue Borrowed Bright Broken Burning Careless Clear Cold Crooked
Crystal Dark Distant Eager Early Eastern Electric Endless Faded Fallen Fearless Final Forgotten
Frozen Gentle Golden Green Hidden Hollow Honest Hungry Idle Invisible Last Late Little Lonely
Long Lost Lucky Mild Narrow Northern Old Paper Patient Proud Quiet Restless Rising Scarlet
Secret Silent Silver Sleeping Southern Strange Sudden Velvet Wandering White Wild
"""
_NOUNS = """
Anchor Archive Autumn Bakery Balcony Bell Bridge Canal Caravan Castle Circus Clock Coast
Compass Corridor Daughter Desert Engine Ferry Field Forest Fountain Garden Glacier Harbour
Harvest Horizon House Island Journey Kingdom Ladder Lantern Letter Library Lighthouse Machine
Map Market Meadow Midnight Mirror Morning Mountain Orchard Painter Passage Piano Planet Queen
Railway River Sailor Season Shadow Sparrow Station Storm Summer Theatre Tower Valley Winter
Wolf
"""
_FIRST_NAMES = "Ada Bela Chloe Dario Edda Femi Goran Hana Ines Jun Kofi Lina"
_LAST_NAMES = """
Abara Brandt Castel Dvorak Eklund Ferro Gallo Haas Imai Jansen Kovac Lund Moreau Novak Okafor
Petrov Quist Rossi Santos Tanaka Ueda Varga Weiss Young Zeman
"""
ADJECTIVES, NOUNS = tuple(_ADJECTIVES.split()), tuple(_NOUNS.split())
FIRST_NAMES, LAST_NAMES = tuple(_FIRST_NAMES.split()), tuple(_LAST_NAMES.split())

_N_SHORT = len(ADJECTIVES) * len(NOUNS)
_N_LONG = _N_SHORT * len(NOUNS)
# An odd factor scatters consecutive numbers over a range that is a power of two.
_SCATTER = 0x9E3779B1


def title_name(number: int) -> str:
    """Return the name of a title, different for each number from 0.

    Examples
    --------
    >>> title_name(0), title_name(1), title_name(5_000)
    ('The Amber Anchor', 'The Lonely Queen', 'Caravan of the Golden Machine')
    """
    if number < _N_SHORT:
        place = number * _SCATTER % _N_SHORT
        return f"The {_adjective_and_noun(place)}"
    part, index = divmod(number - _N_SHORT, _N_LONG)
    place, noun = divmod(index * _SCATTER % _N_LONG, len(NOUNS))
    name = f"{NOUNS[noun]} of the {_adjective_and_noun(place)}"
    return f"{name}, Part {part + 1}" if part else name


def creator_name(number: int) -> str:
    """Return the name of a creator, different for each number from 0.

    Examples
    --------
    >>> creator_name(0), creator_name(299), creator_name(300)
    ('Ada Abara', 'Lina Zeman', 'Ada Abara 2')
    """
    generation, index = divmod(number, len(FIRST_NAMES) * len(LAST_NAMES))
    last, first = divmod(index, len(FIRST_NAMES))
    name = f"{FIRST_NAMES[first]} {LAST_NAMES[last]}"
    return f"{name} {generation + 1}" if generation else name


def _adjective_and_noun(place: int) -> str:
    adjective, noun = divmod(place, len(NOUNS))
    return f"{ADJECTIVES[adjective]} {NOUNS[noun]}"
