"""Fetches, decodes and resizes the URLs in a file by img2dataset's own downloader.

Prints images and seconds of processor time a round, as "images:seconds" for each. The re-encoding
as JPEG, which img2dataset needs and LatentSpark does not, is taken out, and so is reading EXIF.
"""

import os
import resource
import sys
import tempfile

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2
import numpy as np
import pyarrow as pa
from img2dataset.downloader import Downloader
from img2dataset.resizer import Resizer
from img2dataset.writer import DummySampleWriter


class Writer(DummySampleWriter):
    images = 0

    def write(self, img_str, key, caption, meta):
        Writer.images += img_str is not None


def seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(urls, size, threads, rounds):
    cv2.imencode = lambda *arguments, **named: (True, np.zeros(1, np.uint8))
    with open(urls, encoding="utf-8") as lines:
        table = pa.table({"url": lines.read().split()})
    shard = os.path.join(tempfile.mkdtemp(), "shard.feather")
    downloader = Downloader(
        sample_writer_class=Writer,
        resizer=Resizer(size, "center_crop", False),
        thread_count=threads,
        save_caption=False,
        extract_exif=False,
        output_folder=os.path.dirname(shard),
        column_list=["url"],
        timeout=10,
        number_sample_per_shard=len(table),
        oom_shard_count=5,
        compute_hash="sha256",
        verify_hash_type=None,
        encode_format="jpg",
        retries=0,
        user_agent_token=None,
        disallowed_header_directives=["noai", "noimageai"],
    )
    results = []
    for _ in range(rounds):
        # It deletes each shard's list when it is done.
        with pa.OSFile(shard, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        Writer.images = 0
        start = seconds()
        done, _ = downloader((0, shard))
        if not done:
            sys.exit("img2dataset failed")
        results.append(f"{Writer.images}:{seconds() - start:.3f}")
    print(" ".join(results))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
