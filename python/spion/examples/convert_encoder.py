"""A model of torch's encoder layers, converted and fine-tuned.

Trains a torch.nn.TransformerEncoder for a while, as if it had come from elsewhere, replaces its
attentions by spion.convert, and fine-tunes it through the three phases. Sequences are padded.
"""

import torch
from torch import Tensor, nn

import spion
from spion.examples import _command, _drawing

LENGTH, WORDS, CLASSES, BLOCK, CAPTURE_INTERVAL = 256, 64, 4, 16, 8


class Tagger(nn.Module):
    """Says what a sequence of words is about. Nothing of spion is in it."""

    def __init__(self, width: int = 64, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.word, self.position = nn.Embedding(WORDS, width), nn.Embedding(LENGTH, width)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, norm_first=True, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.classify = nn.Linear(width, CLASSES)

    def forward(self, words: Tensor, padded: Tensor) -> Tensor:
        x = self.encoder(self.word(words) + self.position.weight, src_key_padding_mask=padded)
        return self.classify(x.masked_fill(padded[:, :, None], 0).mean(1))


def batch(size: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Words, where they are padding, and what they are about: a tenth is of that one's own words."""
    about = torch.randint(CLASSES, (size,))
    words = torch.randint(WORDS, (size, LENGTH))
    own = about[:, None] * 4 + torch.randint(4, (size, LENGTH))
    words = torch.where(torch.rand(size, LENGTH) < 0.1, own, words)
    padded = torch.arange(LENGTH) >= torch.randint(LENGTH // 2, LENGTH + 1, (size,))[:, None]
    return words.to(device), padded.to(device), about.to(device)


def main(arguments: list[str] | None = None) -> None:
    parser = _command.parser("spion.examples.convert_encoder", __doc__)
    parser.add_argument("--steps", type=int, default=60, metavar="N",
                        help=f"of fine-tuning, more than {4 * CAPTURE_INTERVAL} (default: 60)")
    options = _command.parsed(parser, arguments)
    device = options.device
    if options.steps <= 4 * CAPTURE_INTERVAL:
        parser.error(f"--steps={options.steps}: expected more than {4 * CAPTURE_INTERVAL}")

    torch.manual_seed(0)
    model = Tagger().to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    losses: list[float] = []

    def train_step() -> None:
        words, padded, about = batch(16, device)
        loss = nn.functional.cross_entropy(model(words, padded), about)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

    def accuracy() -> float:
        model.eval()
        with torch.no_grad():
            words, padded, about = batch(200, device)
            share = (model(words, padded).argmax(1) == about).float().mean().item()
        model.train()
        return share

    for _ in range(40):
        train_step()
    print(f"a model of torch's: loss {losses[-1]:.3f}, accuracy {accuracy():.0%}")

    words, padded, _ = batch(16, device)
    with torch.no_grad():
        before = model.eval()(words, padded)
        conversion = spion.convert(model, dropout="drop")
        difference = (model(words, padded) - before).abs().max().item()
    model.train()
    print(conversion)
    print(f"its outputs differ by {difference:.0e} at most from what they were")

    # The parameters are the same objects, so the optimiser goes on.
    controller = spion.PhaseController(conversion.layers, kind="cf", block_size=BLOCK, threshold=0.9,
                                       capture_interval=CAPTURE_INTERVAL,
                                       dense_step_limit=4 * CAPTURE_INTERVAL)
    transition = 0
    for step in range(1, options.steps + 1):
        train_step()
        capture = controller.after_step(step)
        if capture is not None:
            print(f"{capture}; loss {losses[-1]:.3f}")
            if capture.transition:
                transition = len(losses)
    print(f"fine-tuned, {controller.phase}: loss {losses[-1]:.3f}, accuracy {accuracy():.0%}")
    if options.picture is not None:
        _drawing.draw_losses(options.picture, losses, transition)


if __name__ == "__main__":
    main()
