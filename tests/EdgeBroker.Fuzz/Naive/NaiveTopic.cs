using System.Text;

namespace EdgeBroker.Fuzz.Naive;

/// <summary>Topic names and filters as lists of levels (4.7, 4.8.2).</summary>
public static class NaiveTopic
{
    public static bool IsName(byte[] utf8)
    {
        string topic = Encoding.UTF8.GetString(utf8);
        return topic.Length > 0 && !topic.Contains('+', StringComparison.Ordinal) && !topic.Contains('#', StringComparison.Ordinal);
    }

    public static bool IsFilter(byte[] utf8)
    {
        string[] levels = Encoding.UTF8.GetString(utf8).Split('/');
        if (levels.Length == 1 || levels[0] != "$share") return LevelsAreFilter(levels);
        bool hasShareName = levels[1].Length > 0 && !levels[1].Contains('+', StringComparison.Ordinal) && !levels[1].Contains('#', StringComparison.Ordinal);
        return hasShareName && levels.Length > 2 && LevelsAreFilter(levels[2..]);
    }

    public static bool IsShared(byte[] utf8) => Encoding.UTF8.GetString(utf8).StartsWith("$share/", StringComparison.Ordinal);

    private static bool LevelsAreFilter(string[] levels)
    {
        if (levels is [""]) return false;
        for (int i = 0; i < levels.Length; i++)
        {
            if (levels[i] == "+") continue;
            if (levels[i] == "#" && i == levels.Length - 1) continue;
            if (levels[i].Contains('+', StringComparison.Ordinal) || levels[i].Contains('#', StringComparison.Ordinal)) return false;
        }

        return true;
    }
}
