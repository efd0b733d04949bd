"""An origin is what a run's manifest tells, and a part of a folder's name."""

import unittest

import origin
from origin import Origin

SHA256 = "025eeda33d12" + "41a1" * 13


def manifest(device="cpu", device_name="Some CPU (2 threads)", **source):
    told = dict(path="", sha256=SHA256, generated=True,
                description="generated shapes, seed 1001: 8000 train, 1000 dev, 2000 test pictures")
    return dict(device=device, device_name=device_name, data_source={**told, **source})


class OriginTest(unittest.TestCase):
    def test_data_made_by_the_program_has_its_sizes(self):
        made_on = origin.of_manifest(manifest())
        self.assertEqual(made_on, Origin("generated-8000-1000-2000", "cpu"))
        self.assertEqual(made_on.name, "generated-8000-1000-2000.cpu")
        self.assertFalse(made_on.is_real)

    def test_listops_of_its_generator_has_its_sizes_too(self):
        """Another seed gives other bytes, and is the same data as far as tables go."""
        description = "ListOps by its own generator, seed 7: 96000 train, 2000 dev, 2000 test "
        made_on = origin.of_manifest(manifest(generated=False, description=description))
        self.assertEqual(made_on.data, "generated-96000-2000-2000")

    def test_files_have_their_digest_wherever_they_lie(self):
        one, other = (origin.of_manifest(manifest(path=path, generated=False,
                                                  description=f"CIFAR-10 from {path}"))
                      for path in ("/data", "elsewhere"))
        self.assertEqual(one, other)
        self.assertEqual(one, Origin(f"sha256-{SHA256}", "cpu"))
        self.assertEqual(one.name, "sha256-025eeda33d12.cpu")
        self.assertTrue(one.is_real)

    def test_a_gpu_has_its_name_and_every_cpu_is_one_kind(self):
        self.assertEqual(origin.of_manifest(manifest(device_name="Another CPU (64 threads)")),
                         origin.of_manifest(manifest()))
        gpus = [origin.of_manifest(manifest("cuda:0", name))
                for name in ("NVIDIA H100 80GB HBM3", "NVIDIA H200")]
        self.assertEqual([gpu.device for gpu in gpus], ["NVIDIA H100 80GB HBM3", "NVIDIA H200"])
        self.assertEqual(gpus[0].name, "generated-8000-1000-2000.nvidia-h100-80gb-hbm3")

    def test_parts_on_several_kinds_of_gpu_are_no_run(self):
        """On CPUs they are: all CPUs are one kind."""
        for device, other in (("cuda:0", "NVIDIA H200"), ("cpu", "Another CPU")):
            told = manifest(device, "NVIDIA H100")
            alone = origin.of_manifest(told)
            told["resumed"] = [dict(device_name="NVIDIA H100")]
            self.assertEqual(origin.of_manifest(told), alone)
            told["resumed"].append(dict(device_name=other))
            if device == "cpu":
                self.assertEqual(origin.of_manifest(told), alone)
            else:
                with self.assertRaisesRegex(ValueError, "begun on NVIDIA H100.* on NVIDIA H200"):
                    origin.of_manifest(told)

    def test_gpus_that_train_together_are_counted(self):
        ranks = [dict(device_name="NVIDIA H200")] * 2
        told = {**manifest("cuda:0", "NVIDIA H200"), "ranks": ranks}
        made_on = origin.of_manifest(told)
        self.assertEqual(made_on.device, "2 x NVIDIA H200")
        self.assertTrue(made_on.name.endswith(".2-x-nvidia-h200"))
        self.assertEqual(made_on.of_one, origin.of_manifest(manifest("cuda:0", "NVIDIA H200")))
        self.assertEqual(made_on.of_one.by(2), made_on)
        told["resumed"] = [dict(device_name="NVIDIA H200", ranks=ranks)]
        self.assertEqual(origin.of_manifest(told), made_on)
        told["resumed"].append(dict(device_name="NVIDIA H200"))
        with self.assertRaisesRegex(ValueError, "begun on 2 x NVIDIA H200, gone on with on NVIDIA"):
            origin.of_manifest(told)
        ranks = [dict(device_name="NVIDIA H200"), dict(device_name="NVIDIA H100")]
        with self.assertRaisesRegex(ValueError, "several kinds of GPU: NVIDIA H100, NVIDIA H200"):
            origin.of_manifest({**manifest("cuda:0", "NVIDIA H200"), "ranks": ranks})

    def test_a_benchmark_has_a_device_alone(self):
        self.assertEqual(origin.of_benchmark(dict(cpu="x", gpu="NVIDIA H200")).name, "nvidia-h200")
        self.assertEqual(origin.of_benchmark(dict(cpu="x")), Origin("", "cpu"))

    def test_is_told_in_words(self):
        self.assertEqual(str(origin.of_manifest(manifest())),
                         "generated data, 8000 train, 1000 dev, 2000 test, on cpu")
        self.assertEqual(str(Origin(f"sha256-{SHA256}", "NVIDIA H200")),
                         "data of sha256 025eeda33d12, on NVIDIA H200")
        self.assertEqual(str(Origin("", "cpu")), "no data, on cpu")

    def test_what_is_no_manifest_is_refused(self):
        for told in ({}, dict(device="cpu"), [], manifest(description="no sizes")):
            with self.assertRaises((KeyError, TypeError, ValueError)):
                origin.of_manifest(told)


if __name__ == "__main__":
    unittest.main()
