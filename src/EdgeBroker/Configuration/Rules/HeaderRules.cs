using System.Text;
using EdgeBroker.Configuration.Schema;

namespace EdgeBroker.Configuration.Rules;

/// <summary>Reads headers whose text is kept elsewhere.</summary>
internal static class HeaderRules
{
    /// <summary>The headers with their text; those that cannot be had have been reported.</summary>
    public static List<KeyValuePair<string, string>> ReadHeaders(this SecretFiles files, IReadOnlyList<HeaderDraft> drafts, ConfigurationErrors errors)
    {
        var headers = new List<KeyValuePair<string, string>>(drafts.Count);
        foreach (HeaderDraft draft in drafts)
        {
            string? text = draft.Text ?? (files.Read(draft.Secret!, draft.Name) is { } bytes ? Encoding.UTF8.GetString(bytes).Trim() : null);
            if (text is null) continue;
            if (text.Length is 0 or > 4096 || text.Any(char.IsControl))
            {
                errors.Add(draft.Secret!.Position, $"the header {ValueText.Quote(draft.Name)} expects one line of text");
            }

            headers.Add(new KeyValuePair<string, string>(draft.Name, text));
        }

        return headers;
    }
}
