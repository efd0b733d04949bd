"""SPION's three phases, for a classifier in plain PyTorch.

The classifier reads a grey picture of 32 x 32 pixels as a sequence of 1024 tokens. It is trained
densely first; every few steps each layer's attention map is captured, and when the maps have settled
each layer gets the block pattern of its own map, and training goes on with block-sparse attention.
"""

import pathlib
import time

import torch
from torch import Tensor, nn

import spion
from spion.examples import _command, _drawing, _pictures

LENGTH, LAYERS, BLOCK = _pictures.SIDE**2, 2, 32


class Layer(nn.Module):
    """An encoder layer; of spion is alone what takes the place of scaled_dot_product_attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.attention = spion.nn.SpionAttention()

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        x = x + self.out(self.attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class Classifier(nn.Module):
    def __init__(self, width: int = 64, heads: int = 2) -> None:
        super().__init__()
        self.grey, self.position = nn.Embedding(256, width), nn.Embedding(LENGTH, width)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(LAYERS))
        for embedding in (self.grey, self.position):
            nn.init.normal_(embedding.weight, std=0.05)
        self.norm, self.classify = nn.LayerNorm(width), nn.Linear(width, _pictures.CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.grey(pixels) + self.position.weight
        for layer in self.layers:
            x = layer(x)
        return self.classify(self.norm(x).mean(1))


@torch.no_grad()
def accuracy(model: nn.Module, pictures: _pictures.Pictures, device: torch.device) -> float:
    model.eval()
    right = 0
    for index in torch.arange(len(pictures.labels)).split(100):
        pixels, labels = pictures.batch(index, device)
        right += (model(pixels).argmax(1) == labels).sum().item()
    model.train()
    return right / len(pictures.labels)


def read_data(folder: pathlib.Path | None, tested: int,
              seed: int) -> tuple[_pictures.Pictures, _pictures.Pictures]:
    if folder is None:
        print("data: generated, a disc of ten places and brightnesses; --data=DIR takes CIFAR-10")
        return _pictures.generate(4000, seed), _pictures.generate(tested, seed + 1)
    train, test = _pictures.read_cifar10(folder)
    print(f"data: CIFAR-10 from {folder}, {len(train.labels)} train, {len(test.labels)} test pictures")
    return train, _pictures.Pictures(test.pixels[:tested], test.labels[:tested])


def main(arguments: list[str] | None = None) -> None:
    parser = _command.parser("spion.examples.three_phases", __doc__)
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR",
                        help="the folder of CIFAR-10, Python or binary version (default: generated "
                             "pictures)")
    parser.add_argument("--steps", type=int, metavar="N",
                        help="of training, at least 30 (default: 150; on a GPU 3000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default: 0)")
    options = _command.parsed(parser, arguments)
    device, on_gpu = options.device, options.device.type == "cuda"
    steps = (3000 if on_gpu else 150) if options.steps is None else options.steps
    if steps < 30:
        parser.error(f"--steps={steps}: expected at least 30")
    batch, tested, learning_rate = (128, 10000, 1e-3) if on_gpu else (8, 200, 6e-3)
    try:
        train, test = read_data(options.data, tested, options.seed)
    except _pictures.DataError as error:
        parser.error(str(error))

    torch.manual_seed(options.seed)
    model = Classifier().to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=learning_rate, total_steps=steps,
                                                   pct_start=0.1)
    attentions = [layer.attention for layer in model.layers]
    interval = steps // 8
    controller = spion.PhaseController(attentions, kind="cf", block_size=BLOCK, threshold=0.96,
                                       capture_interval=interval, dense_step_limit=4 * interval)
    started = time.perf_counter()

    def step_ms(steps: int) -> float:
        return (time.perf_counter() - started) / steps * 1e3

    for step in range(1, steps + 1):
        pixels, labels = train.batch(torch.randint(len(train.labels), (batch,)), device)
        with torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
            loss = nn.functional.cross_entropy(model(pixels), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        capture = controller.after_step(step)
        if capture is None:
            continue
        print(f"{capture}; loss {loss.item():.3f}")
        if not capture.transition:
            continue
        print(f"a step of the dense phase takes {step_ms(step):.1f} ms; test accuracy "
              f"{accuracy(model, test, device):.1%}, by the new patterns")
        if options.picture is not None:
            _drawing.draw_maps_and_patterns(options.picture, capture.maps,
                                            [attention.pattern for attention in attentions])
        sparse_steps, started = steps - step, time.perf_counter()
    said = f"step {steps}: loss {loss.item():.3f}"
    print(f"{said}; a step of the sparse phase takes {step_ms(sparse_steps):.1f} ms; test accuracy "
          f"{accuracy(model, test, device):.1%}")


if __name__ == "__main__":
    main()
