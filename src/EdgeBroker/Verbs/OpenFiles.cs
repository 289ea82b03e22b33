using System.Globalization;
using EdgeBroker.Configuration;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Verbs;

/// <summary>How many files the process may open, and how many its configuration may need.</summary>
internal static class OpenFiles
{
    private const string Line = "Max open files";

    /// <summary>How many files may be open, the runtime having raised that as far as it may; null: there is no limit, or none is known.</summary>
    public static long? Limit
    {
        get
        {
            try
            {
                string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Line, StringComparison.Ordinal));
                string[] words = line?[Line.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
                return words.Length > 0 && long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>Connections that the listeners may have together. Clients over UDP share one socket.</summary>
    public static long ConnectionsOf(BrokerConfiguration configuration)
    {
        long sum = configuration.Listeners
            .Where(listener => listener.Protocol is not (ListenerProtocol.Coap or ListenerProtocol.Coaps))
            .Sum(listener => (long)listener.MaxConnections);
        return Math.Min(sum, configuration.Limits.MaxConnections ?? long.MaxValue);
    }
}
