#!/usr/bin/env python3
"""Makes the sample image-text pairs in this folder.

Pictures come from the npm package @lobehub/fluent-emoji-3d (Microsoft's Fluent Emoji), captions from Unicode's CLDR
annotations. Everything is a function of those inputs: the same packages and the same Pillow give the same bytes.

    pip install pillow pyarrow
    npm pack @lobehub/fluent-emoji-3d@1.1.0 cldr-annotations-full@48.2.0 cldr-annotations-derived-full@48.2.0
    (unpack each into a folder of its own)
    python make_sample.py --emoji fluent-emoji-3d/package \
        --annotations cldr-annotations-full/package --annotations cldr-annotations-derived-full/package --out .
"""

import argparse
import collections
import hashlib
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageOps

BASE_URL = "http://127.0.0.1:8765"
SIZE = 128
JPEG = {"format": "JPEG", "quality": 92, "subsampling": "4:4:4", "optimize": True}
KEYWORDS = 4
SKIN_TONES = {0x1F3FB, 0x1F3FC, 0x1F3FD, 0x1F3FE, 0x1F3FF}
VARIATION_SELECTOR = 0xFE0F
TAGS = range(0xE0020, 0xE007F)
END_OF_TAGS = 0xE007F
SLANG = set("""ass bae bangbang barf bestest bff bok brb bro brr caw deja dua dupe eyeroll gang glbt gua hehe hmm homie hrs
    ily lol meh not nyc omg omw over pina sexy shh shoo slay smh tbt this tuk ttyl ugh what whatever whoa wow xoxo yolo
    you""".split())

SCHEMA = pa.schema([
    ("URL", pa.string()),
    ("TEXT", pa.string()),
    ("WIDTH", pa.int32()),
    ("HEIGHT", pa.int32()),
    ("similarity", pa.float64()),
    ("punsafe", pa.float64()),
    ("pwatermark", pa.float64()),
    ("AESTHETIC_SCORE", pa.float64()),
    ("hash", pa.int64()),
])

HTML_PAGE = b"""<!DOCTYPE html>
<html><head><title>Not here any more</title></head>
<body><h1>Sorry</h1><p>The picture you are looking for has moved.</p></body></html>
"""


def code_points(file):
    """The emoji's code points, without variation selectors, from a name such as 2764-fe0f.webp."""
    points = [int(part, 16) for part in re.split("[-_]", file.stem)]
    points = [point for point in points if point != VARIATION_SELECTOR]
    if points[-1] in TAGS:
        points.append(END_OF_TAGS)  # the package's names leave it out
    return tuple(points)


def pictures(package):
    """Maps code points to the file that draws them, skin tones left out."""
    found = {}
    for file in sorted((package / "assets").glob("*.webp")):
        points = code_points(file)
        if not SKIN_TONES.intersection(points):
            found.setdefault(points, file)
    return found


def annotations(packages):
    """Maps an emoji to its CLDR entry: its name under "tts", its keywords under "default"."""
    found = {}
    for package in packages:
        for file in sorted(package.glob("annotations*/en/annotations.json")):
            (content,) = json.loads(file.read_text(encoding="utf-8")).values()
            for emoji, entry in content["annotations"].items():
                found.setdefault(tuple(ord(c) for c in emoji if ord(c) != VARIATION_SELECTOR), entry)
    return found


def plain(text):
    """Straight quotes, single spaces."""
    for curly, straight in {"“": '"', "”": '"', "’": "'", "‘": "'"}.items():
        text = text.replace(curly, straight)
    return " ".join(text.split())


def name(entry):
    """The CLDR name as one would say it: "flag: Fiji" becomes "flag of Fiji"."""
    head, colon, tail = plain(entry["tts"][0]).partition(": ")
    if not colon:
        return head
    *most, last = tail.split(", ")
    listed = f"{', '.join(most)} and {last}" if most else last
    if head == "keycap":
        return f"keycap {tail}"
    if tail == "bald":
        return f"bald {head}"
    if head == "couple with heart":
        return f"{head}, {listed}"
    return f"{head} {'of' if head in ('flag', 'family', 'kiss') else 'with'} {listed}"


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def says_the_same(word, other):
    """Whether two words are forms of one: equal, or alike in their first four letters."""
    return word == other or (len(word) >= 4 and len(other) >= 4 and word[:4] == other[:4])


