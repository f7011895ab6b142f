"""Nothing of a photo stays in the server's memory after Clear, or after the page is closed."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from app_pages.photos.sources import SAMPLES
from demo.serve import serve
from tests.browser.conftest import ROOT
from tests.support.camera import server_process
from tests.support.memory import occurrences, seconds_until_gone

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux shows the memory of another process"
)

TIMEOUT = 30_000
FORGOTTEN_WITHIN = 10.0
MOST_UPLOADS = 120  # megabytes: far more than the memory of an idle server moves by itself
ANSWER = re.compile(r"no face found|\d\.\d\d")  # a fake camera's test picture may look like a face


@pytest.fixture(scope="module")
def hasty_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app that takes few uploads and forgets closed pages after two seconds, not two minutes."""
    variables = {
        "HF_HUB_OFFLINE": "1",
        "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "2",
        "FER_MAX_UPLOADS": str(MOST_UPLOADS),
    }
    with serve(ROOT / "app.py", tmp_path_factory.mktemp("hasty"), variables) as url:
        yield url


@pytest.fixture
def photos(page: Page, hasty_url: str) -> Page:
    return visit(page, hasty_url)


def visit(page: Page, url: str) -> Page:
    page.set_default_timeout(TIMEOUT)
    page.goto(url)
    expect(page.get_by_text("No photos yet")).to_be_visible(timeout=TIMEOUT)
    return page


def write_photo(path: Path, megabytes: float = 0) -> bytes:
    """Write a portrait, filled up to a size, and return a mark that its comment alone holds.

    The comment is long: of objects under a kilobyte, Python itself keeps the memory.
    """
    comment = secrets.token_bytes(2000)
    mark = comment[1000:1032]
    Image.open(SAMPLES / "grace-hopper.jpg").save(path, "JPEG", comment=comment, quality=95)
    with path.open("ab") as file:
        file.write(secrets.token_bytes(max(0, round(megabytes * 1e6) - path.stat().st_size)))
    return mark


