"""Every outside thing that SPION builds with. Nothing here reaches for the network."""

load("//third_party/bazel:helpers.bzl", "bazel_helpers")
load("//third_party/cuda:repository.bzl", "cuda_repository")
load("//third_party/debian:repository.bzl", "debian_library")
load("//third_party/python:repository.bzl", "python_package")
load("//third_party/python:toolchain.bzl", "python_toolchain")
load("//third_party/torch:repository.bzl", "torch_repository")

def spion_repositories():
    bazel_helpers()

    debian_library(
        name = "absl",
        package = "libabsl-dev",
        header = "absl/status/status.h",
        modules = {
            "absl": "absl_cleanup absl_function_ref absl_span absl_status absl_statusor " +
                    "absl_str_format absl_strings absl_time",
        },
    )
    debian_library(
        name = "googletest",
        package = "libgtest-dev, libgmock-dev",
        header = "gmock/gmock.h",
        modules = {"gmock": "gmock", "gtest": "gtest", "gtest_main": "gtest_main"},
    )
    debian_library(
        name = "benchmark",
        package = "libbenchmark-dev",
        header = "benchmark/benchmark.h",
        modules = {"benchmark": "benchmark"},
    )
    debian_library(
        name = "libpng",
        package = "libpng-dev",
        header = "png.h",
        modules = {"libpng": "libpng"},
    )
    debian_library(
        name = "zlib",
        package = "zlib1g-dev",
        header = "zlib.h",
        modules = {"zlib": "zlib"},
    )
    debian_library(
        name = "json",
        package = "nlohmann-json3-dev",
        header = "nlohmann/json.hpp",
        modules = {"json": "nlohmann_json"},
    )

    python_toolchain(name = "python")
    native.register_toolchains("@python//:toolchain")

    torch_repository(name = "torch")
    cuda_repository(name = "cuda")
    for package in ["matplotlib", "mlperf_logging", "tensorboard"]:
        python_package(
            name = package,
            package = package,
        )
