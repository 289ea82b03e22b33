namespace EdgeBroker.PubSub;

/// <summary>Whether a topic matches a filter (4.7); for the few filters of <c>-T</c>.</summary>
internal static class FilterMatch
{
    public static bool Matches(string filter, string topic)
    {
        string[] filterLevels = filter.Split('/');
        string[] topicLevels = topic.Split('/');
        if (topic.StartsWith('$') && filterLevels[0] is "#" or "+") return false;
        for (int i = 0; i < filterLevels.Length; i++)
        {
            if (filterLevels[i] == "#") return true;
            if (i >= topicLevels.Length || (filterLevels[i] != "+" && filterLevels[i] != topicLevels[i])) return false;
        }

        return filterLevels.Length == topicLevels.Length;
    }
}
