"""The encoder: one token per network and time patch, then a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semantoks.config import Architecture
from semantoks.errors import UserError
from semantoks.model.network.tokenizer import (
    NetworkPatches,
    NetworkTokenizer,
    Patches,
    split_into_patches,
)
from semantoks.model.network.transformer import Block, time_embedding

if TYPE_CHECKING:
    from semantoks.artifacts.timeseries import Manifest


class EncoderOutput(NamedTuple):
    """The encoded windows.

    Attributes
    ----------
    cls_BD : Tensor
        [CLS], (batch, width).
    tokens_BLD : Tensor
        Tokens (batch, networks × patches, width), network-major, without [CLS].
    """

    cls_BD: Tensor
    tokens_BLD: Tensor


class Encoder(nn.Module):
    """Encode windows of regional time series as a summary vector and tokens.

    Parameters
    ----------
    architecture : Architecture
        Sizes.
    networks : sequence of str
        Name of the network of each region, in the order of the regions. The regions of a network
        need not be contiguous.
    order : sequence of str, optional
        Order of the networks (default: of first appearance).

    Attributes
    ----------
    networks, order : tuple of str
        As above.
    manifest : Manifest or None
        The time series that the encoder was trained on (atlas, labels, TR, …), if known.

    References
    ----------
    Gijsen, Schulz & Ritter, arXiv 2512.11582.
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
        self._require_complete_order()
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

    def _require_complete_order(self) -> None:
        if sorted(self.order) != sorted(set(self.networks)):
            raise UserError(
                f"The order of the networks ({', '.join(self.order)}) must name every network of "
                f"the regions ({', '.join(dict.fromkeys(self.networks))}) once, and no other."
            )

    def _index_regions(self) -> None:
        index = {name: n for n, name in enumerate(self.order)}
        network_C = torch.tensor([index[name] for name in self.networks])
        membership_CN = F.one_hot(network_C, len(self.order)).float()
        self.sizes = [self.networks.count(name) for name in self.order]
        # A stable sort keeps the order of the regions within a network. Both buffers follow from
        # `networks` in config.json, so they are not saved with the weights.
        self.register_buffer("regions_C", network_C.argsort(stable=True), persistent=False)
        self.register_buffer("membership_CN", membership_CN, persistent=False)

    def presence(self, x_BCT: Tensor) -> Tensor:
        """Return (B, N), True where enough regions of a network are covered (not NaN)."""
        covered_BC = _covered(x_BCT).to(self.membership_CN.dtype)
        # Autocast would count regions in bfloat16, which has integers up to 256 only.
        with torch.autocast(x_BCT.device.type, enabled=False):
            covered_share_BN = (covered_BC @ self.membership_CN) / self.membership_CN.sum(0)
        # With min_presence 0 the first condition also holds for a network without any data.
        return (covered_share_BN >= self.architecture.min_presence) & (covered_share_BN > 0)

    def forward(self, x_BCT: Tensor, mask_BNP: Tensor | None = None) -> EncoderOutput:
        """Encode windows.

        Parameters
        ----------
        x_BCT : Tensor
            Windows (batch, regions, volumes), z-scored per region and scan. A region with a NaN
            is set to zero; a network with too few covered regions is masked.
        mask_BNP : Tensor, optional
            True where the token of a network and time patch is hidden.

        Returns
        -------
        EncoderOutput
            [CLS] and tokens.

        Raises
        ------
        UserError
            If the number of regions is not the model's, or the number of volumes is not a multiple
            of the patch.
        """
        return self.encode(self.patches(x_BCT), mask_BNP)

    def patches(self, x_BCT: Tensor) -> Patches:
        """Split windows into patches for `encode`; parameters and errors as for `forward`."""
        self._require_shape(x_BCT)
        present_BN = self.presence(x_BCT)
        covered_BC1 = _covered(x_BCT)[..., None]
        # On CUDA `.all()` forces a host sync, so always apply `where` there.
        if x_BCT.is_cuda or not covered_BC1.all():
            # Zero is the mean of a z-scored region.
            x_BCT = torch.where(covered_BC1, x_BCT, 0.0)
        # Cast once here; autocast would cast again before the products of each tokenizer.
        if torch.is_autocast_enabled(x_BCT.device.type):
            x_BCT = x_BCT.to(torch.get_autocast_dtype(x_BCT.device.type))
        regions = torch.split(self.regions_C, self.sizes)
        return Patches(split_into_patches(x_BCT, self.architecture.patch, regions), present_BN)

    def encode(
        self, patches: Patches, mask_BNP: Tensor | None = None, *, tokens: bool = True
    ) -> EncoderOutput:
        """Encode the output of `patches`.

        Parameters
        ----------
        patches : Patches
            Windows.
        mask_BNP : Tensor, optional
            True where the token of a network and time patch is hidden.
        tokens : bool
            Whether to return tokens; without them the last block computes [CLS] only, and
            ``tokens_BLD`` has length 0.
        """
        hidden_BNP = ~patches.present_BN[..., None]
        if mask_BNP is not None:
            hidden_BNP = hidden_BNP | mask_BNP
        sequence_BSD = self._sequence(self._tokenize(patches, hidden_BNP))
        *blocks, last = self.blocks
        for block in blocks:
            sequence_BSD = block(sequence_BSD)
        # Only attention mixes positions. If no loss reads tokens, the last block's query,
        # projection and MLP are needed for [CLS] alone.
        sequence_BSD = self.norm(last(sequence_BSD, None if tokens else 1))
        return EncoderOutput(sequence_BSD[:, 0], sequence_BSD[:, 1:])

    def embed(self, x_BCT: Tensor, patches: int | None = None) -> Tensor:
        """Return the embedding of windows, (B, 2·width): mean token, then [CLS].

        Parameters
        ----------
        x_BCT : Tensor
            As for `forward`.
        patches : int, optional
            Number of patches that hold data; those behind them are padding. Their tokens are hidden
            by the mask embedding, as those that the student does not see in training, and do not
            count in the mean.
        """
        # The mean includes the tokens of absent networks, which are the model's prediction for
        # them. It stays comparable between scans with and without these networks.
        output: EncoderOutput = self(x_BCT, self._padding(x_BCT, patches))
        tokens_BLD = self._tokens_with_data(output.tokens_BLD, patches).flatten(1, 2)
        return torch.cat([tokens_BLD.mean(1), output.cls_BD], dim=-1)

    def embed_networks(self, x_BCT: Tensor, patches: int | None = None) -> Tensor:
        """Return the mean token of each network over time, (B, N·width).

        Unlike `embed`, which averages over networks, this keeps what is specific to a network.
        Parameters as for `embed`.
        """
        tokens_BLD = self(x_BCT, self._padding(x_BCT, patches)).tokens_BLD
        vectors_BE: Tensor = self._tokens_with_data(tokens_BLD, patches).mean(2).flatten(1)
        return vectors_BE

    def _padding(self, x_BCT: Tensor, patches: int | None) -> Tensor | None:
        """Return the mask of the patches without data, (1, 1, P); None if all have some."""
        count = x_BCT.shape[-1] // self.architecture.patch
        if patches is None or patches >= count:
            return None
        return (torch.arange(count, device=x_BCT.device) >= patches)[None, None]

    def _tokens_with_data(self, tokens_BLD: Tensor, patches: int | None) -> Tensor:
        """Return the tokens of the patches with data, (B, N, P, width)."""
        batch, _, width = tokens_BLD.shape
        return tokens_BLD.view(batch, len(self.order), -1, width)[:, :, :patches]

    def _sequence(self, tokens_BNPD: Tensor) -> Tensor:
        """Add the embeddings of network and time, and put [CLS] first."""
        patches, width = tokens_BNPD.shape[2:]
        time_PD = time_embedding(patches, width, tokens_BNPD.device)
        tokens_BNPD = tokens_BNPD + self.network_embedding[:, None] + time_PD.to(tokens_BNPD.dtype)
        cls_B1D = self.cls_embedding.expand(len(tokens_BNPD), 1, -1)
        return torch.cat([cls_B1D, tokens_BNPD.flatten(1, 2)], dim=1)

    def _tokenize(self, patches: Patches, hidden_BNP: Tensor) -> Tensor:
        """Return (B, N, P, width); each tokenizer processes the patches of all windows at once."""
        batch, networks = patches.present_BN.shape
        count = len(patches.by_network[0].x_QTC) // batch
        hidden_NQ = hidden_BNP.expand(-1, -1, count).transpose(0, 1).flatten(1)
        tokens_NQD = torch.stack(
            [
                self._network_tokens(*inputs)
                for inputs in zip(self.tokenizers, patches.by_network, hidden_NQ, strict=True)
            ]
        )
        return tokens_NQD.view(networks, batch, count, -1).transpose(0, 1)

    def _network_tokens(
        self, tokenizer: nn.Module, patches: NetworkPatches, hidden_Q: Tensor
    ) -> Tensor:
        """Return the tokens of a network, with the mask embedding where they are hidden."""
        # On CUDA, selecting the visible patches forces a host sync, because their number depends
        # on the data. So tokenize the hidden patches too; on a CPU skipping them saves time.
        if hidden_Q.is_cuda:
            return torch.where(hidden_Q[:, None], self.mask_embedding, tokenizer(patches))
        if not hidden_Q.any():
            tokens_QD: Tensor = tokenizer(patches)
            return tokens_QD
        visible_R = (~hidden_Q).nonzero()[:, 0]
        visible_RD = tokenizer(patches.select(visible_R))
        # `index_copy`, unlike `where`, does not promote dtypes.
        masked_QD = self.mask_embedding.to(visible_RD.dtype).expand(len(hidden_Q), -1)
        return masked_QD.index_copy(0, visible_R, visible_RD)

    def _require_shape(self, x_BCT: Tensor) -> None:
        _, regions, volumes = x_BCT.shape
        patch = self.architecture.patch
        if regions != len(self.networks):
            raise UserError(
                f"The model expects {len(self.networks)} regions, but the time series have "
                f"{regions}. Use the atlas that the model was trained with."
            )
        if volumes == 0 or volumes % patch:
            raise UserError(
                f"A window must be a multiple of {patch} volumes (the model's patch), but has "
                f"{volumes}. Cut it to {volumes // patch * patch} volumes."
            )


def _covered(x_BCT: Tensor) -> Tensor:
    """Return (B, C), True where a region is finite at every volume."""
    # A sum is not finite if any of its terms is not, and costs a quarter of `isfinite().all(-1)`.
    return x_BCT.sum(-1).isfinite()
