"""Where the owners give their data: the only place that knows the addresses."""

import typing


class Source(typing.NamedTuple):
    url: str  # Of a tar archive, gzipped or not.
    page: str  # Where its owner describes it.
    md5: typing.Optional[str]  # Where one is published.
    folder: str  # That the task's loader reads: its path in the archive and in the data folder.
    ways: typing.Tuple[str, ...] = ()  # What else there is; {out} is the data folder.

    @property
    def archive(self):
        """The archive's file name."""
        return self.url.rsplit("/", 1)[1]

    @property
    def names(self):
        """What the archive is called where people have it: also renamed, or without its gzip."""
        stem = self.archive.removesuffix(".gz").removesuffix(".tar")
        return tuple(dict.fromkeys([self.archive, *(stem + end for end in _ENDINGS)]))


_ENDINGS = (".tar.gz", ".tgz", ".tar", "")

_LONG_RANGE_ARENA = {
    "url": "https://storage.googleapis.com/long-range-arena/lra_release.gz",  # 7.7 GB
    "page": "https://github.com/google-research/long-range-arena",
    "md5": None,
}

_UNPACKED = ("put the release as somebody unpacked it into {out}, as lra_release/ or as FOLDERS "
             "alone: it is read as it is, without fetch")
_MEGA = ("https://dl.fbaipublicfiles.com/mega/data/lra.zip, by the authors of Mega, is no way: it "
         "holds all five tasks, but as numbers for fairseq, which are not read here")

SOURCES = {
    "image": Source(
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin"),
    "pathfinder": Source(
        **_LONG_RANGE_ARENA,
        folder="pathfinder32/curv_contour_length_14",
        ways=(_UNPACKED.replace("FOLDERS", "pathfinder32/ or pathfinder/pathfinder32/"),
              _MEGA)),
    "retrieval": Source(
        **_LONG_RANGE_ARENA,
        folder="tsv_data",
        ways=(_UNPACKED.replace("FOLDERS", "tsv_data/, aan/ or matching/"),
              "get new_aan_pairs.train.tsv, .eval.tsv and .test.tsv from data/aan of "
              "https://huggingface.co/datasets/OpenNLPLab/lra, a copy by users of the release, and "
              "put them into {out}/aan",
              _MEGA)),
    "text": Source(
        url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        page="https://ai.stanford.edu/~amaas/data/sentiment/",
        md5="7c2ac02c03563afcf9b574c7e56c153a",
        folder="aclImdb"),
}

# Made by its generator instead of downloaded.
GENERATED = {
    "listops": "bazel run //tools:make_listops -- --out={out}/listops-1000",
}
