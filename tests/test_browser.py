"""A learner's way through a work sheet, in a real browser.

JupyterLab serves the sheet, Chromium runs all its cells at the smoke preset, types a
caption into the playground, presses its button, and a new picture appears.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

BUTTON = "Draw"  # of lesson 08's playground; its text box is the one before it
CAPTION = "this bird is completely yellow"
READY = "Python 3 (ipykernel) | Idle"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 240_000  # milliseconds; a sheet at smoke takes seconds on a quiet machine

# Lesson 11's lab on an untrained network; what it draws doesn't matter here.
LAB = """
import torch
from t2i_course.papers.attngan import AttnGan
from t2i_course.papers.damsm import Encoders
from t2i_course.play.attention_lab import AttentionLab
from t2i_course.worlds.birds import vocabulary
torch.manual_seed(0)
encoders = Encoders(len(vocabulary()), 6, 8, 64, 4).eval().requires_grad_(False)
system = AttnGan(encoders, size=64, base=4, depth=2, blocks=1, z_size=6, embedding=8,
                 condition=5)
AttentionLab({"attngan": system.eval().requires_grad_(False)}).widget()
"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"
)


@pytest.fixture
def browser():
    """The system's Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(folder, home):
    """JupyterLab on `folder`, with a profile of its own; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {"T2I_PRESET": "smoke", "HOME": str(home)}
    environment |= {"JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home)}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--notebook-dir={folder}",
    ]
    command += ["--IdentityProvider.token=", "--LabApp.news_url="]
    log = home / "server.log"
    with log.open("w") as file:
        server = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        wait_for(f"{address}/api/status", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


def wait_for(address, server, log):
    """Until the server answers; fails with its log if it ends or takes too long."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends and server.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def run_all_cells(page, address, name, until=BUTTON):
    """Opens the sheet, waits for its kernel, runs everything to the end."""
    page.goto(f"{address}/lab/tree/{name}?reset", timeout=PATIENCE)
    # before the kernel is there, Run All runs nothing
    page.get_by_text(READY).first.wait_for(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_role("button", name=until, exact=True).wait_for(timeout=PATIENCE)
    page.get_by_text(READY).first.wait_for(timeout=PATIENCE)


def pictures(area):
    """The pictures in an output area, as their addresses."""
    return [img.get_attribute("src") for img in area.locator("img").all()]


def play(page):
    """Types a caption into the playground and presses the button; (before, after)."""
    button = page.get_by_role("button", name=BUTTON, exact=True)
    area = page.locator(".jp-Cell", has=button).last
    area.scroll_into_view_if_needed()
    before = pictures(area)
    box = area.locator("input[type=text], textarea:not(.jp-InputArea *)").last
    box.fill(CAPTION)
    box.blur()
    button.click()
    for _ in range(PATIENCE // 500):
        after = pictures(area)
        if after and after != before:
            return before, after
        page.wait_for_timeout(500)
    return before, pictures(area)


def try_sheet(browser, sheet, folder):
    """Runs and plays with a sheet; no cell may end with an error."""
    work, home = folder / "work", folder / "home"
    work.mkdir()
    home.mkdir()
    shutil.copy(sheet, work / sheet.name)
    with served(work, home) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        run_all_cells(page, address, sheet.name)
        before, after = play(page)
        errors = page.locator(".jp-RenderedText[data-mime-type*=error]").count()
    assert errors == 0
    assert len(after) > 0 and after != before, "no new picture appeared"


def test_lesson_08_in_a_browser(browser, tmp_path, request):
    sheet = request.config.rootpath / "lessons" / "08_pictures_from_sentences.ipynb"
    try_sheet(browser, sheet, tmp_path)


def test_a_bird_is_painted_in_a_browser(browser, tmp_path, request):
    """Lesson 06's canvas: a stroke with the pointer, and another bird appears."""
    sheet = request.config.rootpath / "lessons" / "06_pictures_to_pictures.ipynb"
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    shutil.copy(sheet, work / sheet.name)
    with served(work, home) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        run_all_cells(page, address, sheet.name, until="The first map")
        area = page.locator(".jp-Cell", has=page.locator(".t2i-painter")).last
        canvas = area.locator(".t2i-painter canvas")
        canvas.scroll_into_view_if_needed()
        before, place = pictures(area), canvas.bounding_box()
        area.get_by_role("button", name="tail", exact=True).click()
        page.mouse.move(place["x"] + 30, place["y"] + 30)
        page.mouse.down()
        page.mouse.move(place["x"] + 200, place["y"] + 60, steps=8)
        page.mouse.up()
        for _ in range(PATIENCE // 500):
            after = pictures(area)
            if after and after != before:
                break
            page.wait_for_timeout(500)
        errors = page.locator(".jp-RenderedText[data-mime-type*=error]").count()
    assert errors == 0
    assert len(after) > 0 and after != before, "no new bird appeared"


def test_a_word_is_pointed_at_in_a_browser(browser, tmp_path):
    """Lesson 11's row of words: Python is told which one, and answers for that word."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    sheet = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LAB.strip())])
    sheet.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(sheet, work / "lab.ipynb")
    with served(work, home) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        run_all_cells(page, address, "lab.ipynb", until="yellow")
        area = page.locator(".jp-Cell", has=page.locator(".t2i-words")).last
        ways = {
            "yellow": lambda word: word.hover(),
            "wings": lambda word: word.click(),
            "and": lambda word: page.keyboard.press("Tab"),
            "belly": lambda word: word.hover(),
        }
        seen = []
        for name, choose in ways.items():
            word = area.get_by_role("button", name=name, exact=True)
            choose(word)
            area.get_by_text(f"'{name}' has").wait_for(timeout=PATIENCE)
            assert word.get_attribute("aria-pressed") == "true"
            assert area.locator(".t2i-words [aria-pressed=true]").count() == 1
            seen += pictures(area)
        box = area.locator("input[type=text]").first
        box.fill("a red bird")
        box.blur()
        area.get_by_role("button", name="red", exact=True).wait_for(timeout=PATIENCE)
        words = area.locator(".t2i-words button").all_inner_texts()
        errors = page.locator(".jp-RenderedText[data-mime-type*=error]").count()
    assert errors == 0 and words == ["a", "red", "bird"]
    assert len(set(seen)) == len(ways), "not another picture for each word"
