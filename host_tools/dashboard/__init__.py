"""`beckon dashboard`: the store in the browser, in the look of Studio.

app.py serves, login.py decides who may see it, filters.py reads the address, pages.py, health.py,
rollout_page.py and charts.py show, feed.py asks the store once for all tabs, exports.py hands out
files. Words are Studio's (studio/frame/language.py), with the .po files of translations/.
"""

from pathlib import Path

from host_tools.studio.frame.language import add_translations

TRANSLATIONS = Path(__file__).parent / "translations"
add_translations(TRANSLATIONS)
