"""example: the units that a document walks through, of the files that it shows."""

load("//tools/build:cc.bzl", "each_once", "spion_cc_library", "spion_cc_test")

def example(name, document, files, units, folder):
    """A library for each unit, and <unit>_test where the document has one.

    Args:
      name: of the extraction.
      document: its label.
      files: that it shows, as it calls them.
      units: of one folder of UNITS (units.bzl).
      folder: that folder.
    """
    native.genrule(
        name = name,
        testonly = True,
        srcs = [document],
        outs = files,
        cmd = "$(location //tools/documents:extract) $< $(RULEDIR) " + " ".join(files),
        tools = ["//tools/documents:extract"],
    )
    for unit, of_unit in units.items():
        path = folder + "/" + unit
        spion_cc_library(
            name = unit,
            testonly = True,
            srcs = [path + ".cc"],
            hdrs = [path + ".h"] if path + ".h" in files else [],
            # As if the folder stood at the workspace's root.
            includes = ["."],
            deps = of_unit["deps"],
        )
        if path + "_test.cc" in files:
            spion_cc_test(
                name = unit + "_test",
                srcs = [path + "_test.cc"],
                deps = each_once([":" + unit] + of_unit["deps"] + of_unit.get("test_deps", [])),
            )
