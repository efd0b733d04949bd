"""Stands in for a script that runs with the GPU machine's Python."""

import os
import sys

print("script", *sys.argv[1:])
print("started by", os.environ["SPION_STARTED_BY"])
print(os.environ["LD_LIBRARY_PATH"])
