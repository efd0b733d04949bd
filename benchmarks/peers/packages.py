"""Ends a program of this folder in one line where a package is not installed.

    import packages
    packages.want("torch")
    import torch
"""

import importlib.util
import sys


def want(*names):
    for name in names:
        if importlib.util.find_spec(name) is None:
            sys.exit(f"error: {sys.executable} has no package {name}; start this with a Python that has")
