using EdgeBroker.Configuration;
using EdgeBroker.Core.Security;
using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Reloading;

/// <summary>
/// How users, token keys and access rules differ between two readings of a configuration: what files hold, and what keys do not tell one by one.
/// </summary>
internal static class AuthChanges
{
    private const int NamesShown = 5;

    /// <summary>Adds a line for each thing that differs.</summary>
    public static void Find(AuthOptions before, AuthOptions after, List<string> applied)
    {
        FindUsers(before.Users, after.Users, applied);
        if ((before.Tokens is null) != (after.Tokens is null))
        {
            applied.Add(after.Tokens is null ? "[auth.jwt]: tokens are not accepted any more" : "[auth.jwt]: tokens are accepted");
        }

        if (before.Tokens is not null && after.Tokens is not null && before.Keys?.Fingerprint != after.Keys?.Fingerprint) applied.Add("the keys of [auth.jwt]");
        if (!AreSame(before.Rules, after.Rules)) applied.Add($"access rules: {after.Rules.Rules.Count} in place of {before.Rules.Rules.Count}");
    }

    private static void FindUsers(PasswordFile? before, PasswordFile? after, List<string> applied)
    {
        Name(applied, "added", Entries(after).Where(entry => before?.Find(entry.UserName) is null));
        Name(applied, "removed", Entries(before).Where(entry => after?.Find(entry.UserName) is null));
        Name(
            applied, "changed, with another password",
            Entries(after).Where(entry => before?.Find(entry.UserName) is { } old && old.Hash.Text != entry.Hash.Text));
    }

    private static IReadOnlyList<PasswordEntry> Entries(PasswordFile? file) => file?.Entries ?? [];

    private static void Name(List<string> applied, string what, IEnumerable<PasswordEntry> entries)
    {
        string[] names = [.. entries.Select(entry => $"\"{Printable.Escape(entry.UserName)}\"")];
        if (names.Length == 0) return;
        string rest = names.Length > NamesShown ? $" and {names.Length - NamesShown} more" : "";
        applied.Add($"user {string.Join(", ", names.Take(NamesShown))}{rest}: {what}");
    }

    // Where a rule stands says nothing of what it means.
    private static bool AreSame(AclRuleSet before, AclRuleSet after) =>
        before.Rules.Select(Meaning).SequenceEqual(after.Rules.Select(Meaning)) && before.Groups.Select(Meaning).SequenceEqual(after.Groups.Select(Meaning));

    private static string Meaning(AclRule rule) =>
        string.Join(
            '\0',
            [
                rule.User, rule.Client, rule.Group, rule.Listener, rule.Allows.ToString(), rule.Actions.ToString(), rule.MaximumQoS.ToString(),
                .. rule.Topics.Select(topic => topic.ToString()),
            ]);

    private static string Meaning(AclGroup group) => string.Join('\0', [group.Name, .. group.Users]);
}
