using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Http.Routing;

/// <summary>Whether texts are topics and topic filters by MQTT's rules.</summary>
internal static class TopicText
{
    /// <summary>Whether it is a topic name.</summary>
    public static bool IsName(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length <= ushort.MaxValue && Utf8Text.IsValid(bytes) && TopicName.IsValid(bytes);
    }

    /// <summary>Whether it is a topic filter, shared or not.</summary>
    public static bool IsFilter(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length <= ushort.MaxValue && Utf8Text.IsValid(bytes) && TopicFilter.IsValid(bytes);
    }

    /// <exception cref="HttpProblem">It is no topic name.</exception>
    public static string Name(string text) =>
        IsName(text) ? text : throw new HttpProblem(ProblemKind.InvalidTopic, "the topic is empty, too long, or holds \"+\", \"#\" or control characters");
}
