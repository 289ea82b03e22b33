namespace EdgeBroker.Cli.Access;

/// <summary>What <c>acl test --json</c> prints.</summary>
/// <param name="Allowed">Whether the client may.</param>
/// <param name="Cause">The rule that decides.</param>
/// <param name="MaxQos">The highest QoS it may.</param>
/// <param name="UserKnown">Whether the user can log in at all.</param>
internal sealed record AclAnswer(bool Allowed, string Cause, int MaxQos, bool UserKnown);

/// <summary>What <c>psk list --json</c> prints.</summary>
internal sealed record PskList(IReadOnlyList<PskClient> Clients);

/// <summary>A client with a pre-shared key, as <c>psk list</c> shows it.</summary>
internal sealed record PskClient(string Identity, string User, string ClientId);

/// <summary>What <c>passwd list --json</c> prints.</summary>
internal sealed record UserList(IReadOnlyList<string> Users);
