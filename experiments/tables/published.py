"""What others published, with its sources: published.csv.

    published = Published()
    published.value("Tay et al. 2021 (LRA)", "Longformer", "image", "accuracy_percent")   # "42.22"

What is not in the file could not be had, and is None: never guessed.
"""

import csv
import pathlib

ACCURACY = "accuracy_percent"
HOURS = "training_hours"
MEMORY = "peak_memory_gb"
SETTINGS_SOURCE = "SPION reference implementation (Dec 2023)"
_FILE = pathlib.Path(__file__).parent / "published.csv"


class Published:
    def __init__(self):
        self._values, self._tables = {}, {}
        with _FILE.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = (row["source"], row["model"], row["task"], row["metric"])
                if key in self._values:
                    raise ValueError(f"{_FILE} has two values of {', '.join(key)}")
                self._values[key] = row["value"]
                self._tables[row["source"], row["metric"]] = row["table"]

    def value(self, source, model, task, metric):
        """As printed there, or None."""
        return self._values.get((source, model, task, metric))

    def of_method(self, source, method, task, metric):
        """By methods.Method, or None."""
        model = method.published.get(source)
        return self.value(source, model, task, metric) if model else None

    def where(self, source, metric):
        """"Chen et al. 2021 (Skyformer), Table 1"."""
        return f"{source}, {self._tables[source, metric]}"
