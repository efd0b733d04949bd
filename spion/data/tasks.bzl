"""All tasks: their names, as of --task and of targets, in the tables' order. Of each

  loader, load   the target that has the loader, and its function: of TaskOptions, StatusOr<TaskData>
  paper          the published hyper-parameters (spion/data/task_entry.h); fractions in quotes, as this
                 language has none
  step_ms        of a training step of the Transformer, every block kept, at these on an H200, about:
                 for estimates before anything ran

The one list of them: BUILD files load it, the registry and the presets are generated from it, and
experiments/tables/methods.py reads it as Python, also where there is no Bazel. Source of `paper`:
the method's reference implementation; of `step_ms`: docs/results.md.
"""

TASKS = {
    "listops": {
        "loader": "//spion/data:listops",
        "load": "LoadListOps",
        "paper": {
            "layers": 4,
            "batch_size": 256,
            "learning_rate": "7e-4",
            "warmup_steps": 1000,
            "steps": 30000,
            "capture_interval": 500,
            "block_size": 64,
            "density": "0.04",
            "threshold": "0.98",
        },
        "step_ms": 12,
    },
    "text": {
        "loader": "//spion/data:text",
        "load": "LoadText",
        "paper": {
            "layers": 2,
            "batch_size": 32,
            "learning_rate": "1e-4",
            "warmup_steps": 80,
            "steps": 30000,
            "capture_interval": 200,
            "block_size": 64,
            "density": "0.03",
            "threshold": "0.99",
            "evaluation_interval": 1000,
            "dev_examples": 6400,
        },
        "step_ms": 3,
    },
    "retrieval": {
        "loader": "//spion/data:retrieval",
        "load": "LoadRetrieval",
        "paper": {
            "layers": 2,
            "batch_size": 32,
            "learning_rate": "3e-4",
            "warmup_steps": 800,
            "steps": 40000,
            "capture_interval": 200,
            "block_size": 64,
            "density": "0.021",
            "threshold": "0.99",
            "evaluation_interval": 1000,
            "dev_examples": 9600,
        },
        "step_ms": 5,
    },
    "image": {
        "loader": "//spion/data:image",
        "load": "LoadImage",
        "paper": {
            "layers": 2,
            "batch_size": 128,
            "learning_rate": "1e-4",
            "warmup_steps": 175,
            "steps": 10000,
            "capture_interval": 500,
            "block_size": 32,
            "density": "0.04",
            "threshold": "0.96",
        },
        "step_ms": 2,
    },
    "pathfinder": {
        "loader": "//spion/data:pathfinder",
        "load": "LoadPathfinder",
        "paper": {
            "layers": 2,
            "batch_size": 256,
            "learning_rate": "3e-4",
            "warmup_steps": 312,
            "steps": 50000,
            "capture_interval": 500,
            "block_size": 32,
            "density": "0.05",
            "threshold": "0.96",
        },
        "step_ms": 3,
    },
}
