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
_DIGITS = 12  # of a digest, in names and texts


@dataclasses.dataclass(frozen=True)
class Origin:
    data: str  # "generated-8000-1000-2000", by its sizes; "sha256-<digest>" of files; "": none
    device: str  # "cpu", or the GPU's name

    @property
    def is_real(self):
        """Whether its data was read from files."""
        return self.data.startswith(_READ)

    @property
    def name(self):
        """For the end of a cell's id."""
        parts = [self.data[:len(_READ) + _DIGITS] if self.is_real else self.data,
                 re.sub(r"[^a-z0-9]+", "-", self.device.lower()).strip("-")]
        return ".".join(part for part in parts if part)

    @property
    def data_text(self):
        """For the user."""
        if self.is_real:
            return f"data of sha256 {self.data[len(_READ):][:_DIGITS]}"
        if self.data:
            train, dev, test = self.data[len(_GENERATED):].split("-")
            return f"generated data, {train} train, {dev} dev, {test} test"
        return "no data"

    def __str__(self):
        return f"{self.data_text}, on {self.device}"


def of_manifest(manifest):
    """Of a run, by its manifest.json. KeyError, TypeError, ValueError: it is no manifest, or its
    parts ran on several kinds of GPU."""
    source, device = manifest["data_source"], manifest["device"]
    if device != CPU:
        for part in manifest.get("resumed", []):
            if part["device_name"] != manifest["device_name"]:
                raise ValueError(f"begun on {manifest['device_name']}, gone on with on "
                                 f"{part['device_name']}")
    if source["path"]:
        data = _READ + source["sha256"]
    else:
        sizes = _SIZES.search(source["description"])
        if not sizes:
            raise ValueError(f"no sizes in \"{source['description']}\"")
        data = _GENERATED + "-".join(sizes.groups())
    return Origin(data, CPU if device == CPU else manifest["device_name"])


def of_benchmark(context):
    """Of a benchmark, by its context."""
    return Origin("", context.get("gpu") or CPU)
