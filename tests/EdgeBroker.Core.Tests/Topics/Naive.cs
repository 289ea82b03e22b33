namespace EdgeBroker.Core.Tests.Topics;

/// <summary>The rules of section 4.7, written down as they are read.</summary>
internal static class Naive
{
    private static readonly string[] Names = ["", "a", "b", "ab", "$x", "ü"];

    public static bool Matches(string filter, string topic)
    {
        if (topic.StartsWith('$') && filter[0] is '+' or '#') return false;
        string[] wanted = filter.Split('/');
        string[] levels = topic.Split('/');
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == "#") return true;
            if (i >= levels.Length || (wanted[i] != "+" && wanted[i] != levels[i])) return false;
        }

        return wanted.Length == levels.Length;
    }

    /// <summary>A topic from two numbers; many pairs make the same or related ones.</summary>
    public static string Topic(int a, int b)
    {
        string[] levels = new string[1 + (b % 4)];
        for (int i = 0; i < levels.Length; i++, a /= Names.Length) levels[i] = Names[a % Names.Length];
        string topic = string.Join('/', levels);
        return topic.Length == 0 ? "a" : topic;
    }

    public static string Filter(int a, int b)
    {
        string[] levels = Topic(a, b).Split('/');
        b /= 4;
        for (int i = 0; i < levels.Length; i++, b /= 3)
        {
            if (b % 3 == 1) levels[i] = "+";
        }

        if (b % 3 == 2) levels[^1] = "#";
        string filter = string.Join('/', levels);
        return (a % 7) switch { 0 => "$share/g/" + filter, 1 => "$share/h/" + filter, _ => filter };
    }
}
