"""Training models whose optimizer is too large for one GPU: FSDP through MMEngine's FlexibleRunner.

MMEngine's ``FSDPStrategy`` needs mending for our models: it shards the whole model as one unit, so
that nothing is saved; it builds the optimizer when weights are flat already, so that every one
looks like a bias and none gets weight decay; each rank clips by the norm of its own part; its
default checkpoints are one file for each rank, which nothing else reads; it resumes by a call whose
arguments torch has put into another order; and it takes for granted that there is a GPU.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from mmaction.models.backbones.swin import SwinTransformerBlock3D
from mmengine._strategy import FSDPStrategy
from mmengine.logging import print_log
from mmengine.model import MMFullyShardedDataParallel
from mmengine.optim import BaseOptimWrapper
from mmengine.registry import STRATEGIES
from torch import distributed, nn
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from torch.distributed.fsdp.wrap import ModuleWrapPolicy

from mmpmg.models.attention import Block
from mmpmg.models.weight_layouts import without_parallel

WRAPPED = "_fsdp_wrapped_module."
BLOCKS = (Block, SwinTransformerBlock3D)
CLIPPING = ("max_norm", "norm_type")
SHARDINGS = ("FULL_SHARD", "SHARD_GRAD_OP", "HYBRID_SHARD", "NO_SHARD")


@STRATEGIES.register_module()
class ShardedStrategy(FSDPStrategy):
    """``FSDPStrategy`` that shards block by block and leaves whole checkpoints behind.

    Each transformer block is gathered when it computes and dropped afterwards. Checkpoints are
    those of an unsharded run: ``EncoderExportHook``, ``tools/export_encoder.py`` and ``load_from``
    take them, and a run resumes from them with any number of processes. Schedules keep the length
    in iterations that they began with, though an epoch then has more or fewer: let processes x
    batch_size stay the same, or the learning rate ends too early or not at all.

    Args:
        sharding: "FULL_SHARD" for weights, gradients and optimizer; "SHARD_GRAD_OP" keeps the
            weights whole between forward and backward; "HYBRID_SHARD" shards within a machine;
            "NO_SHARD" is plain data parallelism.
        cpu_offload: Keep what a rank holds in the host's memory: slow, for the largest models.
        work_dir: Folder of the run; the runner fills it in.
        experiment_name: Name of the run; the runner fills it in.
        env_kwargs: The runner's environment; the runner fills it in.
        log_kwargs: The runner's log; the runner fills it in.
        auto_scale_lr: The runner's scaling of the learning rate; the runner fills it in.

    Raises:
        ValueError: Unknown ``sharding``.
    """

    def __init__(
        self,
        *,
        sharding: str = "FULL_SHARD",
        cpu_offload: bool = False,
        work_dir: str = "work_dirs",
        experiment_name: str | None = None,
        env_kwargs: dict | None = None,
        log_kwargs: dict | None = None,
        auto_scale_lr: dict | None = None,
    ) -> None:
        if sharding not in SHARDINGS:
            raise ValueError(
                f"sharding {sharding!r} is unknown; strategy.sharding is one of "
                f"{', '.join(SHARDINGS)}"
            )
        super().__init__(
            state_dict_cfg="full",
            work_dir=work_dir,
            experiment_name=experiment_name,
            env_kwargs=env_kwargs,
            log_kwargs=log_kwargs,
            auto_scale_lr=auto_scale_lr,
        )
        self.sharding = sharding
        self.cpu_offload = cpu_offload
        self._settings: Any = None

    def prepare(self, model: nn.Module | dict, *, optim_wrapper: Any = None, **more: Any) -> Any:
        """Build, shard and hand out the parts, as MMEngine's strategies do.

        Raises:
            ValueError: ``cpu_offload`` with accumulation, which torch cannot, or an option of
                clipping that does not exist over shards.
        """
        self._check(optim_wrapper if isinstance(optim_wrapper, dict) else {})
        self._settings = optim_wrapper
        return super().prepare(model, optim_wrapper=optim_wrapper, **more)

    def _check(self, settings: dict) -> None:
        """Refuse before the first step what would fail in it, deep inside torch."""
        if self.cpu_offload and settings.get("accumulative_counts", 1) > 1:
            raise ValueError(
                "strategy.cpu_offload=True and optim_wrapper.accumulative_counts="
                f"{settings['accumulative_counts']} exclude each other in FSDP; set "
                "optim_wrapper.accumulative_counts=1 or strategy.cpu_offload=False"
            )
        clipping = dict(settings.get("clip_grad") or {})
        unknown = sorted(set(clipping) - {"type", *CLIPPING})
        if clipping.pop("type", "norm") == "norm" and unknown:
            raise ValueError(
                f"optim_wrapper.clip_grad.{unknown[0]} does not exist where weights are sharded; "
                f"clip_grad takes {' and '.join(CLIPPING)}"
            )

    def _wrap_model(self, model: nn.Module) -> nn.Module:
        """Shard the model; its optimizer is built first, from weights that have their shapes."""
        if isinstance(self._settings, dict):
            self._settings = super().build_optim_wrapper(self._settings, model)
        on_gpu = torch.cuda.is_available()
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else "cpu"
        model.data_preprocessor.to(device)
        blocks = {type(module) for module in model.modules() if isinstance(module, BLOCKS)}
        whole = sum(parameter.numel() for parameter in model.parameters())
        wrapped = MMFullyShardedDataParallel(
            module=model,
            device_id=torch.device(device),
            sharding_strategy=self.sharding,
            cpu_offload=self.cpu_offload,
            auto_wrap_policy=ModuleWrapPolicy(blocks),
            use_orig_params=True,
        )
        wrapped.set_state_dict_type(
            wrapped, self.state_dict_type, self.state_dict_config, self.optim_state_dict_config
        )
        own = sum(parameter.numel() for parameter in wrapped.parameters())
        print_log(f"{self.sharding}: this process holds {own} of {whole} weights", logger="current")
        return wrapped

    def build_optim_wrapper(
        self, optim_wrapper: Any, model: nn.Module | None = None
    ) -> BaseOptimWrapper:
        """Return the wrapper that was built before sharding, now over the shards.

        Raises:
            TypeError: An optimizer that is built already, whose weights nobody can name.
        """
        if not isinstance(self._settings, BaseOptimWrapper) or model is None:
            raise TypeError(
                f"ShardedStrategy needs optim_wrapper as a config, not {type(optim_wrapper)}"
            )
        shards = {name.replace(WRAPPED, ""): shard for name, shard in model.named_parameters()}
        for group in self._settings.optimizer.param_groups:
            names = [self.id_to_name[id(parameter)] for parameter in group["params"]]
            group["params"] = [shards[name] for name in names]
        if getattr(self._settings, "grad_name", None) == "grad_norm":

            def clip(_: Any, max_norm: float, norm_type: float = 2.0) -> torch.Tensor:
                """Clip by the norm over all ranks; torch's function would see this rank's."""
                return model.clip_grad_norm_(max_norm, norm_type)

            self._settings.clip_func = clip
        return self._settings

    def optim_state_dict(self) -> dict:
        """Gather the optimizer's state, under the weights' names, on rank 0.

        One moment at a time: torch gathers them into one buffer and relies on the copy to the host
        to part them. On a CPU there is none, and all moments would be the last. What the wrapper
        keeps besides, torch would leave out: the rate that is logged as ``base_lr``.
        """
        optimizer = self.optim_wrapper.optimizer
        own = optimizer.state_dict()
        moments = {k for state in own["state"].values() for k, v in state.items() if v.dim()}
        found: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(found, moments)  # a rank may hold no part of some weight
        names = sorted(set().union(*found))
        if not names:  # before the first step
            return {**FSDP.optim_state_dict(self.model, optimizer), **self._base_settings()}
        gathered: dict[str, Any] = {}
        for moment in names:  # every rank takes part in each
            part = {
                number: {k: v for k, v in state.items() if k == moment or not v.dim()}
                for number, state in own["state"].items()
            }
            whole = FSDP.optim_state_dict(self.model, optimizer, {**own, "state": part})
            for name, state in whole.get("state", {}).items():
                gathered.setdefault("state", {}).setdefault(name, {}).update(state)
            gathered = {**whole, **gathered}
        return {**gathered, **self._base_settings()}

    def _base_settings(self) -> dict:
        """The wrapper's own entry in its state dict, if it has one."""
        settings = self.optim_wrapper.base_param_settings
        return {} if settings is None else dict(base_param_settings=settings)

    def load_model_state_dict(
        self, state_dict: dict, *, strict: bool = False, revise_keys: Any = ()
    ) -> None:
        """Deal out weights; MMEngine takes ``module.`` off their names everywhere but here."""
        own = without_parallel(state_dict, "the checkpoint")
        super().load_model_state_dict(own, strict=strict)

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """Deal out such a state. By keyword: torch has changed the order since MMEngine's call."""
        sharded = {k: v for k, v in state_dict.items() if k != "base_param_settings"}
        own = FSDP.optim_state_dict_to_load(
            model=self.model, optim=self.optim_wrapper.optimizer, optim_state_dict=sharded
        )
        self.optim_wrapper.load_state_dict(
            {**own, "base_param_settings": state_dict.get("base_param_settings")}
        )
