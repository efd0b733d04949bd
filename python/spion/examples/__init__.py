"""What to do with spion, as programs to run and to read.

    python -m spion.examples.longformer       # attention with a fixed pattern, beside torch's own
    python -m spion.examples.three_phases     # SPION's three phases, for a classifier of your own
    python -m spion.examples.convert_encoder  # a model of torch's encoder layers, made sparse
    python -m spion.examples                  # shows this

Each runs on a CPU in under a minute, and on a GPU where there is one; --help lists its options, and
--picture=FILE draws what it did, by matplotlib.
"""
