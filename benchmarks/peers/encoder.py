"""The paper's encoder in plain PyTorch, as a user would write it: what a training step is compared with.

Pre-norm layers of width 64 with two heads and a feed-forward part of 128, dropout 0.1; the mean over
tokens, a hidden layer of 128 and ten classes. Padding is left out.
"""

import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, FEED_FORWARD, CLASSES, DROPOUT = 64, 2, 128, 10, 0.1


class Layer(nn.Module):
    """attend: q, k, v [B, H, L, d] to the heads' output."""

    def __init__(self, attend):
        super().__init__()
        self.attend = attend
        self.before_attention, self.before_mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.projections = nn.Linear(WIDTH, 3 * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, FEED_FORWARD), nn.GELU(), nn.Dropout(DROPOUT),
                                 nn.Linear(FEED_FORWARD, WIDTH), nn.Dropout(DROPOUT))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, stream):
        batch, length, _ = stream.shape
        q, k, v = (part.view(batch, length, HEADS, -1).transpose(1, 2)
                   for part in self.projections(self.before_attention(stream)).chunk(3, -1))
        heads = self.attend(q, k, v).transpose(1, 2).reshape(batch, length, WIDTH)
        stream = stream + self.dropout(self.output(heads))
        return stream + self.mlp(self.before_mlp(stream))


class Encoder(nn.Module):
    """Tokens [B, L] to logits; a layer for each of `attends`."""

    def __init__(self, vocabulary, length, attends):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, WIDTH), nn.Embedding(length, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList(map(Layer, attends))
        self.last_norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Sequential(nn.Linear(WIDTH, 128), nn.ReLU(), nn.Linear(128, CLASSES))

    def forward(self, tokens):
        stream = self.dropout(self.tokens(tokens) + self.positions.weight)
        for layer in self.layers:
            stream = layer(stream)
        return self.classifier(self.last_norm(stream).mean(1))


class Training:
    """One batch, again and again: forward, backward, clipping by value, AdamW; in bfloat16 by autocast.

    mode: torch.compile's; "reduce-overhead" replays CUDA graphs.
    """

    def __init__(self, model, mode, batch, length, vocabulary, device):
        self.model = model.to(device).train()
        self._compiled = torch.compile(self.model, dynamic=False, mode=mode)
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4, fused=True)
        self._tokens = torch.randint(vocabulary, (batch, length), device=device)
        self._labels = torch.randint(CLASSES, (batch,), device=device)

    def step(self):
        """The loss, on the device."""
        with torch.autocast(self._tokens.device.type, torch.bfloat16):
            loss = functional.cross_entropy(self._compiled(self._tokens).float(), self._labels)
        loss.backward()
        nn.utils.clip_grad_value_(self.model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return loss.detach()
