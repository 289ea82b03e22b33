using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Transport.Linux;

/// <summary>The process's limit of open files: each connection is one.</summary>
public static unsafe partial class OpenFileLimit
{
    private const int NoFile = 7;

    /// <summary>Raises the soft limit to the hard one, which asks for no privilege. That it cannot is worth a line, not a stop.</summary>
    public static void Raise(ILogger log)
    {
        ulong* limits = stackalloc ulong[2];
        if (GetLimit(NoFile, limits) == 0)
        {
            if (limits[0] == limits[1]) return;
            limits[0] = limits[1];
            if (SetLimit(NoFile, limits) == 0) return;
        }

        LogNotRaised(log, Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimit(int resource, ulong* limits);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, ulong* limits);

    [LoggerMessage(1300, LogLevel.Warning, "the limit of open files could not be raised: {Error}")]
    private static partial void LogNotRaised(ILogger log, string error);
}
