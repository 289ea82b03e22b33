using BenchmarkDotNet.Running;
using EdgeBroker.Benchmarks;
using EdgeBroker.Benchmarks.Counting;

// dotnet run -c Release --project tests/EdgeBroker.Benchmarks -- --filter '*Publish*' --job short
// dotnet run -c Release --project tests/EdgeBroker.Benchmarks -- count [DIRECTORY [TOUR]]
if (args is ["count", ..]) return CountCommand.Run(args[1..]);
BenchmarkSwitcher.FromAssembly(typeof(CodecBenchmarks).Assembly).Run(args);
return 0;
