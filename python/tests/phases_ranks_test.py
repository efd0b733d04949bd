"""The three phases over ranks: all as one, and as one with the whole batch."""

import os
import pathlib
import tempfile
import unittest

import torch
from torch import distributed

import spion
from phase_runs import LENGTH, OPTIONS, new_layers, run, settling


def train_rank(rank, folder):
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    layers = new_layers()
    controller = spion.PhaseController(layers, **OPTIONS)
    heads = settling(6)[:, :, :, rank:rank + 1]
    captures = run(controller, layers, heads, range(1, 13))
    torch.save([[layer.pattern.packed for layer in layers], captures[-1].step,
                captures[1].distance], f"{folder}/{rank}")
    distributed.destroy_process_group()


def data_parallel_rank(rank, folder):
    """Trains a converted model under DistributedDataParallel, from dense to sparse."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True)
    model = torch.nn.TransformerEncoder(layer, 1)
    layers = spion.convert(model).layers
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    controller = spion.PhaseController(
        layers, **(OPTIONS | {"capture_interval": 1, "dense_step_limit": 2}))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(rank)
    for step in range(1, 5):
        optimiser.zero_grad()
        parallel(torch.randn(2, LENGTH, 32, generator=generator)).square().mean().backward()
        optimiser.step()
        controller.after_step(step)
    torch.save([controller.phase, layers[0].pattern.packed, *model.parameters()], f"{folder}/{rank}")
    distributed.destroy_process_group()


def look_at_maps(rank, folder, passes):
    """Leaves what each capture says, or its error. `passes`: of each rank, by step, the length and
    how many of the layers run."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    layers = new_layers()
    controller = spion.PhaseController(layers, **(OPTIONS | {"capture_interval": 1}))
    outcomes = []
    for step, (length, count) in enumerate(passes[rank], start=1):
        q = torch.randn(1, 1, length, 16)
        for layer in layers[:count]:
            layer(q, q, q)
        try:
            outcomes.append(str(controller.after_step(step)))
        except (RuntimeError, ValueError) as error:
            outcomes.append(f"{type(error).__name__}: {error}")
    torch.save(outcomes, f"{folder}/{rank}")
    distributed.destroy_process_group()


class DistributedTest(unittest.TestCase):
    def check_outcomes(self, passes, outcomes):
        """The same on both ranks."""
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(look_at_maps, args=(folder, passes), nprocs=2)
            for rank in range(2):
                self.assertEqual(torch.load(pathlib.Path(folder) / str(rank)), outcomes)

    def test_a_layer_without_a_map_on_one_rank_is_told_on_all(self):
        way_out = ("; run its forward pass in training mode in each step, and call after_step after "
                   "each, none left out")
        error = "RuntimeError: spion.PhaseController: layer"
        self.check_outcomes([[(32, 2)] * 3, [(32, 1), (32, 0), (32, 2)]], [
            f"{error} 1 computed no attention map in step 1 on rank 1{way_out}",
            f"{error} 0 computed no attention map in step 2 on rank 1{way_out}",
            "step 3: capture 1"])

    def test_other_lengths_on_another_rank_are_told_on_all(self):
        self.check_outcomes([[(32, 2), (64, 2)], [(64, 2)] * 2], [
            "ValueError: spion.PhaseController: rank 1 has attention maps of lengths [64, 64], rank 0 "
            "of [32, 32]; pad all batches, on all ranks, to one length", "step 2: capture 1"])

    def test_ranks_stay_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(data_parallel_rank, args=(folder,), nprocs=2)
            one, other = (torch.load(pathlib.Path(folder) / str(rank)) for rank in range(2))
        self.assertEqual((one[0], other[0]), ("sparse", "sparse"))
        self.assertTrue(all(torch.equal(*pair) for pair in zip(one[1:], other[1:])))

    def test_two_ranks_with_half_the_batch_each_are_one_with_all(self):
        layers = new_layers()
        controller = spion.PhaseController(layers, **OPTIONS)
        captures = run(controller, layers, settling(6), range(1, 13))
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(train_rank, args=(folder,), nprocs=2)
            for rank in range(2):
                packed, step, distance = torch.load(pathlib.Path(folder) / str(rank))
                self.assertEqual(step, captures[-1].step)
                for our, whole in zip(distance, captures[1].distance):
                    self.assertAlmostEqual(our, whole, places=5)
                for our, layer in zip(packed, layers):
                    self.assertTrue(torch.equal(our, layer.pattern.packed))


if __name__ == "__main__":
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    unittest.main()
