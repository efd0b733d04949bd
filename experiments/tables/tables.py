"""All tables, in the order of the index.

A table is a module: TITLE and ABOUT, `cells(preset)`, what it is made of, and
`content(preset, results)`, the blocks of its page; `results` is a function of a cell.
"""

import table_ablation
import table_accuracy
import table_breakdown
import table_claims
import table_dense_tuning
import table_hyperparameters
import table_inference
import table_memory
import table_operations
import table_patterns
import table_scaling
import table_settling
import table_sparsity
import table_training_time
from page import Page

TABLES = {
    "hyperparameters": table_hyperparameters,
    "accuracy": table_accuracy,
    "training_time": table_training_time,
    "memory": table_memory,
    "inference": table_inference,
    "breakdown": table_breakdown,
    "operations": table_operations,
    "sparsity": table_sparsity,
    "ablation": table_ablation,
    "dense_tuning": table_dense_tuning,
    "claims": table_claims,
    "patterns": table_patterns,
    "settling": table_settling,
    "scaling": table_scaling,
}


def page_of(name, preset, results):
    """The Page of the table of that name."""
    table = TABLES[name]
    return Page(name, table.TITLE, table.ABOUT, table.content(preset, results),
                [results(cell) for cell in table.cells(preset)])
