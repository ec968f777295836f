"""The encoder: tokens of network × time patch, then a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semantoks.config import Architecture
from semantoks.errors import UserError
from semantoks.model.network.linear import Linear
from semantoks.model.network.tokenizer import NetworkPatches, NetworkTokenizer, lay_out

if TYPE_CHECKING:
    from semantoks.artifacts.timeseries import Manifest


class EncoderOutput(NamedTuple):
    """What the encoder returns: [CLS] and, network-major, the token of each network and patch."""

    cls_BD: Tensor
    tokens_BLD: Tensor


class Patches(NamedTuple):
    """Windows as the tokenizers read them; student and teacher share them.

    Attributes
    ----------
    by_network : tuple of NetworkPatches
        What `tokenizer.lay_out` returns; missing regions are zero.
    present_BN : Tensor of bool
        Which networks each window has.
    """

    by_network: tuple[NetworkPatches, ...]
    present_BN: Tensor


class Block(nn.Module):
    """A pre-norm transformer block with LayerScale."""

    def __init__(self, width: int, heads: int, layer_scale: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = Linear(width, 3 * width, bias=False)
        self.projection = Linear(width, width)
        self.attention_scale = nn.Parameter(torch.full((width,), layer_scale))
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(Linear(width, 4 * width), nn.GELU(), Linear(4 * width, width))
        self.mlp_scale = nn.Parameter(torch.full((width,), layer_scale))

    def forward(self, x_BSD: Tensor, outputs: int | None = None) -> Tensor:
        """Return the sequence with attention and MLP added; of the first `outputs` positions."""
        batch, length, _ = x_BSD.shape
        qkv = self.qkv(self.attention_norm(x_BSD)).view(batch, length, 3, self.heads, -1)
        query_BHSE, key_BHSE, value_BHSE = qkv.permute(2, 0, 3, 1, 4)
        mixed_BHSE = F.scaled_dot_product_attention(
            query_BHSE[:, :, :outputs], key_BHSE, value_BHSE
        )
        mixed_BSD = mixed_BHSE.transpose(1, 2).flatten(2)
        x_BSD = x_BSD[:, :outputs] + self.attention_scale * self.projection(mixed_BSD)
        return x_BSD + self.mlp_scale * self.mlp(self.mlp_norm(x_BSD))


class Encoder(nn.Module):
    """Turn windows of regional time series into a summary vector and tokens.

    Parameters
    ----------
    architecture : Architecture
        Sizes.
    networks : sequence of str
        Name of the network of each region, in region order; a network's regions may be anywhere.
    order : sequence of str, optional
        Order of the networks; by default the order in which they first appear.

    Attributes
    ----------
    networks, order : tuple of str
        As above.
    manifest : Manifest or None
        What the time series must look like (atlas, labels, TR, …), where that is known.
    """

    regions_C: Tensor
    membership_CN: Tensor

    def __init__(
        self,
        architecture: Architecture,
        networks: Sequence[str],
        order: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.networks = tuple(networks)
        self.order = tuple(dict.fromkeys(networks) if order is None else order)
        self.manifest: Manifest | None = None
        if set(self.order) != set(self.networks):
            raise UserError(
                f"The order of the networks ({', '.join(self.order)}) must name each network of "
                f"the regions ({', '.join(dict.fromkeys(networks))}) and no other."
            )
        self._index_regions()
        width = architecture.width
        self.tokenizers = nn.ModuleList(
            NetworkTokenizer(size, architecture.tokenizer) for size in self.sizes
        )
        self.mask_embedding = nn.Parameter(0.02 * torch.randn(width))
        self.cls_embedding = nn.Parameter(0.02 * torch.randn(width))
        self.network_embedding = nn.Parameter(0.02 * torch.randn(len(self.order), width))
        heads = width // architecture.head_width
        self.blocks = nn.ModuleList(
            Block(width, heads, architecture.layer_scale) for _ in range(architecture.depth)
        )
        self.norm = nn.LayerNorm(width)

    def _index_regions(self) -> None:
        index = {name: n for n, name in enumerate(self.order)}
        network_C = torch.tensor([index[name] for name in self.networks])
        membership_CN = F.one_hot(network_C, len(self.order)).float()
        self.sizes: list[int] = [int(size) for size in membership_CN.sum(0)]
        # Stable: inside a network, regions keep their order.
        self.register_buffer("regions_C", network_C.argsort(stable=True), persistent=False)
        self.register_buffer("membership_CN", membership_CN, persistent=False)

    def presence(self, x_BCT: Tensor) -> Tensor:
        """Return (B, N), True where enough regions of a network have data (are not NaN)."""
        covered_BC = _covered(x_BCT).to(self.membership_CN.dtype)
        with torch.autocast(x_BCT.device.type, enabled=False):  # a count needs all its digits
            part_BN = (covered_BC @ self.membership_CN) / self.membership_CN.sum(0)
        return (part_BN >= self.architecture.min_presence) & (part_BN > 0)

    def forward(
        self, x_BCT: Tensor, mask_BNP: Tensor | None = None, present_N: Tensor | None = None
    ) -> EncoderOutput:
        """Encode windows.

        Parameters
        ----------
        x_BCT : Tensor
            Windows (batch, regions, volumes), z-scored per region and scan. A region that is NaN
            contributes nothing; a network with too few regions becomes masked tokens.
        mask_BNP : Tensor, optional
            True where the token of a network and time patch is hidden.
        present_N : Tensor, optional
            False for networks that are to be taken as absent.

        Returns
        -------
        EncoderOutput
            ``cls_BD`` and ``tokens_BLD``, L = networks × patches, network-major.

        Raises
        ------
        UserError
            If the regions are not those of the model or the volumes no multiple of the patch.
        """
        return self.encode(self.patches(x_BCT, present_N), mask_BNP)

    def patches(self, x_BCT: Tensor, present_N: Tensor | None = None) -> Patches:
        """Lay windows out for `encode`; parameters and errors as for `forward`."""
        self._require_fit(x_BCT)
        present_BN = self.presence(x_BCT)
        if present_N is not None:
            present_BN = present_BN & present_N
        covered_BC1 = _covered(x_BCT)[..., None]
        # Where to ask would stall the device, nothing is asked.
        if x_BCT.is_cuda or not covered_BC1.all():
            x_BCT = torch.where(covered_BC1, x_BCT, 0.0)
        if torch.is_autocast_enabled(x_BCT.device.type):  # once, rather than before each product
            x_BCT = x_BCT.to(torch.get_autocast_dtype(x_BCT.device.type))
        regions = torch.split(self.regions_C, self.sizes)
        return Patches(lay_out(x_BCT, self.architecture.patch, regions), present_BN)

    def encode(
        self, patches: Patches, mask_BNP: Tensor | None = None, *, tokens: bool = True
    ) -> EncoderOutput:
        """Encode what `patches` returned.

        Parameters
        ----------
        patches : Patches
            Windows.
        mask_BNP : Tensor, optional
            True where the token of a network and time patch is hidden.
        tokens : bool
            Whether tokens are asked for; without them the last block computes [CLS] only, and
            ``tokens_BLD`` has length 0.
        """
        hidden_BNP = ~patches.present_BN[..., None]
        if mask_BNP is not None:
            hidden_BNP = hidden_BNP | mask_BNP
        tokens_BNPD = self._tokenize(patches, hidden_BNP)
        count, width = tokens_BNPD.shape[2:]
        time_PD = time_embedding(count, width, tokens_BNPD.device)
        tokens_BNPD = tokens_BNPD + self.network_embedding[:, None] + time_PD.to(tokens_BNPD.dtype)
        cls_B1D = self.cls_embedding.expand(len(tokens_BNPD), 1, -1)
        sequence_BSD = torch.cat([cls_B1D, tokens_BNPD.flatten(1, 2)], dim=1)
        *blocks, last = self.blocks
        for block in blocks:
            sequence_BSD = block(sequence_BSD)
        sequence_BSD = self.norm(last(sequence_BSD, None if tokens else 1))
        return EncoderOutput(sequence_BSD[:, 0], sequence_BSD[:, 1:])

    def embed(self, x_BCT: Tensor) -> Tensor:
        """Return the embedding of windows, (B, 2·width): the mean token, then [CLS]."""
        # Tokens of absent networks count: they are what the model expects there, so that the
        # mean stays comparable between scans with and without them.
        output: EncoderOutput = self(x_BCT)
        return torch.cat([output.tokens_BLD.mean(1), output.cls_BD], dim=-1)

    def embed_networks(self, x_BCT: Tensor) -> Tensor:
        """Return one vector per network, the mean of its tokens over time, (B, N·width).

        What sets one network apart is diluted in `embed`, the mean over all of them.
        """
        tokens_BLD = self(x_BCT).tokens_BLD
        by_network_BNPD = tokens_BLD.view(len(x_BCT), len(self.order), -1, tokens_BLD.shape[-1])
        vectors_BE: Tensor = by_network_BNPD.mean(2).flatten(1)
        return vectors_BE

    def _tokenize(self, patches: Patches, hidden_BNP: Tensor) -> Tensor:
        batch, networks = patches.present_BN.shape
        count = len(patches.by_network[0].x_QTC) // batch
        hidden_NQ = hidden_BNP.expand(-1, -1, count).transpose(0, 1).flatten(1)
        tokens_NQD = torch.stack(
            [
                self._tokens(*item)
                for item in zip(self.tokenizers, patches.by_network, hidden_NQ, strict=True)
            ]
        )
        return tokens_NQD.view(networks, batch, count, -1).transpose(0, 1)

    def _tokens(self, tokenizer: nn.Module, patches: NetworkPatches, hidden_Q: Tensor) -> Tensor:
        """Return a network's tokens, and the mask embedding where they are hidden."""
        if hidden_Q.is_cuda:  # to ask how many are hidden would stall the device
            return torch.where(hidden_Q[:, None], self.mask_embedding, tokenizer(patches))
        if not hidden_Q.any():
            shown_QD: Tensor = tokenizer(patches)
            return shown_QD
        shown_R = (~hidden_Q).nonzero()[:, 0]
        shown_RD = tokenizer(patches.select(shown_R))
        masked_QD = self.mask_embedding.to(shown_RD.dtype).expand(len(hidden_Q), -1)
        return masked_QD.index_copy(0, shown_R, shown_RD)

    def _require_fit(self, x_BCT: Tensor) -> None:
        _, regions, volumes = x_BCT.shape
        patch = self.architecture.patch
        if regions != len(self.networks):
            raise UserError(
                f"The model expects {len(self.networks)} regions, the time series have {regions}. "
                "Use the atlas that the model was trained with."
            )
        if volumes == 0 or volumes % patch:
            raise UserError(
                f"A window must be a multiple of {patch} volumes (the patch of the model), found "
                f"{volumes}. Cut the window to {volumes // patch * patch} volumes."
            )


def _covered(x_BCT: Tensor) -> Tensor:
    """Return (B, C), True where a region has a finite value at every volume."""
    # A sum is not finite when any of its terms is not, and costs a quarter of asking each.
    return x_BCT.sum(-1).isfinite()


def time_embedding(patches: int, width: int, device: torch.device | str | None = None) -> Tensor:
    """Return the fixed sine-cosine embedding of time patches, (patches, width)."""
    exponent = torch.arange(width // 2, dtype=torch.float64, device=device) / (width // 2)
    time_P = torch.arange(patches, dtype=torch.float64, device=device)
    angles = time_P[:, None] * 10000.0**-exponent
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