def upload(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(files)


def expect_photos(page: Page, count: int) -> None:
    expect(page.get_by_text(f"{count} photo{'s' * (count > 1)}, {count} face")).to_be_visible(
        timeout=TIMEOUT
    )


def waiting_bytes(page: Page, url: str) -> float:
    """What Streamlit's own manager of uploads still holds of all visitors."""
    lines = page.request.get(f"{url}/_stcore/metrics").text().splitlines()
    return sum(
        float(line.split()[1])
        for line in lines
        if line.startswith("cache") and "UploadedFileManager" in line
    )


def shown_picture(page: Page, words: str | re.Pattern[str]) -> bytes:
    """A part of the annotated picture as the browser fetches it."""
    picture = page.get_by_alt_text(words)
    content = page.request.get(picture.evaluate("image => image.src")).body()
    return content[len(content) // 2 :][:32]


def clear(page: Page) -> None:
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("No photos yet")).to_be_visible(timeout=TIMEOUT)


def press_until(control: Locator, effect: Locator) -> None:
    """Press again where a press was lost: a page shows controls before they listen."""
    for _ in range(5):
        control.click()
        with suppress(AssertionError):
            expect(effect).to_be_visible(timeout=TIMEOUT / 5)
            return
    expect(effect).to_be_visible()


@pytest.mark.parametrize("megabytes", [0, 3])
def test_clear_takes_a_photo_out_of_the_memory(
    photos: Page, hasty_url: str, tmp_path: Path, megabytes: float
) -> None:
    server = server_process(hasty_url).pid
    mark = write_photo(tmp_path / "a.jpg", megabytes)
    upload(photos, tmp_path / "a.jpg")
    expect_photos(photos, 1)
    picture = shown_picture(photos, "a.jpg: 1")
    assert occurrences(server, mark)
    assert occurrences(server, picture)
    assert waiting_bytes(photos, hasty_url) == 0
    clear(photos)
    assert seconds_until_gone(server, mark, FORGOTTEN_WITHIN) is not None
    assert seconds_until_gone(server, picture, FORGOTTEN_WITHIN) is not None


def test_closing_the_page_takes_its_photos_out_of_the_memory(
    browser: Browser, hasty_url: str, tmp_path: Path
) -> None:
    server = server_process(hasty_url).pid
    mark = write_photo(tmp_path / "a.jpg")
    with browser.new_context() as context:
        page = visit(context.new_page(), hasty_url)
        upload(page, tmp_path / "a.jpg")
        expect_photos(page, 1)
        with page.expect_download(timeout=TIMEOUT):
            page.get_by_role("button", name="Annotated ZIP").click()
        picture = shown_picture(page, "a.jpg: 1")
        assert occurrences(server, mark)
    assert seconds_until_gone(server, mark, FORGOTTEN_WITHIN) is not None
    assert seconds_until_gone(server, picture, FORGOTTEN_WITHIN) is not None


def test_single_photo_of_live_is_let_go(photos: Page, hasty_url: str) -> None:
    server = server_process(hasty_url).pid
    photos.get_by_role("link", name="Live").click()
    press_until(
        photos.get_by_text("The camera does not start?"), photos.get_by_text("Permission refused")
    )
    take = photos.get_by_role("button", name="Take Photo")
    press_until(photos.get_by_text("Take a single photo instead"), take)
    photos.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    press_until(take, photos.get_by_role("button", name="Clear photo"))
    picture = shown_picture(photos, ANSWER)
    assert occurrences(server, picture)
    assert waiting_bytes(photos, hasty_url) == 0
    photos.get_by_role("button", name="Clear photo").click()
    expect(photos.get_by_alt_text(ANSWER)).to_have_count(0)
    assert seconds_until_gone(server, picture, FORGOTTEN_WITHIN) is not None


def test_memory_does_not_grow_with_uploads(photos: Page, hasty_url: str, tmp_path: Path) -> None:
    """Of many photos at a time nothing is left: no bytes, and less memory than one time takes.

    The first times, the server's own memory grows to what its threads take at once.
    """
    server = server_process(hasty_url)
    files = [tmp_path / f"{n}.jpg" for n in range(5)]
    resident, marks = [], []
    for _ in range(8):
        marks += [write_photo(file, MOST_UPLOADS / len(files)) for file in files]
        upload(photos, *files)
        expect_photos(photos, len(files))
        clear(photos)
        photos.wait_for_timeout(1000)
        resident.append(server.memory_info().rss / 1e6)
    assert [
        mark for mark in marks if seconds_until_gone(server.pid, mark, FORGOTTEN_WITHIN) is None
    ] == []
    assert min(resident[4:]) < max(resident[:4]) + MOST_UPLOADS / 2, f"{resident} MB"


def test_what_one_visitor_leaves_is_room_for_the_next(
    browser: Browser, photos: Page, hasty_url: str, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg")]
    mark, *_ = [write_photo(file, MOST_UPLOADS / 3 + 1) for file in files]
    with browser.new_context() as context:
        other = visit(context.new_page(), hasty_url)
        upload(other, *files[:2])
        expect_photos(other, 2)
        upload(photos, files[2])
        expect(
            photos.get_by_text("No photo added. Left out: c.jpg (no room left in the app)")
        ).to_be_visible()
        expect(
            photos.get_by_text(f"The photos of all visitors may take {MOST_UPLOADS} MB together")
        ).to_be_visible()
    assert seconds_until_gone(server_process(hasty_url).pid, mark, FORGOTTEN_WITHIN) is not None
    upload(photos, files[2])
    expect_photos(photos, 1)


def test_files_that_are_left_out_leave_no_bytes(
    photos: Page, hasty_url: str, tmp_path: Path
) -> None:
    marks = [
        write_photo(tmp_path / name, size)
        for name, size in (("a.jpg", 0), ("big.jpg", 58), ("note.txt", 0))
    ]
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    upload(
        photos,
        *(tmp_path / name for name in ("a.jpg", "big.jpg", "note.txt")),
        tmp_path / "album" / "a.jpg",
    )
    expect(
        photos.get_by_text(
            "1 photo added. Left out: big.jpg (58 MB, at most 50 MB), note.txt (not a picture),"
            " a.jpg (already here)."
        )
    ).to_be_visible(timeout=TIMEOUT)
    expect_photos(photos, 1)
    server = server_process(hasty_url).pid
    kept, *left_out = marks
    assert [
        seconds_until_gone(server, mark, FORGOTTEN_WITHIN) is not None for mark in left_out
    ] == [True, True]
    assert occurrences(server, kept)
    clear(photos)
    expect(photos.get_by_text("Left out")).to_have_count(0)
