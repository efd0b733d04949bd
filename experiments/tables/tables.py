"""All tables, in the order of the index."""

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
