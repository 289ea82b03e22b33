using EdgeBroker.Configuration;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>
/// A name for this broker that no other has: its node's name with eight random digits, kept in the data directory. Two gateways made from one image have the
/// same name, and must not take each other's messages for their own.
/// </summary>
internal static partial class NodeIdentity
{
    private const string FileName = "node.id";

    /// <summary>Reads it, or makes it.</summary>
    public static string Of(NodeOptions node, ILogger log)
    {
        string path = Path.Combine(node.DataDirectory, FileName);
        string digits = Convert.ToHexStringLower(BitConverter.GetBytes(Random.Shared.Next()));
        try
        {
            if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: 8 } kept && kept.All(char.IsAsciiHexDigit)) digits = kept;
            else if (Directory.Exists(node.DataDirectory)) File.WriteAllText(path, digits + "\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotKept(log, path, exception.Message);
        }

        return node.Name + "~" + digits;
    }

    [LoggerMessage(9019, LogLevel.Warning, "this broker's mark for bridges cannot be kept in {Path}, and is another one after a restart: {Cause}")]
    private static partial void LogNotKept(ILogger log, string path, string cause);
}
