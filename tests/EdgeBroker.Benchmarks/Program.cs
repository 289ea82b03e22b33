using BenchmarkDotNet.Running;
using EdgeBroker.Benchmarks;

// dotnet run -c Release --project tests/EdgeBroker.Benchmarks -- --filter '*Publish*' --job short
BenchmarkSwitcher.FromAssembly(typeof(CodecBenchmarks).Assembly).Run(args);
