"""What a cell was made on: its data, and the kind of its device.

Accuracies on other data do not compare, nor do times and memory on another GPU: so both are part of
a cell's id. All CPUs are one kind: what runs on them shows that the machinery works, and the next
machine should go on with it.
"""

import dataclasses
import re

CPU = "cpu"
_GENERATED = "generated-"  # with the cell's seed
_READ = "sha256-"
_SIZES = re.compile(r"(\d+) train, (\d+) dev, (\d+) test")
DIGITS = 12  # of a digest, in names and texts
_SEVERAL = re.compile(r"\d+ x ")


@dataclasses.dataclass(frozen=True)
class Origin:
    data: str  # "generated-8000-1000-2000", by its sizes; "sha256-<digest>" of files; "": none
    device: str  # "cpu", or the GPU's name, or of several that train together "2 x NVIDIA H200"

    def by(self, gpus):
        """The same by so many GPUs together."""
        return self if gpus == 1 else dataclasses.replace(self, device=f"{gpus} x {self.device}")

    @property
    def of_one(self):
        """The same by one of them."""
        return dataclasses.replace(self, device=_SEVERAL.sub("", self.device, count=1))

    @property
    def is_real(self):
        """Whether its data was read from files."""
        return self.data.startswith(_READ)

    @property
    def name(self):
        """For the end of a cell's id."""
        parts = [self.data[:len(_READ) + DIGITS] if self.is_real else self.data,
                 re.sub(r"[^a-z0-9]+", "-", self.device.lower()).strip("-")]
        return ".".join(part for part in parts if part)

    @property
    def data_text(self):
        """For the user."""
        if self.is_real:
            return f"data of sha256 {self.data[len(_READ):][:DIGITS]}"
        if self.data:
            train, dev, test = self.data[len(_GENERATED):].split("-")
            return f"generated data, {train} train, {dev} dev, {test} test"
        return "no data"

    def __str__(self):
        return f"{self.data_text}, on {self.device}"


def _device(told):
    """Of a manifest, or of a part of one."""
    ranks = told.get("ranks", [])
    names = {told["device_name"], *(rank["device_name"] for rank in ranks)}
    if len(names) > 1:
        raise ValueError(f"by ranks on several kinds of GPU: {', '.join(sorted(names))}")
    return Origin("", told["device_name"]).by(max(1, len(ranks))).device


def of_manifest(manifest):
    """Of a run, by its manifest.json. KeyError, TypeError, ValueError: it is no manifest, or its
    parts or ranks ran on several kinds or numbers of GPUs."""
    source, device = manifest["data_source"], manifest["device"]
    if device != CPU:
        device = _device(manifest)
        for part in manifest.get("resumed", []):
            if _device(part) != device:
                raise ValueError(f"begun on {device}, gone on with on {_device(part)}")
    if source["path"]:
        data = _READ + source["sha256"]
    else:
        sizes = _SIZES.search(source["description"])
        if not sizes:
            raise ValueError(f"no sizes in \"{source['description']}\"")
        data = _GENERATED + "-".join(sizes.groups())
    return Origin(data, device)


def of_benchmark(context):
    """Of a benchmark, by its context."""
    return Origin("", context.get("gpu") or CPU)
