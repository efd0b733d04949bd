"""The units that the examples of the documents consist of, as their BUILD files there have them.

examples_test holds the two to each other, and reads this as Python.
"""

UNITS = {
    "baselines/mean": {
        "mean_attention": {
            "deps": [
                "//spion/nn:attention",
                "//spion/nn:padding",
                "@torch//:cpu",
            ],
            "test_deps": ["//baselines/testing:attention_check"],
        },
        "method": {
            "deps": [
                ":mean_attention",
                "//baselines:make_method",
                "//spion/nn:method",
            ],
        },
    },
    "spion/data/majority": {
        "majority": {
            "deps": [
                "//spion/base:random",
                "//spion/base:read_lines",
                "//spion/base:sha256",
                "//spion/base:status",
                "//spion/data:data_folder",
                "//spion/data:generated_sizes",
                "//spion/data:task",
                "@absl",
            ],
        },
    },
}