def usable(keyword):
    return re.fullmatch(r"[a-z]+([ -][a-z]+)*", keyword) and len(keyword) >= 3 and keyword not in SLANG


def captions(entries):
    """Name, then up to four keywords that add something; keywords common to many emoji (animal, food) come first."""
    keywords = {points: [plain(k) for k in entry["default"]] for points, entry in entries.items()}
    common = collections.Counter(k for listed in keywords.values() for k in listed)
    result = {}
    for points, entry in entries.items():
        parts = [name(entry)]
        for keyword in sorted(keywords[points], key=lambda k: (-common[k], k)):
            said = [word for part in parts for word in words(part)]
            new = all(not says_the_same(word, other) for word in words(keyword) for other in said)
            if new and usable(keyword) and len(parts) <= KEYWORDS:
                parts.append(keyword)
        result[points] = ", ".join(parts)
    return result


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, **JPEG)
    return buffer.getvalue()


def render(file):
    """The picture on white, 128x128, area filter."""
    with Image.open(file) as source:
        drawn = source.convert("RGBA")
    white = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(white, drawn).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)


def stem(points):
    return "-".join(f"{point:04x}" for point in points)


def row(path, text, size=SIZE):
    url = f"{BASE_URL}/{path}"
    digest = hashlib.sha256((url + text).encode("utf-8")).digest()
    return {"URL": url, "TEXT": text, "WIDTH": size, "HEIGHT": size,
            "hash": int.from_bytes(digest[:8], "big", signed=True)}


def bad_rows(good, images, out):
    """The seven rows that a careful reader of this folder drops or merges; README.md gives the reason of each."""
    folder = out / "bad"
    folder.mkdir(exist_ok=True)
    ordered = sorted(good, key=lambda points: good[points]["hash"])
    plain_image = images[(0x1F34E,)]

    (folder / "html-page.jpg").write_bytes(HTML_PAGE)
    (folder / "truncated.jpg").write_bytes(plain_image[: len(plain_image) * 2 // 5])
    with Image.open(io.BytesIO(plain_image)) as image:
        (folder / "tiny.jpg").write_bytes(jpeg(image.resize((16, 16), Image.Resampling.BOX)))
        (folder / "no-caption.jpg").write_bytes(jpeg(ImageOps.mirror(image)))
    yield row("bad/missing.jpg", "a picture that is no longer there")
    yield row("bad/html-page.jpg", "a page that says it is a picture")
    yield row("bad/truncated.jpg", "red apple cut short, food")
    yield row("bad/tiny.jpg", "very small red apple, food", size=16)
    yield row("bad/no-caption.jpg", "")

    # Both duplicates come after the row they repeat, as a reader that keeps the first of each expects.
    yield dict(good[ordered[0]])
    for points in ordered[1:]:
        copy = row("bad/same-bytes.jpg", good[points]["TEXT"])
        if copy["hash"] > good[points]["hash"]:
            (folder / "same-bytes.jpg").write_bytes(images[points])
            yield copy
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emoji", type=Path, required=True, help="unpacked @lobehub/fluent-emoji-3d")
    parser.add_argument("--annotations", type=Path, required=True, action="append",
                        help="unpacked cldr-annotations-full and cldr-annotations-derived-full, one option each")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    files = pictures(arguments.emoji)
    known = annotations(arguments.annotations)
    entries = {points: known[points] for points in files if points in known}
    texts = captions(entries)

    folder = arguments.out / "images"
    folder.mkdir(parents=True, exist_ok=True)
    images, good, seen = {}, {}, {}
    for points in entries:
        data = jpeg(render(files[points]))
        if data in seen:
            print(f"{stem(points)} looks exactly like {stem(seen[data])}: left out")
            continue
        seen[data] = points
        images[points] = data
        good[points] = row(f"images/{stem(points)}.jpg", texts[points])
        (folder / f"{stem(points)}.jpg").write_bytes(data)

    bad = list(bad_rows(good, images, arguments.out))
    rows = sorted([*good.values(), *bad], key=lambda r: r["hash"])
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), arguments.out / "metadata.parquet", compression="zstd")
    print(f"rows={len(rows)} good={len(good)} bad={len(bad)} without annotation={len(files) - len(entries)} "
          f"image bytes={sum(map(len, images.values()))}")


if __name__ == "__main__":
    main()
