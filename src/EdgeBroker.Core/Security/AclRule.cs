using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>One <c>[[acl]]</c>: whom it is about, and what it allows or denies them where.</summary>
public sealed class AclRule
{
    private string? _allows;
    private string? _denies;
    private string? _limits;

    /// <summary>Where it was written, for logs: <c>broker.toml:12</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Glob of the user name; an anonymous client's is empty.</summary>
    public string User { get; init; } = Glob.Any;

    /// <summary>Glob of the client id.</summary>
    public string Client { get; init; } = Glob.Any;

    /// <summary>Glob of the groups' names, one of which the user belongs to; <c>*</c>: groups do not matter.</summary>
    public string Group { get; init; } = Glob.Any;

    /// <summary>Glob of the listener's address.</summary>
    public string Listener { get; init; } = Glob.Any;

    /// <summary>What the name was proved by; <see cref="AuthenticationMethod.Unknown"/>: that does not matter. A password may be proved by SCRAM.</summary>
    public AuthenticationMethod Via { get; init; }

    /// <summary>Whether it allows; otherwise it denies.</summary>
    public required bool Allows { get; init; }

    /// <summary>What it allows or denies.</summary>
    public required AccessActions Actions { get; init; }

    /// <summary>Where.</summary>
    public required IReadOnlyList<AclPattern> Topics { get; init; }

    /// <summary>The highest QoS of what it allows: publishes above are refused, subscriptions granted this.</summary>
    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    // Made once: a client that is denied over and over must not cost memory each time.
    internal string AllowsCause => _allows ??= $"allowed by the rule at {Source}";

    internal string DeniesCause => _denies ??= $"denied by the rule at {Source}";

    internal string LimitsCause => _limits ??= $"above max_qos of the rule at {Source}";

    internal bool IsAbout(AclSubject subject, IReadOnlyList<AclGroup> groups) =>
        Glob.Matches(User, subject.UserName ?? "") && Glob.Matches(Client, subject.ClientId) && Glob.Matches(Listener, subject.Listener)
        && (Group == Glob.Any || IsAboutAGroupOf(subject.UserName, groups)) && IsAbout(subject.Via);

    private bool IsAbout(AuthenticationMethod via) =>
        Via == AuthenticationMethod.Unknown || Via == (via == AuthenticationMethod.Scram ? AuthenticationMethod.Password : via);

    private bool IsAboutAGroupOf(string? userName, IReadOnlyList<AclGroup> groups)
    {
        foreach (AclGroup group in groups)
        {
            if (Glob.Matches(Group, group.Name) && group.Has(userName)) return true;
        }

        return false;
    }
}
