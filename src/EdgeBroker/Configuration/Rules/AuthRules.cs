using System.Security.Cryptography;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What <c>[auth]</c>, <c>[[group]]</c> and <c>[[acl]]</c> mean together, and whether the files they name can be used.</summary>
internal sealed class AuthRules(Func<string, string?> environment, string baseDirectory, ConfigurationErrors errors, List<string> warnings)
{
    public AuthOptions Apply(WrittenTables draft)
    {
        var auth = new AuthOptions();
        var files = new SecretFiles(baseDirectory, environment, errors, warnings);
        if (draft.Auth.PasswordFile is { } passwordFile)
        {
            auth = auth with
            {
                Users = ReadUsers(passwordFile, files, out string? digest),
                UsersFile = files.FullPath(passwordFile.Value),
                UsersDigest = digest,
                WatchesUsers = draft.Auth.WatchesUsers,
            };
        }

        if (draft.Auth.Jwt is { } jwt) auth = new JwtRules(files, errors, warnings).Apply(jwt, auth);
        List<AclGroup> groups = Groups(draft.Groups);
        string[] addresses = [.. draft.Listeners.Select(listener => listener.Address?.Text).OfType<string>()];
        if (draft.Listeners.Count == 0) addresses = [ListenerRules.DefaultAddress];
        var rules = new List<AclRule>(draft.Acl.Count);
        foreach (AclDraft acl in draft.Acl)
        {
            if (Rule(acl, groups, addresses) is { } rule) rules.Add(rule);
        }

        foreach ((AclRule unreachable, AclRule earlier) in AclReview.FindUnreachable(rules))
        {
            warnings.Add($"{unreachable.Source}: this rule never decides anything: the one at {earlier.Source} comes first and leaves it nothing");
        }

        if (!NamesUsersElsewhere(draft, auth)) WarnOfUnknownUsers(rules, auth);
        if (auth.Tokens?.AclClaim is { } claim && rules.Count == 0)
        {
            warnings.Add($"{draft.Auth.Jwt!.Position}: [auth.jwt] acl_claim: a token without the claim \"{Printable.Escape(claim)}\" lets its client in, "
                + "and it may do nothing: there is no [[acl]] rule. Clients with a password or a certificate may do everything");
        }

        return auth with { Rules = rules.Count == 0 ? AclRuleSet.Unrestricted : new AclRuleSet(rules, groups) };
    }

    private PasswordFile? ReadUsers(Located<string> place, SecretFiles files, out string? digest)
    {
        digest = null;
        if (files.Read(place.Value, place.Position, "password_file") is not { } bytes) return null;
        digest = DigestOf(bytes);
        var problems = new List<FileProblem>();
        PasswordFile users = PasswordFile.Parse(bytes, problems);
        // Behind the errors of the configuration's own files.
        var file = new SourceFile(Printable.Escape(place.Value), int.MaxValue);
        foreach (FileProblem problem in problems) errors.Add(new SourcePosition(file, problem.Line, 1), Printable.Escape(problem.Text));
        if (users.Entries.Count == 0 && problems.Count == 0)
        {
            warnings.Add(
                $"{place.Position}: {Printable.Escape(place.Value)} holds no users yet; "
                + $"add one with `edgebroker passwd add {Printable.Escape(place.Value)} NAME`");
        }

        return users;
    }

    /// <summary>By which a password file's content is compared.</summary>
    public static string DigestOf(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    private List<AclGroup> Groups(IReadOnlyList<GroupDraft> drafts)
    {
        var groups = new List<AclGroup>(drafts.Count);
        foreach (GroupDraft draft in drafts)
        {
            if (groups.Exists(group => group.Name == draft.Name))
            {
                errors.Add(draft.Table.Position, $"a [[group]] named \"{Printable.Escape(draft.Name)}\" stands further up already");
            }

            groups.Add(new AclGroup(draft.Name, draft.Users));
        }

        return groups;
    }

    private AclRule? Rule(AclDraft draft, List<AclGroup> groups, string[] addresses)
    {
        SourcePosition at = draft.Table.Position;
        if (draft.Group != Glob.Any && !groups.Exists(group => Glob.Matches(draft.Group, group.Name)))
        {
            errors.Add(draft.At("group"), $"there is no [[group]] named \"{Printable.Escape(draft.Group)}\"");
        }

        // Present and wrong has been reported; then the list is null although the key is there.
        bool hasAllow = draft.Table.Find("allow") is not null;
        bool hasDeny = draft.Table.Find("deny") is not null;
        if (hasAllow == hasDeny)
        {
            errors.Add(
                at,
                hasAllow
                    ? "[[acl]] has both \"allow\" and \"deny\"; write two rules"
                    : "[[acl]] needs \"allow\" or \"deny\": a list of \"publish\", \"subscribe\" and \"retain\"");
            return null;
        }

        if ((draft.Allow ?? draft.Deny) is not { } actions || draft.Topics.Count == 0) return null;
        AclTables.Acl.FindMisplaced(draft, draft.Table, errors);
        if (!Glob.IsWild(draft.Listener) && !addresses.Contains(draft.Listener, StringComparer.Ordinal))
        {
            errors.Add(
                draft.At("listener"),
                $"no [[listener]] has the address \"{Printable.Escape(draft.Listener)}\"; there are {Printable.Escape(string.Join(", ", addresses))}");
        }

        return new AclRule
        {
            Source = $"{at.File.Name}:{at.Line}",
            User = draft.User,
            Client = draft.Client,
            Group = draft.Group,
            Listener = draft.Listener,
            Via = draft.Via,
            Allows = hasAllow,
            Actions = Actions(actions),
            Topics = [.. draft.Topics.Select(topic => new AclPattern(topic))],
            MaximumQoS = (QoS)draft.MaxQos,
        };
    }

    private static AccessActions Actions(IReadOnlyList<string> names)
    {
        AccessActions actions = AccessActions.None;
        foreach (string name in names)
        {
            actions |= name switch { "publish" => AccessActions.Publish, "subscribe" => AccessActions.Subscribe, _ => AccessActions.Retain };
        }

        return actions;
    }

    /// <summary>Whether there may be users that no file names: those of tokens only their issuer knows, those of certificates only their authority.</summary>
    private static bool NamesUsersElsewhere(WrittenTables draft, AuthOptions auth) =>
        auth.Tokens is not null || draft.Listeners.Any(listener => listener.Tls is { Options.ClientAuthentication: not ClientAuthentication.None });

    private void WarnOfUnknownUsers(List<AclRule> rules, AuthOptions auth)
    {
        foreach (AclRule rule in rules)
        {
            if (rule.User.Length == 0 || Glob.IsWild(rule.User) || auth.Users?.Find(rule.User) is not null) continue;
            warnings.Add($"{rule.Source}: this rule is about user \"{Printable.Escape(rule.User)}\", "
                + (auth.Users is null ? "but [auth] knows no users" : "who is not in the password file"));
        }
    }
}
