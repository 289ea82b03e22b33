namespace EdgeBroker.PubSub;

/// <summary>The verbs an option belongs to.</summary>
[Flags]
internal enum Verbs
{
    Pub = 1,
    Sub = 2,
    Both = Pub | Sub,
}
