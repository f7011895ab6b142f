"""The app and its pages: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from app_pages.live.session import leave
from app_pages.photos import forgetting

# a Material icon would be fetched from the internet
ICON = Path(__file__).parent / "app_pages" / "icon.svg"

st.set_page_config(page_title="Expression studio", page_icon=str(ICON), layout="wide")

forgetting.start()

photos = st.Page(
    "app_pages/photos/page.py", title="Photos", icon=":material/photo_library:", default=True
)
live = st.Page("app_pages/live/page.py", title="Live", icon=":material/videocam:", url_path="live")
compare = st.Page(
    "app_pages/compare/page.py", title="Compare", icon=":material/balance:", url_path="compare"
)

page = st.navigation([photos, live, compare])
if page != live:
    leave()
page.run()
