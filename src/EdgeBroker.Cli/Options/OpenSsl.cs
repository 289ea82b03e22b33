using System.Runtime.InteropServices;

namespace EdgeBroker.Cli.Options;

/// <summary>
/// OpenSSL, which this machine must bring along for TLS, WebSocket and passwords. The runtime ends the process where it misses it, so it is looked for before.
/// A broker with plain listeners and without users does without.
/// </summary>
public static class OpenSsl
{
    /// <summary>What to say where it is missing.</summary>
    public const string Missing = "this machine has no OpenSSL (libssl.so.3), which TLS, WebSocket, passwords and tokens need; install it "
        + "(Debian, Ubuntu: apt install libssl3)";

    // In the runtime's order; it takes the first there is, or the one that a variable of its own names.
    private static readonly string[] Names = ["libssl.so.3", "libssl.so.1.1"];

    /// <summary>Whether it can be loaded. Asked anew each time: it may be installed meanwhile.</summary>
    public static bool IsThere()
    {
        string? wanted = Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE");
        if (!string.IsNullOrEmpty(wanted) && NativeLibrary.TryLoad("libssl.so." + wanted, out _)) return true;
        return Array.Exists(Names, name => NativeLibrary.TryLoad(name, out _));
    }
}
