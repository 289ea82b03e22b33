// Memory and latency are measured for the whole process, and the pools are shared.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
