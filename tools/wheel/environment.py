"""An environment of Python's without pip in it, that this Python's pip installs into. For tests."""

import os
import pathlib
import subprocess
import sys
import venv


def _without_python():
    """This process's environment without what would lead that Python to this one's packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


class Environment:
    """In a folder that is made. `packages` is its site-packages."""

    def __init__(self, folder):
        venv.create(folder, with_pip=False)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.python = pathlib.Path(folder, "bin", "python")
        self.packages = pathlib.Path(folder, "lib", version, "site-packages")

    def install(self, pip_packages, *arguments):
        """By the pip in the folder `pip_packages`; nothing is kept for the next time."""
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet",
             "--disable-pip-version-check", "--no-cache-dir", "--no-compile", *arguments],
            check=True, env=os.environ | {"PYTHONPATH": str(pip_packages)})

    def run(self, folder, *arguments):
        """Its Python, in a folder; the finished process, with its output."""
        return subprocess.run([self.python, *arguments], cwd=folder, env=_without_python(),
                              capture_output=True, text=True, check=False)
