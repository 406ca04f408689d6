#!/usr/bin/env python3
"""Opens report.html in a real browser and looks whether the charts are drawn.

  browser_test.py HARNESS BUNDLE [--screenshots DIRECTORY]

Talks to a headless Chromium through its debugging pipe.  Exit code 77 (skipped) when there is none
(Debian: chromium).
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# What a person would see: sizes of drawings, labels that are cut off, colours.
LOOK = """
(() => {
  const box = e => { const r = e.getBoundingClientRect(); return [r.width, r.height]; };
  const charts = [...document.querySelectorAll('figure.chart')].map(figure => {
    const svg = figure.querySelector('svg'), view = svg.viewBox.baseVal;
    const cut = [...svg.querySelectorAll('text')].filter(text => {
      const b = text.getBBox();
      return b.width == 0 || b.x < -1 || b.y < -1 || b.x + b.width > view.width + 1 ||
             b.y + b.height > view.height + 1;
    }).map(text => text.textContent);
    const drawn = [...svg.querySelectorAll('path.curve, path.symbol')].filter(path => {
      const b = path.getBBox();
      return b.width + b.height > 0 && getComputedStyle(path).stroke != 'none';
    });
    return {title: figure.querySelector('figcaption').textContent, size: box(svg),
            drawn: drawn.length, cut};
  });
  const body = getComputedStyle(document.body);
  return {charts, background: body.backgroundColor, ink: body.color,
          widest: document.scrollingElement.scrollWidth, width: innerWidth,
          rows: document.querySelectorAll('tbody tr').length,
          traceable: document.querySelectorAll('td[data-figure][data-source][title]').length,
          titled: document.querySelectorAll('svg .symbol > title').length};
})()
"""

arguments = argparse.Namespace()


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, program: str, profile: str):
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        command = [
            "sh", "-c", f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}', program,
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-extensions", "--disable-sync",
            "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._next_id = 0
        self._session = None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _receive(self) -> dict:
        while b"\0" not in self._buffer:
            piece = os.read(self._from, 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method: str, **parameters) -> dict:
        self._next_id += 1
        message = {"id": self._next_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._next_id:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str, scheme: str, width: int):
        self.events.clear()
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def evaluate(self, expression: str):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"]["value"]

    def screenshot(self, path: Path):
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def complaints(self) -> list[str]:
        """Console messages, exceptions and log entries."""
        methods = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event) for event in self.events if event.get("method") in methods]

    def requests(self) -> list[str]:
        sent = [e for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=20)


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        bundle = Path(cls.folder.name) / "bundle"
        bundle.mkdir()
        shutil.copy(arguments.bundle / "result.json", bundle)
        subprocess.run([arguments.harness, "report", "--write", bundle], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        cls.url = (bundle / "report.html").as_uri()
        cls.result = json.loads((bundle / "result.json").read_text())
        cls.browser = Browser(arguments.browser, str(Path(cls.folder.name) / "profile"))

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def look(self, scheme: str, width: int) -> dict:
        self.browser.open(self.url, scheme, width)
        seen = self.browser.evaluate(LOOK)
        if arguments.screenshots:
            arguments.screenshots.mkdir(parents=True, exist_ok=True)
            self.browser.screenshot(arguments.screenshots / f"{scheme}-{width}.png")
        return seen

    def check_drawn(self, seen: dict):
        appends = [row for row in self.result["rows"] if row["row"]["measure"] == "append"]
        self.assertGreaterEqual(len(seen["charts"]), 2 * len(appends))
        for chart in seen["charts"]:
            self.assertIn("class ", chart["title"])
            self.assertGreater(chart["drawn"], 0, chart["title"])
            self.assertGreater(chart["size"][0], 200, chart["title"])
            self.assertGreater(chart["size"][1], 40, chart["title"])
            self.assertEqual(chart["cut"], [], f"labels cut off in: {chart['title']}")
        self.assertGreater(seen["rows"], len(appends))
        self.assertGreater(seen["traceable"], 5 * len(appends))
        self.assertGreater(seen["titled"], 5 * len(appends))
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual([u for u in self.browser.requests() if u != self.url
                          and not u.startswith("data:")], [])  # fmt: skip

    def test_charts_are_drawn_in_light(self):
        self.check_drawn(self.look("light", 1280))

    def test_charts_are_drawn_in_dark(self):
        self.check_drawn(self.look("dark", 1280))

    def test_light_and_dark_differ_and_both_have_contrast(self):
        def brightness(colour: str) -> float:
            parts = colour[colour.index("(") + 1 : -1].split(",")
            return sum(float(part) for part in parts[:3]) / 3

        light, dark = self.look("light", 1280), self.look("dark", 1280)
        self.assertGreater(brightness(light["background"]) - brightness(light["ink"]), 120)
        self.assertGreater(brightness(dark["ink"]) - brightness(dark["background"]), 120)

    def test_a_telephone_needs_no_sideways_scrolling(self):
        seen = self.look("light", 390)
        self.check_drawn(seen)
        self.assertLessEqual(seen["widest"], seen["width"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("harness", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    found = [path for name in NAMES if (path := shutil.which(name))]
    if not found:
        print("SKIPPED: no chromium on this machine; install it (scripts/setup.sh)")
        sys.exit(SKIPPED)
    arguments.browser = found[0]
    unittest.main(argv=sys.argv[:1])
