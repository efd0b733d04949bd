"""The plain encoder's layer against PyTorch's own."""

import unittest

import torch
from torch import nn
from torch.nn import functional

import encoder


def own_layer(layer):
    """PyTorch's layer with the weights of ours."""
    theirs = nn.TransformerEncoderLayer(encoder.WIDTH, encoder.HEADS, encoder.FEED_FORWARD,
                                        encoder.DROPOUT, "gelu", batch_first=True, norm_first=True)
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(layer.projections.weight)
        theirs.self_attn.in_proj_bias.copy_(layer.projections.bias)
    for mine, other in ((layer.output, theirs.self_attn.out_proj), (layer.mlp[0], theirs.linear1),
                        (layer.mlp[3], theirs.linear2), (layer.before_attention, theirs.norm1),
                        (layer.before_mlp, theirs.norm2)):
        other.load_state_dict(mine.state_dict())
    return theirs


class EncoderTest(unittest.TestCase):
    def test_a_layer_is_a_pre_norm_encoder_layer(self):
        torch.manual_seed(1)
        layer = encoder.Layer(functional.scaled_dot_product_attention).double().eval()
        stream = torch.randn(3, 16, encoder.WIDTH, dtype=torch.double)
        with torch.no_grad():
            torch.testing.assert_close(layer(stream), own_layer(layer).double().eval()(stream))

    def test_logits_are_of_the_mean_over_tokens(self):
        torch.manual_seed(2)
        model = encoder.Encoder(7, 5, []).eval()
        tokens = torch.randint(7, (2, 5))
        stream = model.last_norm(model.tokens.weight[tokens] + model.positions.weight)
        with torch.no_grad():
            torch.testing.assert_close(model(tokens), model.classifier(stream.mean(1)))


if __name__ == "__main__":
    unittest.main()
