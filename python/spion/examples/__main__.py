"""Lists the examples: python -m spion.examples."""

from spion import examples

print(examples.__doc__ or "python -OO leaves out what this shows")
