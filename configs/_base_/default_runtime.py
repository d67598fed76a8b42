default_scope = "mmaction"
custom_imports = dict(imports=["mmpmg"], allow_failed_imports=False)

default_hooks = dict(
    runtime_info=dict(type="RuntimeInfoHook"),
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50, ignore_last=False),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="CheckpointHook", interval=10, max_keep_ckpts=3),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    sync_buffers=dict(type="SyncBuffersHook"),
    sample_names=dict(type="SampleNamesHook"),
    iteration_seed=dict(type="IterationSeedHook"),
    accumulation=dict(type="AccumulationHook"),
)
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
log_processor = dict(type="LogProcessor", window_size=50, by_epoch=True)
visualizer = dict(type="ActionVisualizer", vis_backends=[dict(type="LocalVisBackend")])
log_level = "INFO"
randomness = dict(seed=0)
compile = False  # True: torch.compile of the step; on a CPU it cost minutes and made a toy slower
load_from = None
resume = False
