"""training_tests: a test for each case of cases.py."""

def training_tests(cases):
    """<case>_test for every case, so that each has a time limit and a verdict of its own."""
    for case in cases:
        native.py_test(
            name = case + "_test",
            size = "large",
            srcs = ["training_test.py"],
            args = [
                "$(location //experiments:lra)",
                case,
            ],
            data = ["//experiments:lra"],
            main = "training_test.py",
            # It trains: alone on the machine it takes half a minute.
            tags = ["exclusive"],
            deps = [
                ":bands",
                ":cases",
                ":reference",
                ":run_case",
            ],
        )
