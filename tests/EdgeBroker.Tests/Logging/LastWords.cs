using System.Diagnostics;
using EdgeBroker.Logging;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Tests.Logging
{
    /// <summary>A process that logs to stderr and fails.</summary>
    internal static class LastWords
    {
        /// <summary>Lines logged just before the last.</summary>
        public const int LinesBefore = 500;

        private const string Variable = "EDGEBROKER_TESTS_LAST_WORDS";

        /// <summary>Runs one: its exit code, and what it wrote to stderr.</summary>
        public static async Task<(int ExitCode, string[] Lines)> RunAsync(string how)
        {
            string folder = AppContext.BaseDirectory;
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true, RedirectStandardOutput = true };
            // The executable of the product, with the settings of these tests: as a native one it takes no hooks.
            string[] arguments =
            [
                "exec", "--runtimeconfig", "EdgeBroker.Tests.runtimeconfig.json", "--depsfile", "EdgeBroker.Tests.deps.json", "edgebroker.dll",
            ];
            foreach (string argument in arguments) start.ArgumentList.Add(argument.Contains('.') ? Path.Combine(folder, argument) : argument);
            start.Environment["DOTNET_STARTUP_HOOKS"] = Path.Combine(folder, "EdgeBroker.Tests.dll");
            start.Environment[Variable] = how;
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string error = await Deadline.Within(process.StandardError.ReadToEndAsync(), "the process to fail");
            await output;
            await process.WaitForExitAsync();
            return (process.ExitCode, error.Split('\n'));
        }

        /// <summary>In that process, before its own Main.</summary>
        public static void Speak()
        {
            if (Environment.GetEnvironmentVariable(Variable) is not { } how) return;
            var factory = new LineLoggerFactory(Console.OpenStandardError(), new TextFormat(false, false), LogLevel.Information, TimeProvider.System);
            ILogger log = factory.CreateLogger("Test");
            _ = new UnhandledExceptionLog(log);
            for (int i = 0; i < LinesBefore; i++) log.LogInformation("line {Number}", i);
            if (how == "unhandled") throw new InvalidOperationException("nobody handles this");
            log.LogCritical("the end");
            Environment.FailFast("as asked");
        }
    }
}

/// <summary>What the runtime looks for in an assembly that is named as a startup hook.</summary>
internal static class StartupHook
{
    public static void Initialize() => EdgeBroker.Tests.Logging.LastWords.Speak();
}
