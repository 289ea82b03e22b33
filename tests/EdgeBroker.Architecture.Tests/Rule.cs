namespace EdgeBroker.Architecture.Tests;

/// <summary>A rule is kept when nothing breaks it; what does is listed whole.</summary>
internal static class Rule
{
    public static void NothingBreaks<T>(IEnumerable<T> offenders)
    {
        string[] list = [.. offenders.Select(o => $"{o}").Order(StringComparer.Ordinal)];
        Assert.True(list.Length == 0, string.Join('\n', list));
    }
}
