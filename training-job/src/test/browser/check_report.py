"""Opens a report's page in headless Chromium and tries it: errors, network, slider, hover, overflow.

    python3 check_report.py PAGE.html SCREENSHOT_FOLDER [chromium]

Ends with 1 where something is wrong; the screenshots, at 400 and 1600 pixels, light and dark, are to be looked at.
The tests of the page that need no browser are in TestReportJob.
"""

import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BEFORE = """<script>
window.problems = [];
addEventListener("error", (event) => problems.push(event.message));
document.addEventListener("securitypolicyviolation", (event) => problems.push("policy " + event.blockedURI));
</script>"""
AFTER = """<script>
setTimeout(() => {
  const found = {};
  const shown = () => [...document.querySelectorAll(".grids figure")].filter((one) => !one.hidden).map((one) => one.dataset.step).join();
  const legend = () => document.querySelector(".u-legend").textContent;
  const slider = document.getElementById("grid");
  const grids = shown();
  if (slider) {
    slider.value = 0;
    slider.dispatchEvent(new Event("input"));
    found.slides = shown() !== grids;
  }
  const over = document.querySelector(".u-over");
  const newest = legend();
  const { left, top, width } = over.getBoundingClientRect();
  const at = { clientX: left + width / 2, clientY: top + 50, bubbles: true };
  over.dispatchEvent(new MouseEvent("mouseenter", at));
  over.dispatchEvent(new MouseEvent("mousemove", at));
  setTimeout(() => {
    found.hovers = legend() !== newest;
    found.fits = document.documentElement.scrollWidth <= innerWidth;
    found.loadsNothing = performance.getEntriesByType("resource").every((one) => one.name.startsWith("data:"));
    found.withoutErrors = problems.length === 0;
    document.title = "FOUND " + JSON.stringify({ ...found, problems });
  }, 500);
}, 800);
</script>"""


def run(chromium, profile, *arguments):
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=6000"]
    command += ["--user-data-dir=" + profile, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout


def main(page, folder, chromium="chromium"):
    text = pathlib.Path(page).read_text()
    data = text.index('<script type="application/json"')
    good = True
    with tempfile.TemporaryDirectory() as work:
        probe = pathlib.Path(work, "probe.html")
        probe.write_text(text[:data] + BEFORE + text[data:].replace("</body>", AFTER + "</body>"))
        for width in (400, 1600):
            dom = run(chromium, work + "/profile", f"--window-size={width},1000", "--dump-dom", probe.as_uri())
            title = re.search("<title>FOUND (.*?)</title>", dom)
            found = json.loads(html.unescape(title.group(1))) if title else {"answers": False}
            print(width, found)
            good = good and all(value for name, value in found.items() if name != "problems")
            for number, scheme in ((0, "dark"), (1, "light")):
                run(
                    chromium,
                    work + "/profile",
                    f"--window-size={width},{6000 if width == 400 else 4000}",
                    f"--blink-settings=preferredColorScheme={number}",
                    f"--screenshot={pathlib.Path(folder).resolve()}/report-{width}-{scheme}.png",
                    pathlib.Path(page).resolve().as_uri(),
                )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
