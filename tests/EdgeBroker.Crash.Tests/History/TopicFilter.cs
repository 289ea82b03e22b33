namespace EdgeBroker.Crash.Tests.History;

/// <summary>Whether filters match topics, the plain way.</summary>
internal static class TopicFilter
{
    private const string SharePrefix = "$share/";

    public static bool IsShared(string filter) => filter.StartsWith(SharePrefix, StringComparison.Ordinal);

    public static bool Matches(string filter, string topic)
    {
        if (IsShared(filter)) filter = filter[(filter.IndexOf('/', SharePrefix.Length) + 1)..];
        string[] wanted = filter.Split('/');
        string[] levels = topic.Split('/');
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == "#") return true;
            if (i >= levels.Length || (wanted[i] != "+" && wanted[i] != levels[i])) return false;
        }

        return wanted.Length == levels.Length;
    }
}
